/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "lib/sources/device.h"

/* Documentation/admin-guide/devices.txt */
#define MINOR_RANDOM  8U
#define MINOR_URANDOM 9U
#define MINOR_HWRNG   183U

/* The slaves: of the old kind, and of /dev/pts (Documentation/admin-guide/devices.txt). */
static bool is_pty(unsigned int device_major) {
        return device_major == PTY_SLAVE_MAJOR ||
               (device_major >= UNIX98_PTY_MASTER_MAJOR &&
                device_major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT);
}

static int check_character_device(dev_t device, DeviceKind *ret_kind) {
        unsigned int device_major = major(device), device_minor = minor(device);

        if (device_major == MEM_MAJOR) {
                if (device_minor == MINOR_RANDOM || device_minor == MINOR_URANDOM)
                        return DEVICE_E_KERNEL_RNG;
                return DEVICE_E_MEMORY;
        }

        if (device_major == MISC_MAJOR && device_minor == MINOR_HWRNG)
                *ret_kind = DEVICE_HWRNG;
        else if (is_pty(device_major))
                *ret_kind = DEVICE_PTY;
        else
                *ret_kind = DEVICE_CHAR;
        return 0;
}

static int check_regular_file(int fd, DeviceKind *ret_kind) {
        struct statfs filesystem;

        if (fstatfs(fd, &filesystem) < 0)
                return negative_errno();
        if (filesystem.f_type == PROC_SUPER_MAGIC || filesystem.f_type == SYSFS_MAGIC)
                return DEVICE_E_PROC;

        *ret_kind = DEVICE_REGULAR;
        return 0;
}

int device_check_fd(int fd, DeviceKind *ret_kind) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return negative_errno();

        switch (status.st_mode & S_IFMT) {
        case S_IFCHR:
                return check_character_device(status.st_rdev, ret_kind);
        case S_IFREG:
                return check_regular_file(fd, ret_kind);
        case S_IFIFO:
                *ret_kind = DEVICE_FIFO;
                return 0;
        case S_IFDIR:
                return DEVICE_E_DIRECTORY;
        case S_IFSOCK:
                return DEVICE_E_SOCKET;
        case S_IFBLK:
                return DEVICE_E_BLOCK;
        default:
                return -EINVAL;
        }
}

int device_check(const char *path, DeviceKind *ret_kind) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

        if (fd < 0)
                return negative_errno();
        return device_check_fd(fd, ret_kind);
}

int device_open(const char *path, DeviceKind *ret_kind, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        DeviceKind kind;
        int flags, r;

        /* First without opening: to open a terminal or a tape has effects of its own. */
        r = device_check(path, &kind);
        if (r != 0)
                return r;

        flags = kind == DEVICE_HWRNG ? O_RDONLY : O_RDONLY | O_NONBLOCK;
        if (kind == DEVICE_FIFO)
                /* A writer of our own (fifo(7)): else the end of each writer is an end of file that
                 * poll() reports for ever, and a FIFO without a writer cannot be waited for. */
                flags = O_RDWR | O_NONBLOCK;
        fd = open(path, O_CLOEXEC | O_NOCTTY | flags);
        if (fd < 0)
                return negative_errno();

        /* Then what was really opened: the path may have changed in between. */
        r = device_check_fd(fd, &kind);
        if (r != 0)
                return r;

        *ret_kind = kind;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

const char *device_refusal_to_string(int code) {
        static const char *const reasons[_DEVICE_E_MAX] = {
                [DEVICE_E_KERNEL_RNG] =
                        "is the kernel's own RNG (char device 1:8 or 1:9); feeding it back adds nothing",
                [DEVICE_E_MEMORY] =
                        "is a memory device (null, zero, ...), not a source of random bytes",
                [DEVICE_E_DIRECTORY] =
                        "is a directory; expected a character device, a FIFO or a file",
                [DEVICE_E_SOCKET] = "is a socket; expected a character device, a FIFO or a file",
                [DEVICE_E_BLOCK] =
                        "is a block device; expected a character device, a FIFO or a file",
                [DEVICE_E_PROC] = "is in /proc or /sys, the kernel's own output",
        };

        return code > 0 && code < _DEVICE_E_MAX ? reasons[code] : "is of an unknown kind";
}
