/* SPDX-License-Identifier: MIT */
#pragma once

/* A program that is run for its standard output. For a worker: it waits. */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum {
        PROGRAM_E_FAILED = 1, /* it ended with a status that is not 0, or by a signal */
};

/*
 * Runs argv[0] (searched in the usual directories if it is no path) with nothing in its environment but
 * PATH, and fills the buffer from what it writes. It is ended once the buffer is full or wait_usec
 * is over, with all that it started; what it wrote by then counts.
 *
 * 0; PROGRAM_E_FAILED, *ret_status then is its exit status or -1 for a signal; -ENOENT if there is
 * no such program; -ETIMEDOUT, -ENODATA if nothing came; other errno values.
 */
_must_check_ int program_read(
        char *const *argv,
        uint64_t wait_usec,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length,
        int *ret_status);
