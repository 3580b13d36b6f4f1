/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "lib/kernel/random.h"

/* Linux 4.17; older headers lack it. */
#ifndef RNDRESEEDCRNG
#define RNDRESEEDCRNG _IO('R', 0x07)
#endif

#define SYSCTL_DIRECTORY "proc/sys/kernel/random/"

int random_open(const RootDir *root, KernelRandom *ret_random) {
        _cleanup_secret_ Secret *request = NULL;
        int fd, r;

        r = secret_new(sizeof(struct rand_pool_info) + RANDOM_ADD_MAX_BYTES, &request);
        if (r < 0)
                return r;

        fd = rootdir_open_file(root, "dev/random", O_RDONLY);
        if (fd < 0)
                return fd;

        *ret_random = (KernelRandom){ .fd = fd, .request = TAKE_PTR(request) };
        return 0;
}

void random_close(KernelRandom *random) {
        cleanup_close(&random->fd);
        random->request = secret_free(random->request);
}

int random_check_permission(const KernelRandom *random) {
        const int no_bits = 0;

        return ioctl(random->fd, RNDADDTOENTCNT, &no_bits) < 0 ? negative_errno() : 0;
}

int random_level_bits(const KernelRandom *random, uint32_t *ret_bits) {
        int bits;

        if (ioctl(random->fd, RNDGETENTCNT, &bits) < 0)
                return negative_errno();
        if (bits < 0)
                return -EIO;
        *ret_bits = (uint32_t)bits;
        return 0;
}

int random_poll(const KernelRandom *random, uint32_t *ret_mask) {
        struct pollfd entry = { .fd = random->fd, .events = POLLIN | POLLOUT };

        if (poll(&entry, 1, 0) < 0)
                return negative_errno();
        *ret_mask = (uint32_t)(entry.revents & (POLLIN | POLLOUT));
        return 0;
}

int random_getrandom_works(void) {
        uint8_t byte;
        ssize_t n;

        n = getrandom(&byte, sizeof(byte), GRND_NONBLOCK);
        explicit_bzero(&byte, sizeof(byte));
        return n >= 0 ? 1 : errno == ENOSYS ? -ENOSYS : 0;
}

bool random_makes_jitter(void) {
        return getrandom(NULL, 0, GRND_INSECURE) == 0;
}

bool random_is_ready(const KernelRandom *random) {
        uint32_t mask = 0;
        int r;

        r = random_getrandom_works();
        if (r >= 0)
                return r > 0;

        /* RHEL 7 has no getrandom(): POLLIN there says that bytes can be read, the nearest sign. */
        return random_poll(random, &mask) >= 0 && (mask & POLLIN);
}

/* Newer kernels cut the ioctl short for a pending signal and then credit nothing. */
static int add_with_signals_blocked(int fd, struct rand_pool_info *request) {
        sigset_t all, before;
        int r;

        (void)sigfillset(&all);
        if (sigprocmask(SIG_BLOCK, &all, &before) < 0)
                return negative_errno();
        r = ioctl(fd, RNDADDENTROPY, request) < 0 ? negative_errno() : 0;
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}

int random_add(KernelRandom *random, const uint8_t *bytes, size_t length, uint32_t bits) {
        struct rand_pool_info header = {};
        int r;

        if (length == 0 || length > RANDOM_ADD_MAX_BYTES || bits > 8 * length)
                return -EINVAL;

        header.entropy_count = (int)bits;
        header.buf_size = (int)length;
        memcpy(random->request->bytes, &header, sizeof(header));
        memcpy(random->request->bytes + sizeof(header), bytes, length);
        r = add_with_signals_blocked(random->fd, (void *)random->request->bytes);
        secret_wipe(random->request);
        return r;
}

int random_reseed(const KernelRandom *random) {
        return ioctl(random->fd, RNDRESEEDCRNG) < 0 ? negative_errno() : 0;
}

int random_pool_bits(const RootDir *root, uint32_t *ret_bits) {
        return rootdir_read_u32(root, SYSCTL_DIRECTORY "poolsize", ret_bits);
}

int random_threshold_bits(const RootDir *root, uint32_t *ret_bits) {
        return rootdir_read_u32(root, SYSCTL_DIRECTORY "write_wakeup_threshold", ret_bits);
}

int random_set_threshold_bits(const RootDir *root, uint32_t bits) {
        char text[16];

        (void)snprintf(text, sizeof(text), "%u", bits);
        return rootdir_write_text(root, SYSCTL_DIRECTORY "write_wakeup_threshold", text);
}
