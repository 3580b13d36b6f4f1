/* SPDX-License-Identifier: MIT */
#pragma once

/* The process of a worker: its start, and its end by a pidfd. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"

/*
 * fork(), in the child *ret_pid is 0. With own_pids the child is the first process of a PID
 * namespace: when it ends, the kernel ends all that it started, which no signal to a process or to
 * its group could promise. Where there are no such namespaces the child is an ordinary one, and
 * *ret_pids_missing says so.
 *
 * *ret_pidfd is -1 in the child, and before Linux 5.3.
 */
_must_check_ int worker_process_start(
        bool own_pids,
        pid_t *ret_pid,
        int *ret_pidfd,
        bool *ret_pids_missing);

/*
 * SIGKILL. The pidfd stands for this one process, reaped or not. Without it the pid does, but only
 * until the process was reaped: a pid may be another process's from then on.
 */
void worker_process_kill(pid_t pid, int pidfd);
