/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/random.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

static int random_fd(void) {
        static int fd = -1;

        if (fd < 0)
                fd = open("/dev/random", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        return fd;
}

static int random_level(void) {
        int level = -1;

        return ioctl(random_fd(), RNDGETENTCNT, &level) < 0 ? -errno : level;
}

static bool random_is_ready(void) {
        unsigned char byte;

        return getrandom(&byte, 1, GRND_NONBLOCK) == 1;
}

/* random: level, readiness and what poll() says; nothing here starts the kernel's own jitter loop */
void verb_random(const Request *request, FILE *out) {
        struct pollfd p = { .fd = random_fd(), .events = POLLIN | POLLOUT };

        (void)poll(&p, 1, 0);
        fprintf(out,
                "\"r\":0,\"level\":%d,\"ready\":%s,\"in\":%s,\"out\":%s,\"boottime_usec\":%" PRIu64,
                random_level(),
                random_is_ready() ? "true" : "false",
                p.revents & POLLIN ? "true" : "false",
                p.revents & POLLOUT ? "true" : "false",
                now_usec(CLOCK_BOOTTIME));
}

/* ioctl reseed | zap | add BYTES BITS */
void verb_ioctl(const Request *request, FILE *out) {
        /* As struct rand_pool_info, whose bytes are an array without a length. */
        struct {
                int entropy_count;
                int buf_size;
                unsigned char bytes[4096];
        } add = {};
        int r;

        if (strcmp(request->words[1], "reseed") == 0)
                r = ioctl(random_fd(), RNDRESEEDCRNG);
        else if (strcmp(request->words[1], "zap") == 0)
                r = ioctl(random_fd(), RNDZAPENTCNT);
        else if (request->n_words > 3) {
                add.buf_size = (int)strtol(request->words[2], NULL, 10);
                add.entropy_count = (int)strtol(request->words[3], NULL, 10);
                r = ioctl(random_fd(), RNDADDENTROPY, &add);
        } else {
                errno = EINVAL;
                r = -1;
        }
        json_result(out, r < 0 ? -errno : 0);
        fprintf(out, ",\"boottime_usec\":%" PRIu64, now_usec(CLOCK_BOOTTIME));
}

typedef struct Levels {
        uint64_t n, sum, below_since, longest_below, last, longest_gap, n_below;
        int minimum, maximum;
} Levels;

/*
 * A stretch below the mark lasts from the first sample below to the last one below, so a stall of the whole guest,
 * which is reported apart as the longest gap between two samples, counts only when the level was low at both its ends.
 */
static void levels_add(Levels *levels, int level, int mark) {
        uint64_t now = now_usec(CLOCK_MONOTONIC);

        if (levels->n > 0 && now - levels->last > levels->longest_gap)
                levels->longest_gap = now - levels->last;
        levels->last = now;
        levels->n++;
        levels->sum += (uint64_t)level;
        if (level < levels->minimum)
                levels->minimum = level;
        if (level > levels->maximum)
                levels->maximum = level;
        if (level >= mark) {
                levels->below_since = 0;
                return;
        }
        levels->n_below++;
        if (levels->below_since == 0)
                levels->below_since = now;
        if (now - levels->below_since > levels->longest_below)
                levels->longest_below = now - levels->below_since;
}

/* drain MSEC BURSTS_EACH_MSEC RESEEDS_PER_BURST: reseeds in bursts, samples the level every millisecond */
void verb_drain(const Request *request, FILE *out) {
        uint64_t start = now_usec(CLOCK_MONOTONIC),
                 end = start + 1000U * parse_u64(request->words[1]);
        uint64_t every = 1000U * parse_u64(request->words[2]),
                 reseeds = parse_u64(request->words[3]);
        Levels levels = { .minimum = INT32_MAX };
        uint64_t next = start, n_reseeds = 0, now;
        int last_error = 0;

        while ((now = now_usec(CLOCK_MONOTONIC)) < end) {
                if (now >= next) {
                        for (uint64_t i = 0; i < reseeds; i++, n_reseeds++)
                                if (ioctl(random_fd(), RNDRESEEDCRNG) < 0)
                                        last_error = errno;
                        next += every;
                }
                levels_add(&levels, random_level(), 896);
                sleep_usec(1000);
        }
        json_result(out, -last_error);
        fprintf(out,
                ",\"samples\":%" PRIu64 ",\"mean\":%" PRIu64
                ",\"minimum\":%d,\"maximum\":%d,\"reseeds\":%" PRIu64
                ",\"longest_below_usec\":%" PRIu64 ",\"longest_gap_usec\":%" PRIu64
                ",\"samples_below\":%" PRIu64,
                levels.n,
                levels.n > 0 ? levels.sum / levels.n : 0,
                levels.minimum,
                levels.maximum,
                n_reseeds,
                levels.longest_below,
                levels.longest_gap,
                levels.n_below);
}

/* wait-ready TIMEOUT_MSEC: sleeps in poll() until the kernel RNG is ready */
void verb_wait_ready(const Request *request, FILE *out) {
        struct pollfd p = { .fd = random_fd(), .events = POLLIN };
        uint64_t start = now_usec(CLOCK_BOOTTIME);
        int r = poll(&p, 1, (int)parse_u64(request->words[1]));

        json_result(out, r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0);
        fprintf(out,
                ",\"waited_usec\":%" PRIu64 ",\"boottime_usec\":%" PRIu64 ",\"ready\":%s",
                now_usec(CLOCK_BOOTTIME) - start,
                now_usec(CLOCK_BOOTTIME),
                random_is_ready() ? "true" : "false");
}

/* insmod FILE [PARAMETERS] */
void verb_insmod(const Request *request, FILE *out) {
        uint64_t start = now_usec(CLOCK_BOOTTIME);
        int fd, r = 0;

        fd = open(request->words[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0 ||
            syscall(SYS_finit_module, fd, request->n_words > 2 ? request->words[2] : "", 0) < 0)
                r = -errno;
        if (fd >= 0)
                (void)close(fd);
        json_result(out, r);
        fprintf(out,
                ",\"start_usec\":%" PRIu64 ",\"end_usec\":%" PRIu64,
                start,
                now_usec(CLOCK_BOOTTIME));
}

/* rmmod NAME */
void verb_rmmod(const Request *request, FILE *out) {
        long r = syscall(SYS_delete_module, request->words[1], O_NONBLOCK);

        json_result(out, r < 0 ? -errno : 0);
        fprintf(out, ",\"boottime_usec\":%" PRIu64, now_usec(CLOCK_BOOTTIME));
}

/* time */
void verb_time(const Request *request, FILE *out) {
        fprintf(out,
                "\"r\":0,\"boottime_usec\":%" PRIu64 ",\"monotonic_usec\":%" PRIu64
                ",\"realtime_usec\":%" PRIu64,
                now_usec(CLOCK_BOOTTIME),
                now_usec(CLOCK_MONOTONIC),
                now_usec(CLOCK_REALTIME));
}

/* set-time SECONDS: sets the wall clock forward, or back when negative */
void verb_set_time(const Request *request, FILE *out) {
        struct timespec ts = {};

        (void)clock_gettime(CLOCK_REALTIME, &ts);
        ts.tv_sec += strtol(request->words[1], NULL, 10);
        json_result(out, clock_settime(CLOCK_REALTIME, &ts) < 0 ? -errno : 0);
}
