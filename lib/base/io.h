/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whole reads and writes. Everything is bounded by the caller's buffer, restarts after EINTR and
 * returns 0 or a negative errno.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

/* Reads until the buffer is full or the file ends; a short *ret_length therefore means end of file. */
_must_check_ int io_read_full(int fd, void *buffer, size_t size, size_t *ret_length);

/*
 * The rest of a file, however long files are that say nothing of their length. ret_text is the caller's, and
 * has a zero byte behind its end. -EFBIG for more than max_bytes.
 */
_must_check_ int io_read_all(int fd, size_t max_bytes, char **ret_text, size_t *ret_length);

/* Writes all of it. A reader that went away is -EPIPE, never a signal, on sockets only. */
_must_check_ int io_write_full(int fd, const void *buffer, size_t length);

/*
 * Reads a small text file below dirfd into a string, without the white space at its end.
 * -EFBIG if it does not fit into size - 1 bytes, -EINVAL if it holds a zero byte.
 */
_must_check_ int io_read_text_at(int dirfd, const char *path, char *buffer, size_t size);

/*
 * Publishes a file: written beside its place, fsync, renamed over it. A reader sees the old or
 * the new content, never a part. mode is exact, whatever the umask says.
 */
_must_check_ int io_write_atomic_at(
        int dirfd,
        const char *path,
        mode_t mode,
        const void *buffer,
        size_t length);
