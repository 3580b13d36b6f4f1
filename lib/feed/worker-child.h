/* SPDX-License-Identifier: MIT */
#pragma once

/* The child's side of a worker. */

#include "lib/feed/worker.h"

/*
 * Runs the source until the parent closes the socket: open with root's privileges, then give them
 * up, then answer requests. stderr_fd is its standard error, and its programs'. Never returns.
 */
_Noreturn void worker_child_run(int socket_fd, int stderr_fd, const WorkerSpec *spec);
