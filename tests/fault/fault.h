/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Failing the n-th of a file's system calls. A fault program renames the calls and includes the one
 * .c file, so the shipped code has no hook for tests:
 *
 *         static ssize_t fault_read(int fd, void *buffer, size_t n) {
 *                 return FAULT(-1, read(fd, buffer, n));
 *         }
 *         #define read fault_read
 *         #include "lib/base/io.c"
 *         #undef read
 *
 *         FAULT_EACH(error, EIO) {
 *                 r = io_read_full(...);
 *                 CU_ASSERT(fault_hit() ? r == -EIO : r == 0);
 *         }
 *
 * FAULT_EACH runs its body with the first call failing, then the second, and so on, and a last time
 * in which no call fails. It gives up after FAULT_MAX rounds: then the code retries without bound.
 */

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdbool.h>

enum {
        FAULT_MAX = 1000,
};

static unsigned fault_at;    /* which call fails, counted from 1; 0: none */
static unsigned fault_calls; /* how many were made in this round */
static int fault_errno = EIO;

static inline bool fault_hit(void) {
        return fault_at > 0 && fault_calls >= fault_at;
}

static inline bool fault_now(void) {
        fault_calls++;
        if (fault_calls != fault_at)
                return false;

        errno = fault_errno;
        return true;
}

static inline bool fault_first(int error) {
        fault_at = 1;
        fault_calls = 0;
        fault_errno = error;
        return true;
}

static inline bool fault_next(bool *running) {
        bool again = fault_hit();

        if (fault_at >= FAULT_MAX) {
                CU_FAIL("still failing: a retry without bound");
                again = false;
        }

        fault_at = again ? fault_at + 1 : 0;
        fault_calls = 0;
        *running = again;
        return again;
}

#define FAULT(_failure, _call) (fault_now() ? (_failure) : (_call))

#define FAULT_EACH(_name, _errno) \
        for (bool _name = fault_first(_errno); _name; (void)fault_next(&_name))
