/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Scoped cleanup and a few attributes. A resource is released where its variable ends, unless
 * TAKE_PTR() or TAKE_FD() moved it to another owner.
 */

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function)        __attribute__((cleanup(function)))
#define _must_check_               __attribute__((warn_unused_result))
#define _printf_(format_n, args_n) __attribute__((format(printf, format_n, args_n)))
#define _noinline_                 __attribute__((noinline))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

/* Moves the value out of a variable, so that its cleanup handler finds nothing. */
#define TAKE(variable, empty)                             \
        ({                                                \
                __typeof__(variable) taken_ = (variable); \
                (variable) = (empty);                     \
                taken_;                                   \
        })
#define TAKE_PTR(pointer) TAKE(pointer, NULL)
#define TAKE_FD(fd)       TAKE(fd, -1)

static inline void cleanup_close(int *fd) {
        if (*fd >= 0)
                (void)close(*fd);
        *fd = -1;
}

static inline void cleanup_free(void *pointer_to_pointer) {
        void **pointer = pointer_to_pointer;

        free(*pointer);
        *pointer = NULL;
}

#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_free_  _cleanup_(cleanup_free)
