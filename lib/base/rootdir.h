/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The root below which /proc, /sys, /dev and /run are looked for. Programs use "/"; tests use a
 * small captured tree. Paths are given without their leading slash.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct RootDir {
        int fd;
} RootDir;

#define ROOTDIR_NULL \
        { .fd = -1 }

_must_check_ int rootdir_open(const char *path, RootDir *ret_root);
void rootdir_close(RootDir *root);

bool rootdir_exists(const RootDir *root, const char *path);

/* open(2) below the root, O_CLOEXEC added. */
_must_check_ int rootdir_open_file(const RootDir *root, const char *path, int flags);

/* A small text file without the white space at its end; errors as io_read_text_at(). */
_must_check_ int rootdir_read_text(
        const RootDir *root,
        const char *path,
        char *buffer,
        size_t size);
_must_check_ int rootdir_read_u32(const RootDir *root, const char *path, uint32_t *ret_value);
_must_check_ int rootdir_write_text(const RootDir *root, const char *path, const char *text);
