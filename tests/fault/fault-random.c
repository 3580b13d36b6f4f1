/* SPDX-License-Identifier: MIT */
/* A kernel that refuses, interrupts, or is so old that it has no getrandom(). */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/rootdir.h"
#include "lib/base/secret.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static short revents;
static int negative_level;

/* The kernel's part: takes everything, whatever the machine says. */
static int fault_ioctl(int fd, unsigned long number, ...) {
        va_list args;
        int *value;

        va_start(args, number);
        value = va_arg(args, int *);
        va_end(args);
        if ((number & 0xff) == 0 && !fault_now()) { /* RNDGETENTCNT */
                *value = negative_level ? -1 : 123;
                return 0;
        }
        return (number & 0xff) == 0 ? -1 : FAULT(-1, 0);
}

static ssize_t fault_getrandom(void *buffer, size_t size, unsigned flags) {
        CU_ASSERT(flags & GRND_NONBLOCK);
        return FAULT(-1, (ssize_t)size);
}

static int fault_poll(struct pollfd *entries, nfds_t n_entries, int timeout_msec) {
        CU_ASSERT_EQUAL(timeout_msec, 0);
        entries[0].revents = revents;
        return FAULT(-1, 1);
}

static int fault_sigprocmask(int how, const sigset_t *set, sigset_t *before) {
        return FAULT(-1, sigprocmask(how, set, before));
}

static int fault_secret_new(size_t size_bytes, Secret **ret_secret) {
        return FAULT(-ENOMEM, secret_new(size_bytes, ret_secret));
}

static int fault_open_file(const RootDir *root, const char *path, int flags) {
        return FAULT(-EIO, rootdir_open_file(root, path, flags));
}

#define ioctl             fault_ioctl
#define getrandom         fault_getrandom
#define poll              fault_poll
#define sigprocmask       fault_sigprocmask
#define secret_new        fault_secret_new
#define rootdir_open_file fault_open_file
#include "lib/kernel/random.c"
#undef ioctl
#undef getrandom
#undef poll
#undef sigprocmask
#undef secret_new
#undef rootdir_open_file

static Secret *request;
static KernelRandom rng;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(secret_new(8192, &request), 0);
        rng = (KernelRandom){ .fd = 1000, .request = request };
        revents = 0;
        negative_level = 0;
}

static void teardown(void) {
        request = secret_free(request);
}

static bool is_wiped(void) {
        for (size_t i = 0; i < request->size_bytes; i++)
                if (request->bytes[i] != 0)
                        return false;
        return true;
}

static void test_open(void) {
        RootDir root = ROOTDIR_NULL;

        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        FAULT_EACH(error, EIO) {
                KernelRandom opened = KERNEL_RANDOM_NULL;
                int r;

                r = random_open(&root, &opened);
                if (fault_hit()) {
                        CU_ASSERT(r == -ENOMEM || r == -EIO);
                        CU_ASSERT_EQUAL(opened.fd, -1);
                        CU_ASSERT_PTR_NULL(opened.request);
                } else
                        CU_ASSERT_EQUAL(r, 0);
                random_close(&opened);
        }
        rootdir_close(&root);
}

static void test_add(void) {
        static const int errors[] = { EPERM, EFAULT, EINVAL };
        static const uint8_t bytes[64] = { 1, 2, 3 };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                FAULT_EACH(error, errors[i]) {
                        sigset_t before, after;
                        int r;

                        (void)sigprocmask(SIG_SETMASK, NULL, &before);
                        r = random_add(&rng, bytes, sizeof(bytes), 512);
                        (void)sigprocmask(SIG_SETMASK, NULL, &after);
                        /* The third call puts the mask back; the bytes are with the kernel by then. */
                        CU_ASSERT_EQUAL(r, fault_hit() && fault_at < 3 ? -errors[i] : 0);
                        CU_ASSERT(is_wiped());
                        if (fault_at == 3)
                                (void)sigprocmask(SIG_SETMASK, &before, NULL);
                        else
                                CU_ASSERT_EQUAL(sigismember(&after, SIGTERM), 0);
                }
}

static void test_questions(void) {
        FAULT_EACH(error, EPERM) {
                CU_ASSERT_EQUAL(random_check_permission(&rng), fault_hit() ? -EPERM : 0);
        }
        FAULT_EACH(error, ENODATA) {
                CU_ASSERT_EQUAL(random_reseed(&rng), fault_hit() ? -ENODATA : 0);
        }
        FAULT_EACH(error, EIO) {
                uint32_t bits = 7;
                int r;

                r = random_level_bits(&rng, &bits);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(bits, fault_hit() ? 7 : 123);
        }
        FAULT_EACH(error, EINTR) {
                uint32_t mask = 7;
                int r;

                revents = POLLIN | POLLERR;
                r = random_poll(&rng, &mask);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EINTR : 0);
                CU_ASSERT_EQUAL(mask, fault_hit() ? 7 : POLLIN);
        }
}

static void test_negative_level(void) {
        uint32_t bits = 7;

        negative_level = 1;
        CU_ASSERT_EQUAL(random_level_bits(&rng, &bits), -EIO);
        CU_ASSERT_EQUAL(bits, 7);
}

static void test_ready(void) {
        static const struct {
                int error;
                short revents;
                bool ready;
        } rows[] = {
                { EAGAIN, 0, false },       { EAGAIN, POLLIN, false }, { EINTR, POLLIN, false },
                { ENOSYS, POLLOUT, false }, { ENOSYS, POLLIN, true },  { ENOSYS, 0, false },
        };

        CU_ASSERT(random_is_ready(&rng));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("errno %d, revents %d", rows[i].error, rows[i].revents);
                revents = rows[i].revents;
                (void)fault_first(rows[i].error);
                CU_ASSERT_EQUAL(random_is_ready(&rng), rows[i].ready);
                fault_at = 0;
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_open),           HARNESS_TEST(test_add),   HARNESS_TEST(test_questions),
        HARNESS_TEST(test_negative_level), HARNESS_TEST(test_ready), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("random", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
