/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's random number generator as random(4) offers it: the only code that issues its
 * ioctls. What the numbers mean on which kernel is decided in lib/policy/refill.h.
 *
 * Nothing here starts the kernel's own jitter loop: no blocking getrandom(), no read of
 * /dev/random or /dev/urandom (either does, before the RNG is ready, since Linux 5.18).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/base/secret.h"

/* Linux 5.6 and the stable kernels that took its RNG; older headers lack it. */
#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004
#endif

/*
 * RNDADDENTROPY stops after each page of 4096 bytes when a signal is pending, and then answers
 * EFAULT without any credit (Linux 5.18 and later).
 */
#define RANDOM_ADD_MAX_BYTES 4096U

typedef struct KernelRandom {
        int fd;          /* /dev/random: the one device of the two that can be polled */
        Secret *request; /* struct rand_pool_info and its bytes */
} KernelRandom;

#define KERNEL_RANDOM_NULL \
        { .fd = -1 }

_must_check_ int random_open(const RootDir *root, KernelRandom *ret_random);
void random_close(KernelRandom *random);

/*
 * -EPERM without CAP_SYS_ADMIN in the initial user namespace, as in most containers. Asks by
 * crediting nothing, which has no effect.
 */
_must_check_ int random_check_permission(const KernelRandom *random);

/* entropy_avail in bits. On latching kernels this is the progress to ready, not a fill level. A
 * caller may ignore a failure: what it had in ret_bits stays. */
int random_level_bits(const KernelRandom *random, uint32_t *ret_bits);

/*
 * Whether getrandom() would return at once: 1 or 0, or -ENOSYS where the kernel has no such call. Asked
 * with GRND_NONBLOCK, never waits. random_is_ready() takes the nearest sign there instead.
 */
int random_getrandom_works(void);
bool random_is_ready(const KernelRandom *random);

/*
 * Whether this kernel makes itself ready from its own jitter as soon as somebody waits: Linux 5.4 and
 * later, and the stable kernels that took over its random.c. They are told by GRND_INSECURE of Linux 5.6;
 * of those that have it, some lack a cycle counter and, older ones of Ubuntu, the jitter.
 */
bool random_makes_jitter(void);

/* POLLIN and POLLOUT as /dev/random shows them now; failures as above. */
int random_poll(const KernelRandom *random, uint32_t *ret_mask);

/*
 * Mixes the bytes in and credits bits for them. -EINVAL if bits exceed 8 * length (the kernel does
 * not check that) or length exceeds RANDOM_ADD_MAX_BYTES; -EPERM without CAP_SYS_ADMIN.
 */
_must_check_ int random_add(
        KernelRandom *random,
        const uint8_t *bytes,
        size_t length,
        uint32_t bits);

/*
 * Makes what was added reach getrandom() now instead of at the kernel's next reseed (up to 60 s).
 * -ENODATA before the RNG is ready, -EINVAL before Linux 4.17.
 */
_must_check_ int random_reseed(const KernelRandom *random);

/* sysctls of /proc/sys/kernel/random; -ENOENT where /proc is not there. */
_must_check_ int random_pool_bits(const RootDir *root, uint32_t *ret_bits);
_must_check_ int random_threshold_bits(const RootDir *root, uint32_t *ret_bits);
_must_check_ int random_set_threshold_bits(const RootDir *root, uint32_t bits);
