/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The verbs that show a recording, one file each. argv[0] is the verb. Each returns an exit status:
 * 0, 1 for what the man page says of the verb, 64 usage, 65 not a recording, 66 no such file,
 * 69 no converter to call, 73 cannot write.
 */

int report_main(int argc, char *argv[]);
int plot_main(int argc, char *argv[]);
int compare_main(int argc, char *argv[]);
int check_main(int argc, char *argv[]);
int export_main(int argc, char *argv[]);
