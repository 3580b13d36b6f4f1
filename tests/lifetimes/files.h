/* SPDX-License-Identifier: MIT */
#pragma once

/* Between the parts of the simulated file system. */

#include <sys/types.h>

#include "tests/lifetimes/machine.h"

#define FILES_PIPE "/run/trng.fifo"

Fd *files_get(int fd);
int files_new(Fd fd);

/* A file whose text is made at once; false: it is no such file, or not there. */
bool files_text(const char *path, char *text, size_t size);

/* One record of the kernel's log, or EAGAIN. */
ssize_t files_read_log(Fd *fd, char *buffer, size_t n);
