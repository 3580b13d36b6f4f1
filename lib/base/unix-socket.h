/* SPDX-License-Identifier: MIT */
#pragma once

#include "lib/base/error.h"

/*
 * A stream socket, connected to a server at a path. Nothing on it, the connecting included, takes
 * longer than the timeout: -EAGAIN. -ENAMETOOLONG if no socket can have this path.
 */
_must_check_ int unix_socket_connect(const char *path, unsigned timeout_sec, int *ret_fd);
