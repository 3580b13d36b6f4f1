/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/hwrng.h"
#include "lib/sources/device.h"
#include "lib/sources/source-list.h"

/*
 * The core of hw_random keeps one buffer of max(32, SMP_CACHE_BYTES), and virtio-rng another one that
 * it asks the host to fill as soon as the last was used up (Linux 5.17): both are in a snapshot, so all
 * its clones would read the same bytes first.
 */
#if defined(__s390x__)
#define BUFFER_BYTES 256U
#elif defined(__powerpc64__)
#define BUFFER_BYTES 128U
#else
#define BUFFER_BYTES 64U
#endif

/* A device that gives a few bytes a second must not be asked for more than it has in the time. */
#define PIECE_MIN_BYTES 4U
#define SLOW_USEC       (20 * USEC_PER_MSEC)

static int hwrng_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        DeviceKind kind;
        Hwrng hwrng = {};
        int r;

        if (!config->path)
                return -ENOENT;
        source_set_detail(probe, "%s", config->path);
        r = hwrng_read_current(root, &hwrng);
        if (r == -ENODEV)
                return r;
        if (config->device && strcmp(hwrng.name, config->device) != 0) {
                source_set_detail(probe, "%s is not what rng_current names", config->device);
                return -ENODEV;
        }

        /* Without sysfs the device itself must tell. */
        r = device_check(config->path, &kind);
        if (r != 0 || kind != DEVICE_HWRNG)
                return r < 0 ? r : -ENODEV;

        if (hwrng.name[0])
                source_set_detail(probe, "%s", hwrng.name);
        /* Without sysfs nothing is known but that it is one. */
        if (hwrng.name[0] && !hwrng.host_made)
                probe->source_class = SOURCE_CLASS_LOCAL_HARDWARE;
        if (hwrng.quality_known)
                probe->quality_per_1024 = hwrng.quality_per_1024;
        probe->stale_bytes = 2 * BUFFER_BYTES;
        return 0;
}

static int hwrng_open(Source *source) {
        DeviceKind kind;
        int r;

        r = device_open(source->config.path, &kind, &source->fd);
        if (r < 0)
                return r;
        source->piece_bytes = PIECE_MIN_BYTES;
        return r > 0 || kind != DEVICE_HWRNG ? -ENOTTY : 0;
}

/* The core waited for a whole buffer before it gave the first byte of it: the rest is there at once. */
static ssize_t read_rest(int fd, uint8_t *buffer, size_t size, ssize_t n) {
        ssize_t rest;

        if (n <= 0 || (size_t)n >= MIN(size, BUFFER_BYTES))
                return n;
        rest = read(fd, buffer + n, MIN(size, BUFFER_BYTES) - (size_t)n);
        return rest > 0 ? n + rest : n;
}

/*
 * A blocking read: O_NONBLOCK waits all the same while the kernel's own thread holds the device,
 * and before Linux 5.17 virtio-rng answered EAGAIN for ever. It comes back only with all that it was
 * asked for, and no signal ends it sooner (wait_for_completion_killable()): so it is asked for little,
 * and for more as long as that comes at once.
 */
static int hwrng_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        const uint64_t began_usec = clock_monotonic_usec();
        ssize_t n;

        do
                n = read(source->fd, buffer, MIN(size, source->piece_bytes));
        while (n < 0 && errno == EINTR);
        if (clock_monotonic_usec() - began_usec <= SLOW_USEC)
                source->piece_bytes = MIN(2 * source->piece_bytes, SOURCE_READ_MAX_BYTES);
        else {
                source->piece_bytes = PIECE_MIN_BYTES;
                n = read_rest(source->fd, buffer, size, n);
        }
        if (n < 0)
                return negative_errno();
        if (n == 0)
                return -ENODATA;
        *ret_length = (size_t)n;
        return 0;
}

const SourceOps source_hwrng = {
        .name = "hwrng",
        .source_class = SOURCE_CLASS_LIVE_HOST,
        .blocking = true,
        .probe = hwrng_probe,
        .open = hwrng_open,
        .read = hwrng_read,
};
