/* SPDX-License-Identifier: MIT */
/* The real RNG of this machine's kernel; what it cannot be made to do is in fault-random.c. */
#include <poll.h>
#include <signal.h>

#include "lib/kernel/random.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static RootDir root = ROOTDIR_NULL, scratch = ROOTDIR_NULL;
static KernelRandom rng = KERNEL_RANDOM_NULL;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &scratch), 0);
        CU_ASSERT_EQUAL_FATAL(random_open(&root, &rng), 0);
}

static void teardown(void) {
        random_close(&rng);
        rootdir_close(&root);
        rootdir_close(&scratch);
        scratch_teardown();
}

static bool may_feed(void) {
        return random_check_permission(&rng) == 0;
}

static void test_open(void) {
        KernelRandom none = KERNEL_RANDOM_NULL;

        CU_ASSERT_EQUAL(random_open(&scratch, &none), -ENOENT);
        CU_ASSERT_EQUAL(none.fd, -1);
        CU_ASSERT_PTR_NULL(none.request);
        random_close(&none);
}

static void test_state(void) {
        uint32_t level_bits = UINT32_MAX, pool_bits, mask = 0;

        CU_ASSERT_EQUAL(random_level_bits(&rng, &level_bits), 0);
        CU_ASSERT(level_bits <= 4096);
        CU_ASSERT_EQUAL(random_pool_bits(&root, &pool_bits), 0);
        CU_ASSERT(pool_bits == 256 || pool_bits == 4096);
        CU_ASSERT(level_bits <= pool_bits);
        CU_ASSERT_EQUAL(random_poll(&rng, &mask), 0);
        CU_ASSERT_EQUAL(mask & ~(uint32_t)(POLLIN | POLLOUT), 0);
        /* A machine that runs tests has had its bytes. */
        CU_ASSERT(random_is_ready(&rng));
        CU_ASSERT(pool_bits == 4096 || (mask & POLLIN));
}

static void test_bad_fd(void) {
        KernelRandom closed = { .fd = -1, .request = rng.request };
        uint32_t value = 7;

        CU_ASSERT_EQUAL(random_level_bits(&closed, &value), -EBADF);
        CU_ASSERT_EQUAL(random_check_permission(&closed), -EBADF);
        CU_ASSERT_EQUAL(random_reseed(&closed), -EBADF);
        CU_ASSERT_EQUAL(random_add(&closed, (const uint8_t *)"x", 1, 0), -EBADF);
        CU_ASSERT_EQUAL(value, 7);
}

static void test_refused(void) {
        static const uint8_t bytes[RANDOM_ADD_MAX_BYTES + 1];

        CU_ASSERT_EQUAL(random_add(&rng, bytes, 0, 0), -EINVAL);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, sizeof(bytes), 0), -EINVAL);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, 4, 33), -EINVAL);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, 1, UINT32_MAX), -EINVAL);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, SIZE_MAX, 8), -EINVAL);
}

static bool is_wiped(const Secret *secret) {
        for (size_t i = 0; i < secret->size_bytes; i++)
                if (secret->bytes[i] != 0)
                        return false;
        return true;
}

static void test_add(void) {
        uint8_t bytes[RANDOM_ADD_MAX_BYTES];
        sigset_t before, after;
        uint32_t level_bits;

        if (!may_feed())
                HARNESS_SKIP("only root may feed this kernel");

        memset(bytes, 0x5a, sizeof(bytes));
        CU_ASSERT_EQUAL(sigprocmask(SIG_SETMASK, NULL, &before), 0);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, 1, 0), 0);
        CU_ASSERT_EQUAL(random_add(&rng, bytes, sizeof(bytes), 0), 0);
        /* What it credits must be true here as everywhere: nothing for these. */
        CU_ASSERT(is_wiped(rng.request));
        CU_ASSERT_EQUAL(sigprocmask(SIG_SETMASK, NULL, &after), 0);
        for (int number = 1; number < NSIG; number++)
                CU_ASSERT_EQUAL(sigismember(&before, number), sigismember(&after, number));
        CU_ASSERT_EQUAL(random_level_bits(&rng, &level_bits), 0);
        CU_ASSERT_EQUAL(random_reseed(&rng), 0);
}

static int nobody_adds(void *userdata) {
        const uint8_t byte = 0;

        if (setgid(65534) < 0 || setuid(65534) < 0)
                return 2;
        if (random_check_permission(&rng) != -EPERM)
                return 3;
        /* Its own copy of the request was wiped at fork, and it may not feed. */
        return random_add(&rng, &byte, 1, 0) == -EPERM && random_reseed(&rng) == -EPERM ? 0 : 1;
}

static void test_permission(void) {
        if (geteuid() != 0)
                HARNESS_SKIP("only root can become another user");
        CU_ASSERT_EQUAL(scratch_in_child(nobody_adds, NULL), 0);
}

static void test_threshold(void) {
        uint32_t bits = 7;

        CU_ASSERT_EQUAL(random_threshold_bits(&scratch, &bits), -ENOENT);
        CU_ASSERT_EQUAL(random_set_threshold_bits(&scratch, 1), -ENOENT);
        CU_ASSERT_EQUAL(random_pool_bits(&scratch, &bits), -ENOENT);
        CU_ASSERT_EQUAL(bits, 7);

        (void)scratch_write("proc/sys/kernel/random/write_wakeup_threshold", "896\n");
        (void)scratch_write("proc/sys/kernel/random/poolsize", "4096\n");
        CU_ASSERT_EQUAL(random_threshold_bits(&scratch, &bits), 0);
        CU_ASSERT_EQUAL(bits, 896);
        CU_ASSERT_EQUAL(random_set_threshold_bits(&scratch, 3072), 0);
        CU_ASSERT_EQUAL(random_threshold_bits(&scratch, &bits), 0);
        CU_ASSERT_EQUAL(bits, 3072);
        CU_ASSERT_EQUAL(random_pool_bits(&scratch, &bits), 0);
        CU_ASSERT_EQUAL(bits, 4096);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_open),      HARNESS_TEST(test_state), HARNESS_TEST(test_bad_fd),
        HARNESS_TEST(test_refused),   HARNESS_TEST(test_add),   HARNESS_TEST(test_permission),
        HARNESS_TEST(test_threshold), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("random", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
