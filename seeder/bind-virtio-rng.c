/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/kernel/release.h"
#include "seeder/bind-virtio-rng.h"

/* The kernel's thread must not run between its start and the read that ends the first registration. On
 * one processor that is certain with this, on several it is as good as certain. */
static void stay_on_the_processor(void) {
        const struct sched_param lowest = { .sched_priority = 1 };

        if (sched_setscheduler(0, SCHED_FIFO, &lowest) < 0)
                log_debug("No real-time priority: %s", strerror(errno));
}

/* None is registered, so nobody waits for one. */
static bool is_no_device(int error) {
        return error == ENODEV || error == ENOENT || error == ENXIO;
}

/* Waits for the mutex, then for a byte. Not by a read that blocks: its sleep is only for SIGKILL, which
 * systemd sends a minute and a half after SIGTERM, since the SIGSTOP before that hides it. */
static bool hwrng_answers(void) {
        _cleanup_close_ int fd = -1;
        uint8_t byte;

        fd = open("/dev/hwrng", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return is_no_device(errno);
        for (unsigned int wait_msec = 10;; wait_msec = MIN(2 * wait_msec, 10000U)) {
                if (read(fd, &byte, sizeof(byte)) == sizeof(byte))
                        return true;
                if (errno != EAGAIN)
                        return is_no_device(errno);
                (void)poll(NULL, 0, (int)wait_msec);
        }
}

static int bind_one(const char *name) {
        _cleanup_close_ int fd = -1;

        fd = open("/sys/bus/virtio/drivers_probe", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return io_write_full(fd, name, strlen(name));
}

int bind_virtio_rngs(const RootDir *root, char *const names[]) {
        /* Also where the release cannot be read. */
        const bool one_by_one = kernel_is_before(root, 6, 11) != 0;
        int status = EXIT_SUCCESS;

        stay_on_the_processor();
        for (size_t i = 0; names[i]; i++) {
                int r;

                if (one_by_one && i > 0 && !hwrng_answers()) {
                        log_error(
                                "%s is left without a driver: the hardware RNG before it cannot be "
                                "read",
                                names[i]);
                        return EXIT_FAILURE;
                }
                /* It may be gone; the next one is not. */
                r = bind_one(names[i]);
                if (r < 0) {
                        (void)log_errno(LOG_ERR, r, "Cannot bind %s", names[i]);
                        status = EXIT_FAILURE;
                }
        }
        return status;
}
