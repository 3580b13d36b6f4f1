/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a path is, told by its inode and never by its name: a symlink, a bind mount or a second
 * device node of the kernel's own RNG is recognised. Nothing here blocks, and looking at a device
 * does not open it.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "lib/base/error.h"

typedef enum DeviceKind {
        DEVICE_HWRNG,   /* 10:183, the hardware RNG of the kernel */
        DEVICE_PTY,     /* a program at the other end, as behind a FIFO */
        DEVICE_CHAR,    /* another character device */
        DEVICE_FIFO,    /* bytes come as somebody writes them */
        DEVICE_REGULAR, /* the same bytes at each start: a replay, worth no credit */
} DeviceKind;

enum {
        DEVICE_E_KERNEL_RNG = 1, /* 1:8 or 1:9: the kernel must not be fed its own output */
        DEVICE_E_MEMORY,         /* /dev/null, /dev/zero and the rest of major 1 */
        DEVICE_E_DIRECTORY,
        DEVICE_E_SOCKET,
        DEVICE_E_BLOCK,
        DEVICE_E_PROC, /* below /proc or /sys: the kernel's own output again, or a setting */
        _DEVICE_E_MAX,
};

/* Looks without opening. -ENOENT and other errors of open(2); DEVICE_E_... for what is refused. */
_must_check_ int device_check(const char *path, DeviceKind *ret_kind);

/* The same for a file that is open. */
_must_check_ int device_check_fd(int fd, DeviceKind *ret_kind);

/*
 * Checks, opens for reading without blocking (a FIFO that nobody feeds included), and checks again
 * what was opened. The open file is in blocking mode only for hwrng, whose O_NONBLOCK is not
 * reliable.
 */
_must_check_ int device_open(const char *path, DeviceKind *ret_kind, int *ret_fd);

/* Why it was refused, for a line that begins with the path: "is the kernel's own RNG ...". */
const char *device_refusal_to_string(int code);
