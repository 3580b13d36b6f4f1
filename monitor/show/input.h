/* SPDX-License-Identifier: MIT */
#pragma once

/* The recording that a verb is given on its command line. */

#include "monitor/show/recording.h"

/* Reads a recording or logs the error. Returns an exit status, or 0. */
int input_read(const char *path, Recording *ret_recording);

/* The argument, or the default recording. */
const char *input_path(int argc, char *argv[], int at);
