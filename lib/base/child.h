/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A program that is run for its standard output. It and all that it starts are a process group of
 * their own, which child_end() ends.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

typedef struct ChildSpec {
        char *const *argv; /* argv[0] is searched in PATH of the environment if it is no path */
        char *const *environment; /* all of it */

        /* In the child, with its output in place: what it is to give up. < 0: it does not start. */
        int (*prepare)(void *userdata);
        void *userdata;

        /* Its parent is the first process of a PID namespace, in which nothing is to be left. */
        bool alone;
} ChildSpec;

typedef struct Child {
        pid_t pid;
        int fd; /* of its output; does not block */
        bool alone;
} Child;

enum {
        CHILD_E_FAILED = 1, /* *ret_status is its exit status, or -1 for a signal */
        CHILD_E_ENDED,      /* it did not end in time by itself */
};

/* It gets SIGKILL when this process ends. child_end() gives all of it back. */
_must_check_ int child_start(const ChildSpec *spec, Child *ret_child);

/*
 * Closes its output, waits until this time of CLOCK_MONOTONIC for its end, and ends what is left of it.
 * 0; CHILD_E_FAILED; CHILD_E_ENDED; -ENOENT: there is no such program.
 */
_must_check_ int child_end(Child *child, uint64_t until_usec, int *ret_status);
