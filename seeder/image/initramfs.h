/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Looks into an initramfs with the tool of the machine that runs this: lsinitramfs
 * (initramfs-tools), else lsinitrd (dracut). The file comes as an fd, so that nobody can put
 * another in its place, and is mounted for the tool alone, or copied where mounting is not allowed.
 * The tool gets nothing of our environment, and bounds of time, output and memory; of root it runs
 * as _rng-exec, without network, with the one capability to read the file. Its output is read line by
 * line and never kept.
 */

#include <stdint.h>

#include "lib/base/error.h"

#define INITRAMFS_TIMEOUT_USEC     (UINT64_C(60) * 1000000)
#define INITRAMFS_MAX_OUTPUT_BYTES (UINT64_C(64) * 1024 * 1024)

enum {
        _INITRAMFS_E_SUCCESS,
        INITRAMFS_E_NO_TOOL, /* neither tool is installed */
        INITRAMFS_E_FAILED,  /* the tool did not list it, or not all of it */
        INITRAMFS_E_TIMEOUT, /* too slow, or too much output */
};

/*
 * *ret_bits: IMAGE_LISTING_... of all lines. They are also set with E_FAILED and E_TIMEOUT: what
 * was seen is there; what was not seen may be.
 */
_must_check_ int initramfs_list(int initramfs_fd, unsigned *ret_bits);

/* The same with a tool of the caller's, an absolute path. E_NO_TOOL if it is not there. */
_must_check_ int initramfs_list_with(
        const char *tool,
        int initramfs_fd,
        uint64_t timeout_usec,
        unsigned *ret_bits);
