/* SPDX-License-Identifier: MIT */
/* The whole way of a batch, up to the ioctls: those are the test's own and write down what came. */
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

static int test_ioctl(int fd, unsigned long request, ...);

#define ioctl test_ioctl
#include "lib/kernel/random.c"
#undef ioctl

#include "lib/feed/feeder.h"
#include "tests/unit/harness.h"

typedef struct Kernel {
        unsigned n_added, n_reseeded;
        int bits;
        int length;
        uint8_t bytes[RANDOM_ADD_MAX_BYTES];
        int add_errno, reseed_errno; /* 0: works */
} Kernel;

static Kernel kernel;
static Secret *request;
static KernelRandom rng;
static Counters counters;
static Health health;
static Batch batch;
static FeedReport report;
static uint8_t good[4096];
static uint32_t seed;

static int test_ioctl(int fd, unsigned long number, ...) {
        const struct rand_pool_info *info;
        va_list args;

        if (number == RNDRESEEDCRNG) {
                kernel.n_reseeded++;
                errno = kernel.reseed_errno;
                return errno ? -1 : 0;
        }
        CU_ASSERT_EQUAL_FATAL(number, RNDADDENTROPY);
        va_start(args, number);
        info = va_arg(args, void *);
        va_end(args);

        kernel.n_added++;
        kernel.bits = info->entropy_count;
        kernel.length = info->buf_size;
        CU_ASSERT_FATAL(info->buf_size > 0 && (size_t)info->buf_size <= sizeof(kernel.bytes));
        memcpy(kernel.bytes, info->buf, (size_t)info->buf_size);
        /* Never, whatever happened before. */
        CU_ASSERT(info->entropy_count >= 0 && info->entropy_count <= 8 * info->buf_size);
        errno = kernel.add_errno;
        return errno ? -1 : 0;
}

/* Good enough for the health tests, and the same each time. */
static uint32_t next_random(void) {
        seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
        return seed >> 8;
}

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(secret_new(4096 + sizeof(struct rand_pool_info), &request), 0);
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        kernel = (Kernel){};
        rng = (KernelRandom){ .fd = 1000, .request = request };
        counters = (Counters){};
        report = (FeedReport){ .n_bytes = 777 };
        seed = 4711;
        for (size_t i = 0; i < sizeof(good); i++)
                good[i] = (uint8_t)next_random();
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

static const CreditInput full = {
        .source_class = SOURCE_CLASS_LOCAL_HARDWARE,
        .fresh = true,
        .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
        .override_per_1024 = CREDIT_OVERRIDE_NONE,
};

static int feed_some(const uint8_t *bytes, size_t length, CreditInput credit, bool reseed) {
        const Feeder feeder = { .random = &rng, .counters = &counters };
        int r;

        batch.source = SOURCE_HWRNG;
        batch.length = length;
        batch.asked_usec = 1000;
        batch.arrived_usec = 3000;
        memcpy(batch.secret->bytes, bytes, length);
        r = feeder_feed(&feeder, &health, &batch, credit, reseed, &report);
        /* Whatever came of it, nothing stays. */
        CU_ASSERT(is_wiped(batch.secret));
        CU_ASSERT(is_wiped(request));
        return r;
}

static void start_health(const CreditInput *credit) {
        health_init(&health, credit_per_1024(credit));
}

static void test_healthy(void) {
        const SourceCounters *entry = &counters.entries[SOURCE_HWRNG];

        start_health(&full);
        CU_ASSERT_EQUAL(feed_some(good, 64, full, true), 0);
        CU_ASSERT_EQUAL(kernel.n_added, 1);
        CU_ASSERT_EQUAL(kernel.n_reseeded, 1);
        CU_ASSERT_EQUAL(kernel.bits, 512);
        CU_ASSERT_EQUAL(kernel.length, 64);
        CU_ASSERT_EQUAL(memcmp(kernel.bytes, good, 64), 0);
        CU_ASSERT_EQUAL(report.n_bytes, 64);
        CU_ASSERT_EQUAL(report.credited_bits, 512);
        CU_ASSERT(report.reseeded);
        CU_ASSERT_EQUAL(report.reseed_error, 0);
        CU_ASSERT_EQUAL(entry->batches, 1);
        CU_ASSERT_EQUAL(entry->bytes, 64);
        CU_ASSERT_EQUAL(entry->credited_bits, 512);
        CU_ASSERT_EQUAL(entry->busy_usec, 2000);
        CU_ASSERT(counters.last_feed.any && counters.last_feed.reseeded);

        CU_ASSERT_EQUAL(feed_some(good + 64, 512, full, false), 0);
        CU_ASSERT_EQUAL(kernel.n_reseeded, 1);
        CU_ASSERT_EQUAL(kernel.bits, 4096);
        CU_ASSERT_FALSE(report.reseeded);
}

static void test_zeroes(void) {
        static const uint8_t zeroes[64];

        start_health(&full);
        CU_ASSERT_EQUAL(feed_some(zeroes, 64, full, true), FEED_E_BROKEN);
        CU_ASSERT_EQUAL(kernel.n_added, 0);
        CU_ASSERT_EQUAL(kernel.n_reseeded, 0);
        CU_ASSERT_EQUAL(report.n_bytes, 777);
        CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].health_failures, 1);
        CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].batches, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(counters.entries[SOURCE_HWRNG].last_error, "health"));
        CU_ASSERT_FALSE(counters.last_feed.any);

        /* Once broken, good bytes do not mend it. */
        CU_ASSERT_EQUAL(feed_some(good, 64, full, true), FEED_E_BROKEN);
        CU_ASSERT_EQUAL(kernel.n_added, 0);
}

static void test_unhealthy_once(void) {
        uint8_t bytes[64];

        start_health(&full);
        memcpy(bytes, good, sizeof(bytes));
        memset(bytes + 20, 0x42, 6); /* six of a kind: a chance of 2^-40 */
        CU_ASSERT_EQUAL(feed_some(bytes, 64, full, true), FEED_E_UNHEALTHY);
        CU_ASSERT_EQUAL(kernel.n_added, 0);
        CU_ASSERT_EQUAL(feed_some(good + 64, 64, full, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 512);
}

static void test_short(void) {
        start_health(&full);
        CU_ASSERT_EQUAL(feed_some(good, 31, full, true), FEED_E_UNTESTED);
        CU_ASSERT_EQUAL(kernel.bits, 0);
        CU_ASSERT_EQUAL(kernel.length, 31);
        CU_ASSERT_EQUAL(memcmp(kernel.bytes, good, 31), 0);
        CU_ASSERT_EQUAL(report.n_bytes, 31);
        CU_ASSERT_EQUAL(report.credited_bits, 0);
}

/* Half the quality: the same bytes, half the bits. The kernel hashes them itself. */
static void test_half_quality(void) {
        CreditInput credit = full;

        credit.quality_per_1024 = 512;
        start_health(&credit);
        CU_ASSERT_EQUAL(feed_some(good, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.length, 64);
        CU_ASSERT_EQUAL(kernel.bits, 256);
        CU_ASSERT_EQUAL(memcmp(kernel.bytes, good, 64), 0);
        CU_ASSERT_EQUAL(report.n_bytes, 64);
        CU_ASSERT_EQUAL(report.credited_bits, 256);
}

/* What may be older than a copy of this machine goes first, and without credit. */
static void test_stale(void) {
        static const struct {
                size_t length, stale;
                unsigned n_added;
                int bits;
                CreditReason reason;
        } rows[] = {
                { 192, 128, 2, 512, CREDIT_GRANTED }, { 160, 128, 2, 256, CREDIT_GRANTED },
                { 159, 128, 1, 0, CREDIT_NO_STALE },  { 128, 128, 1, 0, CREDIT_NO_STALE },
                { 5, 5, 1, 0, CREDIT_NO_STALE },      { 64, 0, 1, 512, CREDIT_GRANTED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%zu bytes, %zu of them stale", rows[i].length, rows[i].stale);
                start_health(&full);
                kernel.n_added = 0;
                batch.stale_bytes = rows[i].stale;
                CU_ASSERT(feed_some(good, rows[i].length, full, true) >= 0);
                CU_ASSERT_EQUAL(kernel.n_added, rows[i].n_added);
                CU_ASSERT_EQUAL(kernel.bits, rows[i].bits);
                CU_ASSERT_EQUAL(report.reason, rows[i].reason);
                CU_ASSERT_EQUAL(report.n_bytes, rows[i].length);
                if (rows[i].n_added == 2) {
                        CU_ASSERT_EQUAL(
                                memcmp(kernel.bytes, good + rows[i].stale, (size_t)kernel.length),
                                0);
                }
        }
        batch.stale_bytes = 0;
}

static void test_no_credit(void) {
        CreditInput credit = full;

        credit.override_per_1024 = 0;
        start_health(&credit);
        CU_ASSERT_EQUAL(feed_some(good, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 0);
        CU_ASSERT_EQUAL(kernel.length, 64);
        CU_ASSERT_EQUAL(memcmp(kernel.bytes, good, 64), 0);

        /* A claim so low that it is worth not one bit. */
        credit.override_per_1024 = 1;
        CU_ASSERT_EQUAL(feed_some(good + 64, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 0);
        CU_ASSERT_EQUAL(report.reason, CREDIT_NO_LENGTH);
        CU_ASSERT_EQUAL(kernel.length, 64);
}

static void test_not_fresh(void) {
        CreditInput credit = full;

        credit.fresh = false;
        start_health(&credit);
        CU_ASSERT_EQUAL(feed_some(good, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 0);
        credit.fresh = true;
        credit.confidential_guest = true;
        credit.source_class = SOURCE_CLASS_LIVE_HOST;
        CU_ASSERT_EQUAL(feed_some(good + 64, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 0);
}

/* The caller cannot talk it into credit: health and length are the feeder's own finding. */
static void test_caller_lies(void) {
        static const uint8_t zeroes[64];
        CreditInput credit = full;

        credit.healthy = true;
        credit.length_bytes = 1000000;
        start_health(&credit);
        CU_ASSERT_EQUAL(feed_some(good, 64, credit, true), 0);
        CU_ASSERT_EQUAL(kernel.bits, 512);
        CU_ASSERT_EQUAL(feed_some(zeroes, 64, credit, true), FEED_E_BROKEN);
        CU_ASSERT_EQUAL(kernel.n_added, 1);
}

static void test_kernel_refuses(void) {
        static const int errors[] = { EPERM, EFAULT, EINVAL };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                start_health(&full);
                kernel.add_errno = errors[i];
                harness_row("errno %d", errors[i]);
                CU_ASSERT_EQUAL(feed_some(good, 64, full, true), -errors[i]);
                CU_ASSERT_EQUAL(kernel.n_reseeded, 0);
                CU_ASSERT_EQUAL(report.n_bytes, 777);
                CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].batches, 0);
                CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].credited_bits, 0);
                CU_ASSERT_FALSE(counters.last_feed.any);
        }
}

static void test_reseed_refused(void) {
        static const int errors[] = { ENODATA, EINVAL, EPERM };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                start_health(&full);
                kernel.reseed_errno = errors[i];
                CU_ASSERT_EQUAL(feed_some(good, 64, full, true), 0);
                CU_ASSERT_FALSE(report.reseeded);
                CU_ASSERT_EQUAL(report.reseed_error, -errors[i]);
                CU_ASSERT_EQUAL(report.credited_bits, 512);
                CU_ASSERT_FALSE(counters.last_feed.reseeded);
        }
}

/*
 * Batches of all lengths and kinds at all claims, and a kernel that fails now and then: the credit
 * never exceeds eight bits a byte (test_ioctl checks), and only healthy batches get any.
 */
static void test_property(void) {
        uint64_t credited_bits = 0;

        for (unsigned i = 0; i < 20000; i++) {
                CreditInput credit = full;
                uint8_t bytes[512];
                size_t length = 1 + next_random() % sizeof(bytes);
                unsigned kind = next_random() % 6;
                int r;

                if (i % 16 == 0) {
                        credit.quality_per_1024 = next_random() % 1500;
                        start_health(&credit);
                }
                credit.source_class = (SourceClass)(next_random() % _SOURCE_CLASS_MAX);
                credit.fresh = next_random() % 4 > 0;
                credit.quality_per_1024 = next_random() % 1500;
                credit.override_per_1024 =
                        next_random() % 2 ? CREDIT_OVERRIDE_NONE : next_random() % 3000;
                kernel.add_errno = next_random() % 8 == 0 ? EFAULT : 0;
                kernel.reseed_errno = next_random() % 8 == 0 ? ENODATA : 0;
                for (size_t j = 0; j < length; j++)
                        bytes[j] = kind == 0 ? 0 : kind == 1 ? (uint8_t)j : (uint8_t)next_random();

                kernel.n_added = 0;
                report = (FeedReport){};
                r = feed_some(bytes, length, credit, next_random() % 2);
                CU_ASSERT(kernel.n_added <= 1);
                CU_ASSERT(report.credited_bits <= 8 * length);
                CU_ASSERT(r == 0 || report.credited_bits == 0);
                if (r == FEED_E_UNHEALTHY || r == FEED_E_BROKEN || length < HEALTH_MIN_BATCH_BYTES)
                        CU_ASSERT_EQUAL(report.credited_bits, 0);
                if (r == FEED_E_UNHEALTHY || r == FEED_E_BROKEN)
                        CU_ASSERT_EQUAL(kernel.n_added, 0);
                CU_ASSERT(r != 0 || kernel.bits == (int)report.credited_bits);
                credited_bits += report.credited_bits;
        }
        CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].credited_bits, credited_bits);
        CU_ASSERT(credited_bits > 1000000);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_healthy),
        HARNESS_TEST(test_zeroes),
        HARNESS_TEST(test_unhealthy_once),
        HARNESS_TEST(test_short),
        HARNESS_TEST(test_half_quality),
        HARNESS_TEST(test_stale),
        HARNESS_TEST(test_no_credit),
        HARNESS_TEST(test_not_fresh),
        HARNESS_TEST(test_caller_lies),
        HARNESS_TEST(test_kernel_refuses),
        HARNESS_TEST(test_reseed_refused),
        HARNESS_TEST(test_property),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("feeder", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
