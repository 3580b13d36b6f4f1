/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/kernel/pseudofs.h"
#include "monitor/sample/views.h"

static int open_view(bool own, const char *type, const char *directory) {
        int fd = -1;

        if (own && pseudofs_open(type, &fd) >= 0)
                return fd;
        return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
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

/* Either place may be missing this early. */
void views_complain(const Views *views, const char *format, ...) {
        _cleanup_close_ int fd = -1;
        char text[384];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args); // NOLINT(clang-analyzer-valist.*)
        va_end(args);
        fd = openat(views->dev_fd, "kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
                (void)dprintf(fd, "<4>entropy-monitor: %s\n", text);
        else
                (void)dprintf(STDERR_FILENO, "entropy-monitor: %s\n", text);
}
