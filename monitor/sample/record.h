/* SPDX-License-Identifier: MIT */
#pragma once

/* entropy-monitor record: samples a running system. */

/* An exit status: the command's where there was one, else 0, 64, 73, 75 or 127. */
int record_main(int argc, char *argv[]);
