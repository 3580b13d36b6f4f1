/* SPDX-License-Identifier: MIT */
#include <sys/timerfd.h>

#include "lib/kernel/clock.h"

uint64_t clock_suspended_usec(void) {
        uint64_t before, boottime, after = clock_monotonic_usec();
        unsigned int tries = 5;

        /* Two readings of one moment: one that was interrupted would look like a suspend. */
        do {
                before = after;
                boottime = clock_boottime_usec();
                after = clock_monotonic_usec();
        } while (after - before > 1000 && --tries > 0);

        return boottime > before ? boottime - before : 0;
}

static int arm(int fd) {
        /* The largest time that 32-bit kernels take. */
        const struct itimerspec never = { .it_value.tv_sec = INT32_MAX };

        if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0)
                return negative_errno();
        return 0;
}

int clock_jump_open(int *ret_fd) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        r = arm(fd);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int clock_jump_receive(int fd, bool *ret_jumped) {
        uint64_t expirations;
        bool jumped;
        int r;

        jumped = read(fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED;
        r = arm(fd);
        if (r < 0)
                return r;
        *ret_jumped = jumped;
        return 0;
}
