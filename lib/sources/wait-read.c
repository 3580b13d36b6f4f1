/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdbool.h>

#include "lib/base/clock.h"
#include "lib/sources/wait-read.h"

int wait_until(int fd, short events, uint64_t until_usec) {
        struct pollfd entry = { .fd = fd, .events = events };

        for (;;) {
                uint64_t now_usec = clock_monotonic_usec();
                int r;

                if (now_usec >= until_usec)
                        return -ETIMEDOUT;
                r = poll(&entry, 1, (int)MIN((until_usec - now_usec) / 1000 + 1, UINT64_C(60000)));
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return negative_errno();
        }
}

int wait_read(int fd, uint64_t wait_usec, uint8_t *buffer, size_t size, size_t *ret_length) {
        uint64_t until_usec = clock_monotonic_usec() + wait_usec;
        bool ended = false;
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, buffer + length, size - length);

                if (n > 0) {
                        length += (size_t)n;
                        continue;
                }
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return negative_errno();
                ended = n == 0;
                if (ended || wait_until(fd, POLLIN, until_usec) < 0)
                        break;
        }

        if (length == 0)
                return ended ? -ENODATA : -ETIMEDOUT;
        *ret_length = length;
        return 0;
}
