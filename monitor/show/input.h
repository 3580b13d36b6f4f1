/* SPDX-License-Identifier: MIT */
#pragma once

/* The recording that a verb is given on its command line. */

#include "monitor/show/recording.h"

/* Reads a recording or says why not: an exit status, 0 to go on. */
int input_read(const char *path, Recording *ret_recording);

/* The default recording where a verb is given none. */
const char *input_path(int argc, char *argv[], int at);
