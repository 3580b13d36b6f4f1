/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

/* Until one of poll(2)'s events, or this time of CLOCK_MONOTONIC: 0, -ETIMEDOUT. */
_must_check_ int wait_until(int fd, short events, uint64_t until_usec);

/*
 * Fills the buffer from a file that does not block, and waits for bytes up to wait_usec in all.
 * What came by then is returned. -ETIMEDOUT if nothing came, -ENODATA at the end of the file.
 */
_must_check_ int wait_read(
        int fd,
        uint64_t wait_usec,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);
