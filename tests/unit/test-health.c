/* SPDX-License-Identifier: MIT */
/*
 * Both sides of the health tests: what keeps its claim passes, at a rate that is computed and not
 * hoped for, and what an attacker or a broken device would deliver is refused, from the first batch
 * where that is possible.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/policy/health.h"
#include "tests/unit/harness.h"

#define GOOD_BYTES    (64U << 20)
#define BUFFER_BYTES  (1U << 20)
#define CLAIM_BYTES   (256U << 10)
#define GOOD_SECONDS  2
#define FULL_QUALITY  1024U
#define QUALITY_STEP  64U
#define NEVER         SIZE_MAX
#define PATTERN_BYTES 4096U

static uint64_t generator_state = 1;

static uint64_t generate(void) {
        generator_state ^= generator_state >> 12;
        generator_state ^= generator_state << 25;
        generator_state ^= generator_state >> 27;
        return generator_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void fill_good(uint8_t *bytes, size_t n) {
        for (size_t i = 0; i < n; i++)
                bytes[i] = (uint8_t)(generate() >> 56);
}

static void fill_period(uint8_t *bytes, size_t n, size_t period) {
        fill_good(bytes, MIN(n, period));
        for (size_t i = period; i < n; i++)
                bytes[i] = bytes[i - period];
}

static void fill_counter(
        uint8_t *bytes,
        size_t n,
        size_t width,
        bool is_big_endian,
        uint64_t step) {
        uint64_t value = generate();

        for (size_t i = 0; i < n; i++) {
                size_t digit = is_big_endian ? width - 1 - i % width : i % width;

                bytes[i] = (uint8_t)(value >> (8 * digit));
                if (i % width == width - 1)
                        value += step;
        }
}

/* One value as likely as a claim of half_bits / 2 bits per byte allows (a little more, since it is
 * among the others too), the others alike. */
static void fill_at_claim(uint8_t *bytes, size_t n, unsigned half_bits) {
        uint64_t likely = UINT64_C(1) << (62 - half_bits / 2);

        /* 2^-0.5, to 2^-32 and rounded down */
        if (half_bits % 2 != 0)
                likely = (likely >> 32) * UINT64_C(3037000499) >> 32 << 32;

        for (size_t i = 0; i < n; i++)
                bytes[i] = generate() >> 2 < likely ? 0x5a : (uint8_t)(generate() >> 56);
}

/* The first batch that fails, counted from 0, or NEVER. */
static size_t first_failure(
        Health *health,
        uint32_t quality,
        const uint8_t *bytes,
        size_t n,
        size_t batch) {
        health_init(health, quality);
        for (size_t i = 0; (i + 1) * batch <= n; i++)
                if (health_test(health, bytes + i * batch, batch) >= HEALTH_INTERMITTENT)
                        return i;
        return NEVER;
}

static int64_t now_sec(void) {
        struct timespec now = {};

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec;
}

static void get_random(uint8_t *bytes, size_t n) {
        for (size_t i = 0; i < n; i += 256)
                if (getrandom(bytes + i, 256, GRND_NONBLOCK) != 256)
                        CU_FAIL("getrandom");
}

/*
 * At the full claim a byte fails by repetition with 2^-32, which is the most of all tests, so 64 MiB
 * fail 2^-6 times on average and four times with a probability of 2.4e-9. That is the limit here: a
 * test that demanded none would itself fail once in 64 runs.
 */
static void test_good_bytes_pass(void) {
        static const size_t batches[] = { 32, 64, 512, 4096 };
        static uint8_t buffer[BUFFER_BYTES];
        int64_t end_sec = now_sec() + GOOD_SECONDS;
        unsigned n_failed = 0, n_permanent = 0, n_rounds = 0;
        Health health;

        health_init(&health, FULL_QUALITY);

        /* Builds that are slowed down by sanitizers do what they can in this time. */
        for (; n_rounds < GOOD_BYTES / BUFFER_BYTES && now_sec() < end_sec; n_rounds++) {
                size_t batch = batches[n_rounds % ELEMENTSOF(batches)];

                get_random(buffer, BUFFER_BYTES);
                for (size_t i = 0; i < BUFFER_BYTES; i += batch) {
                        HealthVerdict verdict = health_test(&health, buffer + i, batch);

                        n_failed += verdict != HEALTH_PASS;
                        n_permanent += verdict == HEALTH_PERMANENT;
                }
        }

        printf("# %u MiB of good bytes, %u batches refused\n", n_rounds, n_failed);
        CU_ASSERT(n_rounds > 0);
        CU_ASSERT(n_failed <= 3);
        CU_ASSERT_EQUAL(n_permanent, 0);
}

/* The claim is what the cutoffs are for: just kept, it passes; kept by half, it does not. */
static void test_every_claim(void) {
        static uint8_t bytes[CLAIM_BYTES];
        Health health;

        for (unsigned half_bits = 1; half_bits <= 16; half_bits++) {
                uint32_t quality = half_bits * QUALITY_STEP;

                harness_row("claim of %u half bits", half_bits);
                generator_state = half_bits;
                fill_at_claim(bytes, CLAIM_BYTES, half_bits);
                CU_ASSERT_EQUAL(first_failure(&health, quality, bytes, CLAIM_BYTES, 64), NEVER);
                CU_ASSERT_EQUAL(first_failure(&health, quality, bytes, CLAIM_BYTES, 4096), NEVER);

                fill_at_claim(bytes, CLAIM_BYTES, half_bits / 2);
                CU_ASSERT(first_failure(&health, quality, bytes, CLAIM_BYTES, 64) < 1024);
        }
}

static void test_claim_is_rounded_down(void) {
        static const struct {
                uint32_t quality;
                size_t run; /* the shortest that is refused: 1 + ceil(30 / half bits * 2) */
        } rows[] = {
                { 0, 61 },   { 1, 61 },  { 63, 61 }, { 64, 61 },        { 127, 61 }, { 128, 31 },
                { 512, 9 },  { 575, 9 }, { 576, 8 }, { 1000, 5 },       { 1023, 5 }, { 1024, 5 },
                { 5000, 5 }, { 768, 6 }, { 831, 6 }, { UINT32_MAX, 5 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t run = rows[i].run - 1; run <= rows[i].run; run++) {
                        uint8_t bytes[128];
                        Health health;

                        generator_state = 5;
                        fill_good(bytes, sizeof(bytes));
                        memset(bytes + 32, bytes[31] ^ 1, run);
                        bytes[32 + run] = bytes[31];
                        harness_row("quality %u, run of %zu", rows[i].quality, run);
                        health_init(&health, rows[i].quality);
                        CU_ASSERT_EQUAL(
                                health_test(&health, bytes, sizeof(bytes)),
                                run < rows[i].run ? HEALTH_PASS : HEALTH_INTERMITTENT);
                }
}

static void test_what_is_permanent(void) {
        for (size_t run = 5; run < 20; run++) {
                uint8_t bytes[64];
                Health health;

                harness_row("run of %zu", run);
                fill_good(bytes, sizeof(bytes));
                memset(bytes + 20, bytes[19] ^ 1, run);
                bytes[20 + run] = bytes[19];
                health_init(&health, FULL_QUALITY);
                CU_ASSERT_EQUAL(
                        health_test(&health, bytes, sizeof(bytes)),
                        run < 9 ? HEALTH_INTERMITTENT : HEALTH_PERMANENT);
        }
}

static void test_stuck_values(void) {
        for (unsigned value = 0; value < 256; value++) {
                uint8_t bytes[32];
                Health health;

                harness_row("value %u", value);
                memset(bytes, (int)value, sizeof(bytes));
                health_init(&health, FULL_QUALITY);
                CU_ASSERT_EQUAL(health_test(&health, bytes, 32), HEALTH_PERMANENT);
                CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_REPETITION);
        }
}

static void test_periods_in_one_batch(void) {
        static const struct {
                uint32_t quality;
                size_t batch;
                size_t longest;
        } rows[] = {
                { 1024, 32, 23 },  { 1024, 64, 55 }, { 960, 64, 54 },
                { 1024, 512, 64 }, { 256, 64, 22 },  { 128, 256, 26 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t period = 2; period <= rows[i].longest; period++) {
                        uint8_t bytes[512];
                        Health health;

                        harness_row("period of %zu, batch of %zu", period, rows[i].batch);
                        generator_state = period;
                        fill_period(bytes, rows[i].batch, period);
                        health_init(&health, rows[i].quality);
                        CU_ASSERT(
                                health_test(&health, bytes, rows[i].batch) >= HEALTH_INTERMITTENT);
                        if (period <= 8)
                                continue;
                        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_PERIOD);
                        CU_ASSERT_EQUAL(health.failed_distance_bytes, period);
                }
}

/* Longer than the batch: `replay` knows blocks of the last 16. */
static void test_periods_over_batches(void) {
        static const size_t batches[] = { 32, 64, 100, 512 };
        static uint8_t bytes[32 * 512];
        Health health;

        for (size_t i = 0; i < ELEMENTSOF(batches); i++)
                for (size_t period = 1; period < 15 * batches[i]; period += 1 + batches[i] / 50) {
                        size_t failed;

                        harness_row("period of %zu, batches of %zu", period, batches[i]);
                        generator_state = period;
                        fill_period(bytes, 32 * batches[i], period);
                        failed = first_failure(
                                &health,
                                FULL_QUALITY,
                                bytes,
                                32 * batches[i],
                                batches[i]);
                        /* The batch in which the second period begins, or the one after it. */
                        CU_ASSERT(failed <= period / batches[i] + 1);
                }
}

static void test_counters(void) {
        static const size_t widths[] = { 1, 2, 4, 8 };
        static const uint64_t steps[] = { 1, 3, 16, 255, 256, 257, 1000, 65535 };

        for (size_t w = 0; w < ELEMENTSOF(widths); w++)
                for (size_t s = 0; s < ELEMENTSOF(steps) * 2; s++)
                        for (unsigned start = 1; start <= 50; start++) {
                                bool is_big_endian = s % 2 != 0;
                                uint8_t bytes[32];
                                Health health;

                                if (widths[w] == 1 && steps[s / 2] % 256 == 0)
                                        continue;
                                generator_state = start;
                                fill_counter(bytes, 32, widths[w], is_big_endian, steps[s / 2]);
                                harness_row(
                                        "%zu bytes, step %u, start %u",
                                        widths[w],
                                        (unsigned)steps[s / 2],
                                        start);
                                health_init(&health, FULL_QUALITY);
                                CU_ASSERT(health_test(&health, bytes, 32) >= HEALTH_INTERMITTENT);
                        }
}

static void test_counter_is_named(void) {
        uint8_t bytes[64];
        Health health;

        fill_counter(bytes, sizeof(bytes), 1, false, 7);
        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, bytes, sizeof(bytes)), HEALTH_PERMANENT);
        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_STEP);
        CU_ASSERT_EQUAL(health.failed_distance_bytes, 1);
}

static void test_poor_bytes(void) {
        static const char text[] =
                "It was a bright cold day in April, and every clock in the house was striking "
                "another hour; the administrator looked at the screen, where the same line had "
                "been standing since the morning, and wondered what the machine was waiting for. "
                "Then she typed the two commands that the manual had on its first page, and went "
                "to make some tea. When she came back, there was a prompt, and a line that told "
                "her in plain words how many bits had come from where, and how long it had taken.";
        uint8_t bytes[64 * 64];
        Health health;

        CU_ASSERT(
                first_failure(&health, FULL_QUALITY, (const uint8_t *)text, sizeof(text) - 1, 64) <
                4);

        /* three bytes of four are zero */
        fill_good(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = i % 4 == 0 ? bytes[i] : 0;
        CU_ASSERT_EQUAL(first_failure(&health, FULL_QUALITY, bytes, 32, 32), 0);

        /* one value with 1/4, which is two bits instead of eight */
        fill_at_claim(bytes, sizeof(bytes), 4);
        CU_ASSERT(first_failure(&health, FULL_QUALITY, bytes, sizeof(bytes), 64) < 16);

        /* four bits in each byte */
        fill_good(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] &= 0x0f;
        CU_ASSERT(first_failure(&health, FULL_QUALITY, bytes, sizeof(bytes), 64) < 16);
}

typedef void (*Filler)(uint8_t *bytes, size_t n);

static void fill_zeroes(uint8_t *bytes, size_t n) {
        memset(bytes, 0, n);
}

static void fill_pattern(uint8_t *bytes, size_t n) {
        fill_period(bytes, n, 16);
}

static void fill_counting(uint8_t *bytes, size_t n) {
        fill_counter(bytes, n, 4, true, 1);
}

static void test_half_of_a_batch_is_bad(void) {
        static const Filler fillers[] = { fill_zeroes, fill_pattern, fill_counting };
        static const size_t batches[] = { 64, 100, 128, 512, 4096 };

        for (size_t f = 0; f < ELEMENTSOF(fillers); f++)
                for (size_t i = 0; i < ELEMENTSOF(batches) * 2; i++) {
                        uint8_t bytes[PATTERN_BYTES];
                        size_t batch = batches[i / 2], half = batch / 2;
                        Health health;

                        harness_row("filler %zu, batch of %zu, half %zu", f, batch, i % 2);
                        generator_state = i + 1;
                        fill_good(bytes, batch);
                        fillers[f](bytes + (i % 2) * half, half);
                        health_init(&health, FULL_QUALITY);
                        CU_ASSERT(health_test(&health, bytes, batch) >= HEALTH_INTERMITTENT);
                }
}

/* However the batches before it lie in the windows. */
static void test_bad_batch_after_good_ones(void) {
        for (size_t before = 1; before <= 130; before++) {
                uint8_t bytes[256];
                Health health;

                harness_row("%zu good bytes before", before);
                generator_state = before;
                fill_good(bytes, before);
                health_init(&health, FULL_QUALITY);
                CU_ASSERT(health_test(&health, bytes, before) <= HEALTH_TOO_SHORT);
                /* Not quite the same sixteen bytes twice, so that only `period` can see it. */
                fill_pattern(bytes, 32);
                bytes[16]++;
                CU_ASSERT(health_test(&health, bytes, 32) >= HEALTH_INTERMITTENT);
                CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_PERIOD);
        }
}

static void test_same_batch_again(void) {
        static const size_t batches[] = { 32, 64, 512, 4096 };

        for (size_t i = 0; i < ELEMENTSOF(batches); i++) {
                uint8_t bytes[PATTERN_BYTES];
                Health health;

                harness_row("batch of %zu", batches[i]);
                fill_good(bytes, batches[i]);
                health_init(&health, FULL_QUALITY);
                CU_ASSERT_EQUAL(health_test(&health, bytes, batches[i]), HEALTH_PASS);
                for (unsigned n = 1; n < HEALTH_STREAK_MAX; n++) {
                        CU_ASSERT_EQUAL(
                                health_test(&health, bytes, batches[i]),
                                HEALTH_INTERMITTENT);
                        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_REPLAY);
                }
                CU_ASSERT_EQUAL(health_test(&health, bytes, batches[i]), HEALTH_PERMANENT);
                CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_STREAK);
        }
}

/* A run at quality 1024 that fails, but is no reason to retire the source. */
static void make_faulty(uint8_t bytes[static 64]) {
        fill_good(bytes, 64);
        memset(bytes + 20, bytes[19] ^ 1, 6);
        bytes[26] = bytes[19];
}

static void test_streak(void) {
        uint8_t good[64], bad[64];
        Health health;

        health_init(&health, FULL_QUALITY);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned n = 1; n < HEALTH_STREAK_MAX; n++) {
                        make_faulty(bad);
                        CU_ASSERT_EQUAL(health_test(&health, bad, 64), HEALTH_INTERMITTENT);
                        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_REPETITION);
                        /* Too little to end a streak. */
                        fill_good(good, 31);
                        CU_ASSERT_EQUAL(health_test(&health, good, 31), HEALTH_TOO_SHORT);
                        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_NONE);
                }
                if (round < 2) {
                        fill_good(good, 64);
                        CU_ASSERT_EQUAL(health_test(&health, good, 64), HEALTH_PASS);
                }
        }
        make_faulty(bad);
        CU_ASSERT_EQUAL(health_test(&health, bad, 64), HEALTH_PERMANENT);
        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_STREAK);

        /* Nothing brings it back but a new beginning. */
        fill_good(good, 64);
        CU_ASSERT_EQUAL(health_test(&health, good, 64), HEALTH_PERMANENT);
        CU_ASSERT_EQUAL(health_test(&health, good, 0), HEALTH_PERMANENT);
        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, good, 64), HEALTH_PASS);
}

static void test_state_goes_on(void) {
        uint8_t first[64], second[64];
        Health health;

        /* a run of five over the border */
        fill_good(first, 64);
        fill_good(second, 64);
        memset(first + 61, 0x11, 3);
        memset(second, 0x11, 2);
        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, first, 64), HEALTH_PASS);
        CU_ASSERT_EQUAL(health_test(&health, second, 64), HEALTH_INTERMITTENT);

        /* after a failure nothing of the run is left */
        fill_good(first, 64);
        memset(first + 58, 0x22, 6);
        fill_good(second, 64);
        memset(second, 0x22, 4);
        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, first, 64), HEALTH_INTERMITTENT);
        CU_ASSERT_EQUAL(health_test(&health, second, 64), HEALTH_PASS);
}

/* A byte that comes thrice in 64 is chance, and in each of eight batches is not. */
static void test_proportion_over_batches(void) {
        HealthVerdict verdict = HEALTH_PASS;
        uint8_t bytes[64];
        Health health;
        size_t n = 0;

        health_init(&health, FULL_QUALITY);
        for (; n < 8 && verdict == HEALTH_PASS; n++) {
                fill_good(bytes, 64);
                bytes[0] = bytes[20] = bytes[43] = 0x77;
                verdict = health_test(&health, bytes, 64);
        }
        CU_ASSERT(n > 3);
        CU_ASSERT_EQUAL(verdict, HEALTH_INTERMITTENT);
        CU_ASSERT_EQUAL(health_failed_test(&health), HEALTH_TEST_PROPORTION);

        /* and after it, it is chance again */
        fill_good(bytes, 64);
        bytes[0] = bytes[20] = bytes[43] = 0x77;
        CU_ASSERT_EQUAL(health_test(&health, bytes, 64), HEALTH_PASS);
}

static void test_short_batches(void) {
        uint8_t bytes[64];
        Health health;

        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, NULL, 0), HEALTH_TOO_SHORT);
        for (size_t n = 1; n < HEALTH_MIN_BATCH_BYTES; n++) {
                fill_good(bytes, n);
                CU_ASSERT_EQUAL(health_test(&health, bytes, n), HEALTH_TOO_SHORT);
        }
        fill_good(bytes, HEALTH_MIN_BATCH_BYTES);
        CU_ASSERT_EQUAL(health_test(&health, bytes, HEALTH_MIN_BATCH_BYTES), HEALTH_PASS);

        /* bad is bad, however short */
        memset(bytes, 0, sizeof(bytes));
        CU_ASSERT_EQUAL(health_test(&health, bytes, 31), HEALTH_PERMANENT);

        /* byte by byte */
        health_init(&health, FULL_QUALITY);
        for (size_t i = 0; i < 4; i++)
                CU_ASSERT_EQUAL(health_test(&health, bytes, 1), HEALTH_TOO_SHORT);
        CU_ASSERT_EQUAL(health_test(&health, bytes, 1), HEALTH_INTERMITTENT);
}

/* What was read made the kernel's first key: a copy of this memory must not hold it. */
static void test_keeps_no_bytes(void) {
        uint8_t bytes[512];
        Health health;

        fill_good(bytes, sizeof(bytes));
        health_init(&health, FULL_QUALITY);
        CU_ASSERT_EQUAL(health_test(&health, bytes, sizeof(bytes)), HEALTH_PASS);
        for (size_t i = 0; i + 4 <= sizeof(bytes); i++)
                CU_ASSERT_PTR_NULL(memmem(&health, sizeof(health), bytes + i, 4));
}

static void test_names_differ(void) {
        for (int i = 0; i < _HEALTH_TEST_MAX; i++)
                for (int j = 0; j < i; j++)
                        CU_ASSERT_STRING_NOT_EQUAL(
                                health_test_to_string((HealthTest)i),
                                health_test_to_string((HealthTest)j));
        CU_ASSERT_STRING_EQUAL(health_test_to_string(_HEALTH_TEST_MAX), "unknown");
        CU_ASSERT_STRING_EQUAL(health_test_to_string((HealthTest)-1), "unknown");
}

/* Each test alone decides what it sees, not those before it. */
static void setup(void) {
        generator_state = 1;
}

static CU_TestInfo tests_good[] = {
        HARNESS_TEST(test_good_bytes_pass),
        HARNESS_TEST(test_every_claim),
        HARNESS_TEST(test_claim_is_rounded_down),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo tests_bad[] = {
        HARNESS_TEST(test_what_is_permanent),
        HARNESS_TEST(test_stuck_values),
        HARNESS_TEST(test_periods_in_one_batch),
        HARNESS_TEST(test_periods_over_batches),
        HARNESS_TEST(test_counters),
        HARNESS_TEST(test_counter_is_named),
        HARNESS_TEST(test_poor_bytes),
        HARNESS_TEST(test_half_of_a_batch_is_bad),
        HARNESS_TEST(test_bad_batch_after_good_ones),
        HARNESS_TEST(test_same_batch_again),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo tests_state[] = {
        HARNESS_TEST(test_streak),
        HARNESS_TEST(test_state_goes_on),
        HARNESS_TEST(test_proportion_over_batches),
        HARNESS_TEST(test_short_batches),
        HARNESS_TEST(test_keeps_no_bytes),
        HARNESS_TEST(test_names_differ),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("good", setup, NULL, tests_good),
        HARNESS_SUITE_WITH("bad", setup, NULL, tests_bad),
        HARNESS_SUITE_WITH("state", setup, NULL, tests_state),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
