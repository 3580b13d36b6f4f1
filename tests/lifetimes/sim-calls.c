/* SPDX-License-Identifier: MIT */
/* The kernel's calls about randomness and time, and what the product code is not to have here. */
#include <errno.h>
#include <linux/random.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/feed/state-mount.h"
#include "lib/kernel/lasting.h"
#include "lib/kernel/uevent.h"
#include "seeder/run/metadata-request.h"
#include "tests/lifetimes/calls.h"
#include "tests/lifetimes/files.h"
#include "tests/lifetimes/witness.h"

#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004
#endif
#ifndef RNDRESEEDCRNG
#define RNDRESEEDCRNG _IO('R', 0x07)
#endif

#define WRITE_WAKEUP_BITS 896U
#define SEED_BYTES        32U

static int fail(int error) {
        errno = error;
        return -1;
}

static int add(Machine *machine, const struct rand_pool_info *info) {
        const uint8_t *bytes = (const uint8_t *)info->buf;
        size_t n = (size_t)info->buf_size;
        uint32_t bits = (uint32_t)info->entropy_count;

        if (info->entropy_count < 0)
                return fail(EINVAL);
        if (!machine_call(machine))
                return fail(EIO);
        kernel_mix(&machine->kernel, bytes, n);
        machine->added_bytes += n;
        machine->credited_bits += bits;
        if (daemon_is_current())
                machine->daemon.credited_bits += bits;
        if (bits == 0)
                return 0;
        witness_credited(machine, bytes, n, bits);
        kernel_credit(&machine->kernel, bits);
        return 0;
}

static int reseed(Kernel *kernel) {
        if (!kernel->ready)
                return fail(ENODATA);
        if (kernel->counting)
                kernel->level_bits -= kernel->level_bits < 256 ? kernel->level_bits : 256;
        kernel_reseed(kernel);
        return 0;
}

int sim_ioctl(int fd, unsigned long request, ...) {
        const Fd *target = files_get(fd);
        Machine *machine = machine_now;
        va_list args;
        void *argument;

        va_start(args, request);
        argument = va_arg(args, void *);
        va_end(args);
        if (!target || target->kind != FD_RANDOM)
                return fail(ENOTTY);
        switch (request) {
        case RNDADDENTROPY:
                return add(machine, argument);
        case RNDRESEEDCRNG:
                return machine->dead ? fail(EIO) : reseed(&machine->kernel);
        case RNDGETENTCNT:
                *(int *)argument = (int)machine->kernel.level_bits;
                return 0;
        case RNDADDTOENTCNT:
                return *(const int *)argument == 0 ? 0 : fail(EINVAL);
        default:
                return fail(EINVAL);
        }
}

ssize_t sim_getrandom(void *buffer, size_t n, unsigned flags) {
        Machine *machine = machine_now;

        if (!machine->kernel.ready && !(flags & GRND_INSECURE)) {
                if (!(flags & GRND_NONBLOCK))
                        witness_break(PROMISE_NO_WAIT, "a getrandom() that waits for the kernel");
                return fail(EAGAIN);
        }
        kernel_draw(&machine->kernel, buffer, n);
        if (n >= SEED_BYTES)
                witness_made(
                        buffer,
                        n,
                        (Made){
                                .by = MADE_KERNEL,
                                .known = !machine->kernel.ready,
                                .what = "what the kernel gave for a seed",
                        });
        return (ssize_t)n;
}

/* ---- time ---- */

int sim_clock_gettime(clockid_t clock, struct timespec *ret_time) {
        const Kernel *kernel = &machine_now->kernel;
        uint64_t usec = kernel->boottime_usec;

        if (clock == CLOCK_MONOTONIC)
                usec -= kernel->suspended_usec;
        *ret_time = (struct timespec){
                .tv_sec = (time_t)(usec / 1000000),
                .tv_nsec = (long)(usec % 1000000 * 1000),
        };
        return 0;
}

int sim_nanosleep(const struct timespec *time, struct timespec *left) {
        machine_now->kernel.boottime_usec +=
                (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_nsec / 1000;
        return 0;
}

static short random_events(const Kernel *kernel) {
        short events = kernel->ready ? POLLIN : 0;

        if (kernel->counting ? kernel->level_bits < WRITE_WAKEUP_BITS : !kernel->ready)
                events |= POLLOUT;
        return events;
}

static short events_of(int fd) {
        const Fd *target = files_get(fd);

        if (!target)
                return 0;
        if (target->kind == FD_RANDOM)
                return random_events(&machine_now->kernel);
        if (target->kind == FD_WORKER)
                return platform_answer_usec(fd) <= machine_now->kernel.boottime_usec ? POLLIN : 0;
        if (target->kind == FD_LOG)
                return target->next_line < machine_now->kernel.n_lines ? POLLIN : 0;
        if (target->kind == FD_CLOCK)
                return machine_now->daemon.clock_set ? POLLIN : 0;
        if (target->kind == FD_PLUG)
                return machine_now->daemon.plugged ? POLLIN : 0;
        return 0;
}

static int look(struct pollfd *entries, nfds_t n) {
        int n_ready = 0;

        for (nfds_t i = 0; i < n; i++) {
                entries[i].revents = events_of(entries[i].fd) & entries[i].events;
                n_ready += entries[i].revents != 0;
        }
        return n_ready;
}

int sim_poll(struct pollfd *entries, nfds_t n, int timeout_msec) {
        Kernel *kernel = &machine_now->kernel;
        uint64_t until_usec = UINT64_MAX;
        int n_ready = look(entries, n);

        if (n_ready > 0 || timeout_msec == 0)
                return n_ready;
        if (timeout_msec > 0)
                until_usec = kernel->boottime_usec + (uint64_t)timeout_msec * 1000;
        for (nfds_t i = 0; i < n; i++) {
                const Fd *target = files_get(entries[i].fd);

                if (target && target->kind == FD_WORKER)
                        until_usec = MIN(until_usec, platform_answer_usec(entries[i].fd));
        }
        if (until_usec == UINT64_MAX)
                return fail(EINTR);
        kernel->boottime_usec = MAX(kernel->boottime_usec, until_usec);
        return look(entries, n);
}

/* ---- what stands in for whole modules ---- */

int secret_new(size_t size_bytes, Secret **ret_secret) {
        Secret *secret = sim_calloc(1, sizeof(*secret));

        if (!secret)
                return -ENOMEM;
        secret->bytes = sim_calloc(1, size_bytes);
        if (!secret->bytes) {
                sim_free(secret);
                return -ENOMEM;
        }
        secret->size_bytes = size_bytes;
        *ret_secret = secret;
        return 0;
}

void secret_wipe(Secret *secret) {
        memset(secret->bytes, 0, secret->size_bytes);
}

Secret *secret_free(Secret *secret) {
        if (secret)
                sim_free(secret->bytes);
        sim_free(secret);
        return NULL;
}

void secret_wipe_stack(void) {
}

/* What it finds out is the truth; how it does is tested elsewhere, on real file systems. */
bool lasting_directory(const RootDir *root, int directory_fd, const char **ret_why_not) {
        if (machine_now->image.var_kind == VAR_DISK || machine_now->image.var_kind == VAR_READ_ONLY)
                return true;
        *ret_why_not = "the state directory does not outlast a power cut";
        return false;
}

/* The daemon is told of devices; nothing comes in the middle of a run of the seeder. */
int uevent_open(int *ret_fd) {
        return -ENOENT;
}

uint32_t uevent_changes(int fd) {
        return 0;
}

/* What fstab says is there, is there. */
bool state_mount_missing(const RootDir *root, const char *directory) {
        return false;
}

void metadata_request(const RootDir *root, const RunSource *source) {
}

void metadata_request_take(void) {
}
