/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "lib/kernel/pseudofs.h"
#include "monitor/views.h"

static int open_view(bool own, const char *type, const char *folder) {
        int fd = -1;

        if (own && pseudofs_open(type, &fd) >= 0)
                return fd;
        return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void views_open(bool own, Views *ret_views) {
        *ret_views = (Views){
                .proc_fd = open_view(own, "proc", "/proc"),
                .dev_fd = open_view(own, "devtmpfs", "/dev"),
                .sys_fd = open_view(own, "sysfs", "/sys"),
        };
}

void views_close(Views *views) {
        cleanup_close(&views->proc_fd);
        cleanup_close(&views->dev_fd);
        cleanup_close(&views->sys_fd);
}
