/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/policy/credit.h"
#include "lib/policy/health.h"

#define PROPORTION_WINDOW_BYTES 512U
#define QUALITY_STEP_PER_1024   64U
#define REPLAY_BLOCK_BYTES      16U
#define REPLAY_FILTER_WORDS     16U

typedef struct Cutoffs {
        uint32_t repetition;
        uint32_t proportion;
        uint32_t predictor; /* window + 1: cannot fail */
} Cutoffs;

struct HealthCutoffs {
        uint32_t quality_per_1024;
        uint32_t window_bytes; /* of the predictors */
        Cutoffs intermittent;
        Cutoffs permanent;
        bool replay;
};

static const HealthCutoffs cutoff_table[] = {
#include "lib/policy/health-cutoffs.inc"
};

static_assert(
        ELEMENTSOF(cutoff_table) * QUALITY_STEP_PER_1024 == CREDIT_PER_1024_MAX,
        "a row for each half bit per byte, up to eight bits");
static_assert(
        PROPORTION_WINDOW_BYTES % HEALTH_LAG_MAX == 0,
        "health-cutoffs.py computes for windows of 512 and multiples of 64");

static const uint8_t strides[HEALTH_STRIDE_COUNT] = { 1, 2, 4, 8 };

static const char *const test_names[_HEALTH_TEST_MAX] = {
        [HEALTH_TEST_NONE] = "none",
        [HEALTH_TEST_REPETITION] = "repetition count",
        [HEALTH_TEST_PROPORTION] = "adaptive proportion",
        [HEALTH_TEST_STEP] = "constant step",
        [HEALTH_TEST_PERIOD] = "short period",
        [HEALTH_TEST_REPLAY] = "replay of earlier bytes",
        [HEALTH_TEST_STREAK] = "failures in a row",
};

/* The worst that was found in one batch. */
typedef struct Finding {
        HealthVerdict verdict;
        HealthTest test;
        uint32_t distance_bytes;
} Finding;

static void note(
        Finding *finding,
        HealthVerdict verdict,
        HealthTest test,
        uint32_t distance_bytes) {
        if (verdict > finding->verdict)
                *finding = (Finding){ verdict, test, distance_bytes };
}

static void judge(
        Finding *finding,
        uint32_t count,
        uint32_t intermittent,
        uint32_t permanent,
        HealthTest test) {
        if (count >= permanent)
                note(finding, HEALTH_PERMANENT, test, 0);
        else if (count >= intermittent)
                note(finding, HEALTH_INTERMITTENT, test, 0);
}

static void repetition_test(Health *health, const uint8_t *bytes, size_t n, Finding *finding) {
        uint32_t run = health->repetition_run, longest = run;
        uint8_t last = health->repetition_byte;

        for (size_t i = 0; i < n; i++) {
                run = bytes[i] == last ? run + 1 : 1;
                last = bytes[i];
                longest = MAX(longest, run);
        }

        health->repetition_run = run;
        health->repetition_byte = last;
        judge(finding,
              longest,
              health->cutoffs->intermittent.repetition,
              health->cutoffs->permanent.repetition,
              HEALTH_TEST_REPETITION);
}

static void proportion_test(Health *health, const uint8_t *bytes, size_t length, Finding *finding) {
        while (length > 0) {
                size_t n = MIN(length, (size_t)(PROPORTION_WINDOW_BYTES - health->proportion_seen));
                uint32_t count = 0;

                if (health->proportion_seen == 0) {
                        health->proportion_byte = bytes[0];
                        health->proportion_count = 0;
                }
                for (size_t i = 0; i < n; i++)
                        count += bytes[i] == health->proportion_byte;

                health->proportion_count += count;
                health->proportion_seen =
                        (health->proportion_seen + (uint32_t)n) % PROPORTION_WINDOW_BYTES;
                judge(finding,
                      health->proportion_count,
                      health->cutoffs->intermittent.proportion,
                      health->cutoffs->permanent.proportion,
                      HEALTH_TEST_PROPORTION);
                bytes += n;
                length -= n;
        }
}

/*
 * `context` is HEALTH_LAG_MAX bytes and then the n to count. Inner loops here have a fixed count and
 * disjoint arrays, since that is what compilers turn into vector code at -O2.
 */
static void count_lag_hits(
        uint8_t hits[restrict static HEALTH_LAG_MAX],
        const uint8_t *restrict context,
        size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint8_t byte = context[HEALTH_LAG_MAX + i];

                for (size_t lag = 0; lag < HEALTH_LAG_MAX; lag++)
                        hits[lag] = (uint8_t)(hits[lag] + (context[i + lag] == byte));
        }
}

/* The same step again, modulo 256 as a counter's byte takes it. */
static inline bool is_stride_hit(const uint8_t *byte, size_t stride) {
        return byte[0] == (uint8_t)(2 * byte[-(ptrdiff_t)stride] - byte[-2 * (ptrdiff_t)stride]);
}

static uint8_t count_stride_hits(const uint8_t *context, size_t n, size_t stride) {
        const uint8_t *bytes = context + HEALTH_LAG_MAX;
        uint8_t hits = 0, lane_hits[16] = { 0 };
        size_t i = 0;

        for (; i + ELEMENTSOF(lane_hits) <= n; i += ELEMENTSOF(lane_hits))
                for (size_t lane = 0; lane < ELEMENTSOF(lane_hits); lane++)
                        lane_hits[lane] =
                                (uint8_t)(lane_hits[lane] + is_stride_hit(bytes + i + lane, stride));
        for (; i < n; i++)
                hits = (uint8_t)(hits + is_stride_hit(bytes + i, stride));
        for (size_t lane = 0; lane < ELEMENTSOF(lane_hits); lane++)
                hits = (uint8_t)(hits + lane_hits[lane]);

        return hits;
}

static void predictor_window_judge(const Health *health, Finding *finding) {
        uint32_t intermittent = health->cutoffs->intermittent.predictor;
        uint32_t permanent = health->cutoffs->permanent.predictor;
        uint8_t most = 0;

        for (size_t i = 0; i < HEALTH_STRIDE_COUNT; i++)
                if (health->stride_hits[i] >= intermittent)
                        note(finding,
                             health->stride_hits[i] >= permanent ? HEALTH_PERMANENT
                                                                 : HEALTH_INTERMITTENT,
                             HEALTH_TEST_STEP,
                             strides[i]);

        for (size_t i = 0; i < HEALTH_LAG_MAX; i++)
                most = MAX(most, health->lag_hits[i]);
        if (most < intermittent)
                return;

        /* From the shortest lag on: its multiples have their hits from it. */
        for (size_t i = HEALTH_LAG_MAX; i-- > 0;)
                if (health->lag_hits[i] >= intermittent)
                        note(finding,
                             health->lag_hits[i] >= permanent ? HEALTH_PERMANENT
                                                              : HEALTH_INTERMITTENT,
                             HEALTH_TEST_PERIOD,
                             (uint32_t)(HEALTH_LAG_MAX - i));
}

static void predictor_window_restart(Health *health) {
        memset(health->lag_hits, 0, sizeof(health->lag_hits));
        memset(health->stride_hits, 0, sizeof(health->stride_hits));
        health->window_seen = 0;
}

static void predictor_count(Health *health, const uint8_t *context, size_t n, Finding *finding) {
        count_lag_hits(health->lag_hits, context, n);
        for (size_t i = 0; i < HEALTH_STRIDE_COUNT; i++)
                health->stride_hits[i] =
                        (uint8_t)(health->stride_hits[i] + count_stride_hits(context, n, strides[i]));

        health->window_seen += (uint32_t)n;
        if (health->window_seen < health->cutoffs->window_bytes)
                return;
        predictor_window_judge(health, finding);
        predictor_window_restart(health);
}

static void predictor_test(Health *health, const uint8_t *bytes, size_t length, Finding *finding) {
        /*
         * The context of the batch's start is zeroes, not the batch before, which is not kept. For a
         * predictor that is as good as any: 0 too comes with no more than 2^-H.
         */
        uint8_t start[2 * HEALTH_LAG_MAX] = { 0 };
        size_t n, head = MIN(length, (size_t)HEALTH_LAG_MAX);

        memcpy(start + HEALTH_LAG_MAX, bytes, head);

        /* A window that ended within the first bytes of a batch would take them from the next one,
         * and neither half might reach the cutoff. */
        if (health->window_seen + head > health->cutoffs->window_bytes)
                predictor_window_restart(health);

        for (size_t i = 0; i < length; i += n) {
                n = MIN(length - i, (size_t)(health->cutoffs->window_bytes - health->window_seen));
                n = MIN(n, HEALTH_LAG_MAX - i % HEALTH_LAG_MAX);
                predictor_count(
                        health,
                        i < head ? start + i : bytes + i - HEALTH_LAG_MAX,
                        n,
                        finding);
        }
        predictor_window_judge(health, finding);

        explicit_bzero(start, sizeof(start));
}

/* For given first eight bytes a bijection of the last eight: two blocks that differ only there never
 * meet. 64 bits for 128, so the block cannot be computed back. */
static uint64_t fingerprint(const uint8_t *block) {
        uint64_t first, last;

        memcpy(&first, block, sizeof(first));
        memcpy(&last, block + sizeof(first), sizeof(last));
        first *= UINT64_C(0x9e3779b97f4a7c15);
        return (last ^ first ^ (first >> 29)) * UINT64_C(0xd6e8feb86659fd93);
}

static bool replay_is_known(const Health *health, uint64_t print) {
        uint32_t n = MIN(health->replay_count, HEALTH_REPLAY_MEMORY);

        for (uint32_t i = 0; i < n; i++)
                if (health->replay_memory[i] == print)
                        return true;
        return false;
}

/* One bit of the 1024 for a fingerprint; most lookups end at a bit that is not set. */
static void filter_add(uint64_t filter[static REPLAY_FILTER_WORDS], uint64_t print) {
        filter[print >> 60] |= UINT64_C(1) << ((print >> 54) & 63);
}

static bool replay_find(
        const Health *health,
        const uint64_t filter[static REPLAY_FILTER_WORDS],
        const uint8_t *bytes,
        size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint64_t print = fingerprint(bytes + i);

                if (((filter[print >> 60] >> ((print >> 54) & 63)) & 1) != 0 &&
                    replay_is_known(health, print))
                        return true;
        }
        return false;
}

static void replay_remember(
        Health *health,
        uint64_t filter[static REPLAY_FILTER_WORDS],
        const uint8_t *block) {
        uint64_t print = fingerprint(block);

        filter_add(filter, print);
        health->replay_memory[health->replay_count % HEALTH_REPLAY_MEMORY] = print;
        health->replay_count++;
}

/*
 * Two blocks of a batch are remembered, from its start and its middle: where one comes again across
 * the border of two batches, the other does not. A block is looked up among those that it does not
 * overlap.
 */
static void replay_test(Health *health, const uint8_t *bytes, size_t length, Finding *finding) {
        size_t n, head, middle = length / 2;
        uint64_t filter[REPLAY_FILTER_WORDS] = { 0 };
        bool found;

        if (!health->cutoffs->replay || length < REPLAY_BLOCK_BYTES)
                return;

        for (uint32_t i = 0; i < MIN(health->replay_count, HEALTH_REPLAY_MEMORY); i++)
                filter_add(filter, health->replay_memory[i]);

        n = length - REPLAY_BLOCK_BYTES + 1;
        head = MIN(n, (size_t)REPLAY_BLOCK_BYTES);
        found = replay_find(health, filter, bytes, head);
        replay_remember(health, filter, bytes);
        if (length >= 2 * REPLAY_BLOCK_BYTES) {
                size_t next = MIN(n, middle + REPLAY_BLOCK_BYTES);

                found |= replay_find(health, filter, bytes + head, next - head);
                replay_remember(health, filter, bytes + middle);
                found |= replay_find(health, filter, bytes + next, n - next);
        }

        if (found)
                note(finding, HEALTH_INTERMITTENT, HEALTH_TEST_REPLAY, 0);
}

static void restart(Health *health) {
        health->repetition_run = 0;
        health->proportion_seen = 0;
        predictor_window_restart(health);
}

/* What the finding means for the source: the streak, the restart, the end. */
static HealthVerdict conclude(Health *health, Finding finding, size_t length_bytes) {
        if (finding.verdict == HEALTH_INTERMITTENT && ++health->streak >= HEALTH_STREAK_MAX)
                note(&finding, HEALTH_PERMANENT, HEALTH_TEST_STREAK, 0);

        health->failed_test = finding.test;
        health->failed_distance_bytes = finding.distance_bytes;
        health->retired = finding.verdict == HEALTH_PERMANENT;

        if (finding.verdict == HEALTH_PASS) {
                if (length_bytes < HEALTH_MIN_BATCH_BYTES)
                        return HEALTH_TOO_SHORT;
                health->streak = 0;
        } else
                restart(health);

        return finding.verdict;
}

void health_init(Health *health, uint32_t quality_per_1024) {
        uint32_t quality = MIN(quality_per_1024, CREDIT_PER_1024_MAX);

        /* Down to the row: a larger row's cutoffs would be stricter than the claim. */
        *health = (Health){
                .cutoffs = &cutoff_table[MAX(quality / QUALITY_STEP_PER_1024, 1U) - 1],
        };
}

void health_begin_again(Health *health, uint32_t quality_per_1024) {
        const Health before = *health;

        health_init(health, quality_per_1024);
        memcpy(health->replay_memory, before.replay_memory, sizeof(health->replay_memory));
        health->replay_count = before.replay_count;
}

HealthVerdict health_test(Health *health, const uint8_t *bytes, size_t length_bytes) {
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };

        if (health->retired)
                return HEALTH_PERMANENT;
        if (length_bytes == 0)
                return conclude(health, finding, 0);

        /* Of equal verdicts the first is named: what says most about the source comes first. */
        repetition_test(health, bytes, length_bytes, &finding);
        predictor_test(health, bytes, length_bytes, &finding);
        replay_test(health, bytes, length_bytes, &finding);
        proportion_test(health, bytes, length_bytes, &finding);
        return conclude(health, finding, length_bytes);
}

HealthTest health_failed_test(const Health *health) {
        return health->failed_test;
}

const char *health_test_to_string(HealthTest test) {
        if ((unsigned)test >= ELEMENTSOF(test_names))
                return "unknown";
        return test_names[test];
}
