/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "lib/kernel/pseudofs.h"

/* linux/mount.h clashes with the sys/mount.h of some C libraries; these are the kernel's ABI. */
#define FS_OPEN_CLOEXEC    1U
#define FS_CONFIG_CREATE   6U
#define FS_MOUNT_CLOEXEC   1U
#define FS_ATTR_NOSUID     2U
#define FS_ATTR_NOEXEC     8U
#define FALLBACK_DIRECTORY "/proc"

static int mount_nowhere(const char *type, int *ret_fd) {
        _cleanup_close_ int context = -1;
        int fd;

        context = (int)syscall(SYS_fsopen, type, FS_OPEN_CLOEXEC);
        if (context < 0)
                return negative_errno();
        if (syscall(SYS_fsconfig, context, FS_CONFIG_CREATE, NULL, NULL, 0) < 0)
                return negative_errno();
        fd = (int)syscall(SYS_fsmount, context, FS_MOUNT_CLOEXEC, FS_ATTR_NOSUID | FS_ATTR_NOEXEC);
        if (fd < 0)
                return negative_errno();

        *ret_fd = fd;
        return 0;
}

static int mount_briefly(const char *type, int *ret_fd) {
        int fd, r = 0;

        if (mount(type, FALLBACK_DIRECTORY, type, MS_NOSUID | MS_NOEXEC, NULL) < 0)
                return negative_errno();
        fd = open(FALLBACK_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                r = negative_errno();
        (void)umount2(FALLBACK_DIRECTORY, MNT_DETACH);
        if (r < 0)
                return r;

        *ret_fd = fd;
        return 0;
}

int pseudofs_open(const char *type, int *ret_fd) {
        int r;

        r = mount_nowhere(type, ret_fd);
        return r == -ENOSYS ? mount_briefly(type, ret_fd) : r;
}
