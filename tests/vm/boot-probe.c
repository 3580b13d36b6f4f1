/* SPDX-License-Identifier: MIT */
/*
 * boot-probe watch: tells the kernel's log when virtio_rng was bound and when the RNG was ready. It
 * sleeps in between: no timer of its own feeds the RNG that it watches.
 * boot-probe block NAME: how long a first getrandom() blocked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MSEC 60000

static uint64_t now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

/* Opened at the start: when the roots are switched, the initramfs's /dev is gone. */
static int kmsg_fd = -1;

static void tell(const char *what, uint64_t at_usec, uint64_t usec) {
        char line[128];
        int n;

        n = snprintf(
                line,
                sizeof(line),
                "<5>boot-probe: %s at=%" PRIu64 " usec=%" PRIu64 "\n",
                what,
                at_usec,
                usec);
        if (write(kmsg_fd, line, (size_t)n) != n)
                perror("boot-probe: /dev/kmsg");
}

static int open_uevents(void) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        int fd;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                (void)close(fd);
                return -1;
        }
        return fd;
}

static bool is_bound(int fd) {
        char text[4096];
        ssize_t n;

        n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n <= 0 || strncmp(text, "bind@", 5) != 0)
                return false;
        text[n] = '\0';
        for (const char *at = text; at < text + n; at += strlen(at) + 1)
                if (strcmp(at, "DRIVER=virtio_rng") == 0)
                        return true;
        return false;
}

static int watch(void) {
        struct pollfd entries[] = {
                { .fd = open("/dev/random", O_RDONLY | O_CLOEXEC), .events = POLLIN },
                { .fd = open_uevents(), .events = POLLIN },
        };
        bool bound = false, ready = false;

        if (entries[0].fd < 0 || entries[1].fd < 0)
                return EXIT_FAILURE;
        tell("watching", now_usec(), 0);
        while (!bound || !ready) {
                if (poll(entries, 2, WATCH_MSEC) <= 0)
                        return EXIT_FAILURE;
                if (entries[0].revents) {
                        tell("ready", now_usec(), 0);
                        ready = true;
                        entries[0].fd = -1; /* a level that stays */
                        entries[0].revents = 0;
                }
                if (entries[1].revents && is_bound(entries[1].fd)) {
                        tell("bound", now_usec(), 0);
                        bound = true;
                        entries[1].fd = -1; /* else what nobody reads would wake us for ever */
                        entries[1].revents = 0;
                }
        }
        return EXIT_SUCCESS;
}

static int block(const char *name) {
        uint8_t bytes[16];
        uint64_t start_usec = now_usec();
        char what[64];

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
                return EXIT_FAILURE;
        (void)snprintf(what, sizeof(what), "getrandom-%s", name);
        tell(what, start_usec, now_usec() - start_usec);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
        if (kmsg_fd < 0)
                return EXIT_FAILURE;
        if (argc == 2 && strcmp(argv[1], "watch") == 0) {
                argv[0][0] =
                        '@'; /* systemd in an initramfs: not to be killed at the switch of roots */
                return watch();
        }
        if (argc == 3 && strcmp(argv[1], "block") == 0)
                return block(argv[2]);
        return EXIT_FAILURE;
}
