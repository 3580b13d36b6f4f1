/* SPDX-License-Identifier: MIT */
#pragma once

/* One rngd at a time, and its life in the background. */

#include "lib/base/error.h"

/*
 * Takes the lock on a file until this process ends, and leaves its pid in it. The file is made with
 * mode 0600, so that only root can hold the lock; one that others can open is replaced. -EALREADY if
 * another process holds it: ret_holder is its pid (0 if not known). -ENOTSUP if it is no file.
 */
_must_check_ int lock_file(const char *path, pid_t *ret_holder);

/*
 * Forks. The parent does not return: it waits until the child says daemonize_ready(), and ends
 * with the child's exit status if the child ends before. In the child *ret_ready_fd is what
 * daemonize_ready() takes.
 */
_must_check_ int daemonize_start(int *ret_ready_fd);

/* Lets the terminal and the waiting parent go. */
void daemonize_ready(int *ready_fd);
