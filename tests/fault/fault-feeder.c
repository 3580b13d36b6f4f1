/* SPDX-License-Identifier: MIT */
/* Whatever fails on the way of a batch: no credit, the batch wiped, the report untouched. */
#include <linux/random.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/base/secret.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static unsigned n_added;
static int added_bits;
static bool reseed_failed;

static int fault_ioctl(int fd, unsigned long number, ...) {
        const struct rand_pool_info *info;
        va_list args;

        if (number != RNDADDENTROPY) {
                reseed_failed = FAULT(true, false);
                return reseed_failed ? -1 : 0;
        }
        va_start(args, number);
        info = va_arg(args, void *);
        va_end(args);
        if (fault_now())
                return -1;
        n_added++;
        added_bits = info->entropy_count;
        return 0;
}

static int fault_sigprocmask(int how, const sigset_t *set, sigset_t *before) {
        return FAULT(-1, sigprocmask(how, set, before));
}

#define ioctl       fault_ioctl
#define sigprocmask fault_sigprocmask
#include "lib/feed/feeder.c"
#include "lib/kernel/random.c"
#undef ioctl
#undef sigprocmask

static Secret *request;
static KernelRandom rng;
static Counters counters;
static Batch batch;
static size_t stale_bytes; /* of the next batch */

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(secret_new(8192, &request), 0);
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        rng = (KernelRandom){ .fd = 1000, .request = request };
}

static void teardown(void) {
        request = secret_free(request);
        batch_deinit(&batch);
}

static bool is_wiped(const Secret *secret) {
        for (size_t i = 0; i < secret->size_bytes; i++)
                if (secret->bytes[i] != 0)
                        return false;
        return true;
}

static void fill_batch(void) {
        uint32_t state = 4711;

        for (size_t i = 0; i < 64; i++) {
                state = state * UINT32_C(1664525) + UINT32_C(1013904223);
                batch.secret->bytes[i] = (uint8_t)(state >> 16);
        }
        batch.length = 64;
        batch.stale_bytes = stale_bytes;
        batch.source = SOURCE_CPU;
}

/* The signal mask is put back behind the ioctl: the bytes are with the kernel then. */
static void check(CreditInput credit, uint32_t expected_bits) {
        const Feeder feeder = { .random = &rng, .counters = &counters };
        sigset_t mask;

        (void)sigprocmask(SIG_SETMASK, NULL, &mask);
        FAULT_EACH(error, EFAULT) {
                FeedReport report = { .n_bytes = 777, .credited_bits = 777 };
                Health health;
                int r;

                health_init(&health, credit_per_1024(&credit));
                counters = (Counters){};
                n_added = 0;
                added_bits = 0;
                reseed_failed = false;
                fill_batch();
                r = feeder_feed(&feeder, &health, &batch, credit, true, &report);
                (void)sigprocmask(SIG_SETMASK, &mask, NULL);

                harness_row("at %u: %d", fault_at, r);
                CU_ASSERT(is_wiped(batch.secret));
                CU_ASSERT(is_wiped(request));
                CU_ASSERT(r <= 0);
                /* A part that is stale may be in when the rest fails: it has no credit. */
                CU_ASSERT(r < 0 ? n_added <= 1 : n_added == (stale_bytes > 0 ? 2 : 1));
                CU_ASSERT_EQUAL(counters.entries[SOURCE_CPU].batches, r == 0 ? 1 : 0);
                CU_ASSERT_EQUAL(
                        counters.entries[SOURCE_CPU].credited_bits,
                        r == 0 ? expected_bits : 0);
                CU_ASSERT_EQUAL(report.credited_bits, r == 0 ? expected_bits : 777);
                CU_ASSERT_EQUAL(added_bits, r == 0 ? (int)expected_bits : 0); /* of the last */
                CU_ASSERT(r < 0 || report.reseeded == !reseed_failed);
                CU_ASSERT(r == 0 || fault_hit());
        }
}

static void test_half_quality(void) {
        check((CreditInput){ .source_class = SOURCE_CLASS_LOCAL_HARDWARE,
                             .fresh = true,
                             .quality_per_1024 = 512,
                             .override_per_1024 = CREDIT_OVERRIDE_NONE },
              256);
}

static void test_full(void) {
        check((CreditInput){ .source_class = SOURCE_CLASS_LOCAL_HARDWARE,
                             .fresh = true,
                             .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                             .override_per_1024 = CREDIT_OVERRIDE_NONE },
              512);
}

static void test_stale(void) {
        stale_bytes = 32;
        check((CreditInput){ .source_class = SOURCE_CLASS_LOCAL_HARDWARE,
                             .fresh = true,
                             .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                             .override_per_1024 = CREDIT_OVERRIDE_NONE },
              256);
        stale_bytes = 0;
}

static void test_batch(void) {
        Batch other = { .length = 7 };

        /* batch.c itself is not renamed: only that it needs nothing freed. */
        CU_ASSERT_EQUAL(batch_init(&other), 0);
        CU_ASSERT_EQUAL(other.length, 0);
        CU_ASSERT_EQUAL(other.secret->size_bytes, SOURCE_READ_MAX_BYTES);
        batch_deinit(&other);
        batch_deinit(&other);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_half_quality), HARNESS_TEST(test_full), HARNESS_TEST(test_stale),
        HARNESS_TEST(test_batch),        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("feeder", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
