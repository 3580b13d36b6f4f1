/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "rngd/notify.h"

/* A path, or with '@' for its first zero byte an abstract name. */
static int make_address(struct sockaddr_un *ret_address, socklen_t *ret_length) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        size_t n = path ? strlen(path) : 0;

        if (n < 2 || n >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
                return -ENOENT;
        memcpy(address.sun_path, path, n);
        if (path[0] == '@')
                address.sun_path[0] = '\0';

        *ret_address = address;
        *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        return 0;
}

int notify_send(const char *text) {
        _cleanup_close_ int fd = -1;
        struct sockaddr_un address;
        socklen_t length;
        ssize_t n;

        if (make_address(&address, &length) < 0)
                return 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return negative_errno();
        n = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
        return n < 0 ? negative_errno() : 0;
}

static int on_watchdog(sd_event_source *s, uint64_t usec, void *userdata) {
        uint64_t watchdog_usec;

        (void)notify_send("WATCHDOG=1");
        if (sd_watchdog_enabled(0, &watchdog_usec) <= 0)
                return 0;
        (void)sd_event_source_set_time_relative(s, watchdog_usec / 2);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int notify_start_watchdog(sd_event *event, sd_event_source **ret_source) {
        uint64_t watchdog_usec;
        int r;

        *ret_source = NULL;
        r = sd_watchdog_enabled(0, &watchdog_usec);
        if (r <= 0)
                return r;
        return sd_event_add_time_relative(
                event,
                ret_source,
                CLOCK_MONOTONIC,
                watchdog_usec / 2,
                watchdog_usec / 4,
                on_watchdog,
                NULL);
}
