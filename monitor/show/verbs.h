/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The verbs that show a recording, one file each. argv[0] is the verb. Each returns an exit status:
 * 0, 1 for what the man page says of the verb, 64 usage, 65 not a recording, 66 no such file,
 * 69 no converter to call, 73 cannot write.
 */

#include "monitor/show/recording.h"

int report_main(int argc, char *argv[]);
int plot_main(int argc, char *argv[]);
int compare_main(int argc, char *argv[]);
int check_main(int argc, char *argv[]);
int export_main(int argc, char *argv[]);

/* Reads a recording or says why not: an exit status, 0 to go on. */
int verb_read_recording(const char *path, Recording *ret_recording);

/* The default recording where a verb is given none. */
const char *verb_recording_path(int argc, char *argv[], int at);
