/* SPDX-License-Identifier: MIT */
#include "lib/policy/health.c"
#include "tests/proofs/proof.h"

#define BATCH_MAX 4096U /* SOURCE_READ_MAX_BYTES */
#define STEP_MAX  2U    /* of loops of which each round is like the first */

/* One of the counts, any of them: what is shown for it is shown for all. */
static size_t any_lag, any_stride;

/* What holds between two batches, whatever they were. */
static bool is_sound(const Health *health) {
        return health->window_seen < health->cutoffs->window_bytes &&
               health->lag_hits[any_lag] <= health->window_seen &&
               health->stride_hits[any_stride] <= health->window_seen &&
               health->proportion_seen < PROPORTION_WINDOW_BYTES &&
               health->proportion_count <= PROPORTION_WINDOW_BYTES;
}

static Health nondet_health(void) {
        Health health;

        any_lag = nondet_size_up_to(HEALTH_LAG_MAX - 1);
        any_stride = nondet_size_up_to(HEALTH_STRIDE_COUNT - 1);
        health.retired = nondet_bool();
        health.cutoffs = &cutoff_table[nondet_size_up_to(ELEMENTSOF(cutoff_table) - 1)];
        ASSUME(is_sound(&health));
        return health;
}

/*
 * From any counts: a byte adds at most one to each, and none overflows within a window.
 *
 * bound: 1 byte at a time
 * unwind: 65
 * mutant: lib/policy/health.c
 *   - hits[lag] = (uint8_t)(hits[lag] + (context[i + lag] == byte));
 *   + hits[lag] = (uint8_t)(hits[lag] + 2 * (context[i + lag] == byte));
 * mutant: lib/policy/health.c
 *   - hits[lag] = (uint8_t)(hits[lag] + (context[i + lag] == byte));
 *   + hits[lag] = (uint8_t)(hits[lag] + (context[i + lag + 2] == byte));
 */
void prove_lag_hits(void) {
        uint8_t hits[HEALTH_LAG_MAX], before;
        size_t lag = nondet_size_up_to(HEALTH_LAG_MAX - 1);

        for (size_t i = 0; i < HEALTH_LAG_MAX; i++)
                hits[i] = (uint8_t)nondet_size_up_to(192 - 1);
        before = hits[lag];
        count_lag_hits(hits, nondet_bytes(HEALTH_LAG_MAX + 1), 1);
        PROVE(hits[lag] >= before && hits[lag] <= before + 1);
}

/*
 * bound: every stride
 * unwind: 1
 * wraps: is_stride_hit
 * mutant: lib/policy/health.c
 *   - return byte[0] == (uint8_t)(2 * byte[-(ptrdiff_t)stride] - byte[-2 * (ptrdiff_t)stride]);
 *   + return byte[0] == (uint8_t)(2 * byte[-(ptrdiff_t)stride] - byte[-3 * (ptrdiff_t)stride]);
 */
void prove_is_stride_hit(void) {
        size_t stride = strides[nondet_size_up_to(HEALTH_STRIDE_COUNT - 1)];
        const uint8_t *bytes = nondet_bytes(2 * stride + 1);

        (void)is_stride_hit(bytes + 2 * stride, stride);
}

/* What prove_is_stride_hit() asks for. */
bool is_stride_hit_contract(const uint8_t *byte, size_t stride) {
        PROVE(__CPROVER_r_ok(byte - 2 * stride, 2 * stride + 1));
        return nondet_bool();
}

/*
 * bound: as many bytes as a predictor is given at once, 64
 * unwind: 17
 * replace: is_stride_hit:is_stride_hit_contract
 * mutant: lib/policy/health.c
 *   - for (; i + ELEMENTSOF(lane_hits) <= n; i += ELEMENTSOF(lane_hits))
 *   + for (; i <= n; i += ELEMENTSOF(lane_hits))
 */
void prove_stride_hits(void) {
        size_t n = nondet_size_up_to(HEALTH_LAG_MAX);
        size_t stride = strides[nondet_size_up_to(HEALTH_STRIDE_COUNT - 1)];

        PROVE(count_stride_hits(nondet_bytes(HEALTH_LAG_MAX + n), n, stride) <= n);
}

/* What prove_lag_hits() and prove_stride_hits() show. */
void count_lag_hits_contract(uint8_t *hits, const uint8_t *context, size_t n) {
        uint8_t more = nondet_u8();

        PROVE(__CPROVER_r_ok(context, HEALTH_LAG_MAX + n));
        ASSUME(more <= n);
        hits[any_lag] = (uint8_t)(hits[any_lag] + more);
}

uint8_t count_stride_hits_contract(const uint8_t *context, size_t n, size_t stride) {
        uint8_t hits = nondet_u8();

        PROVE(stride <= HEALTH_LAG_MAX / 2 && __CPROVER_r_ok(context, HEALTH_LAG_MAX + n));
        ASSUME(hits <= n);
        return hits;
}

/*
 * One part of a window from any state: no count overflows, and all start again with the next window.
 *
 * bound: every part of a window
 * unwind: 65
 * wraps: predictor_window_judge
 * replace: count_lag_hits:count_lag_hits_contract count_stride_hits:count_stride_hits_contract
 * mutant: lib/policy/health.c
 *   - memset(health->lag_hits, 0, sizeof(health->lag_hits));
 * mutant: lib/policy/health.c
 *   - memset(health->stride_hits, 0, sizeof(health->stride_hits));
 * mutant: lib/policy/health.c
 *   - if (health->window_seen < health->cutoffs->window_bytes)
 *   + if (health->window_seen <= health->cutoffs->window_bytes)
 */
void prove_predictor_count(void) {
        Health health = nondet_health();
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };
        size_t n = nondet_size_up_to(health.cutoffs->window_bytes - health.window_seen);
        size_t i = any_stride;

        ASSUME(n <= HEALTH_LAG_MAX);
        for (any_stride = 0; any_stride < HEALTH_STRIDE_COUNT; any_stride++)
                ASSUME(is_sound(&health));
        any_stride = i;
        predictor_count(&health, nondet_bytes(HEALTH_LAG_MAX + n), n, &finding);
        PROVE(is_sound(&health));
}

/* What prove_predictor_count() shows, and what it asks for. */
void predictor_count_contract(Health *health, const uint8_t *context, size_t n, Finding *finding) {
        (void)finding;
        PROVE(n > 0 && n <= HEALTH_LAG_MAX && __CPROVER_r_ok(context, HEALTH_LAG_MAX + n));
        PROVE(n <= health->cutoffs->window_bytes - health->window_seen);
        health->window_seen = (health->window_seen + (uint32_t)n) % health->cutoffs->window_bytes;
        begin_round();
}

void predictor_judge_contract(const Health *health, Finding *finding) {
        (void)health;
        (void)finding;
}

void explicit_bzero(void *bytes, size_t size) {
        PROVE(__CPROVER_w_ok(bytes, size));
}

/*
 * Whatever comes before and whatever the length, each part lies in the batch or in the zeros before it.
 *
 * bound: the first two parts of a batch of up to 4096 bytes
 * unwind: 3
 * replace: predictor_count:predictor_count_contract predictor_window_judge:predictor_judge_contract
 * mutant: lib/policy/health.c
 *   - n = MIN(n, HEALTH_LAG_MAX - i % HEALTH_LAG_MAX);
 * mutant: lib/policy/health.c
 *   - uint8_t start[2 * HEALTH_LAG_MAX] = { 0 };
 *   + uint8_t start[HEALTH_LAG_MAX] = { 0 };
 */
void prove_predictor(void) {
        Health health = nondet_health();
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };
        size_t length = nondet_size_up_to(BATCH_MAX);

        predictor_test(&health, nondet_bytes(length), length, &finding);
}

/*
 * bound: 2 bytes at a time
 * unwind: 5
 * mutant: lib/policy/health.c
 *   - for (size_t i = 0; i < n; i++) { run = bytes[i] == last ? run + 1 : 1;
 *   + for (size_t i = 0; i <= n; i++) { run = bytes[i] == last ? run + 1 : 1;
 * mutant: lib/policy/health.c
 *   - longest = MAX(longest, run);
 */
void prove_repetition(void) {
        Health health = nondet_health();
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };
        size_t n = nondet_size_up_to(STEP_MAX);
        uint32_t before = health.repetition_run;

        ASSUME(before < health.cutoffs->intermittent.repetition);
        repetition_test(&health, nondet_bytes(n), n, &finding);
        PROVE(health.repetition_run <= before + n);
        PROVE(finding.verdict != HEALTH_PASS ||
              health.repetition_run < health.cutoffs->intermittent.repetition);
}

/*
 * From anywhere in a window, over its end too.
 *
 * bound: 2 bytes at a time
 * unwind: 5
 * mutant: lib/policy/health.c
 *   - size_t n = MIN(length, (size_t)(PROPORTION_WINDOW_BYTES - health->proportion_seen));
 *   + size_t n = PROPORTION_WINDOW_BYTES - health->proportion_seen;
 * mutant: lib/policy/health.c
 *   - (health->proportion_seen + (uint32_t)n) % PROPORTION_WINDOW_BYTES;
 *   + (health->proportion_seen + (uint32_t)n);
 */
void prove_proportion(void) {
        Health health = nondet_health();
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };
        size_t n = nondet_size_up_to(STEP_MAX);

        ASSUME(health.proportion_count <= health.proportion_seen);
        proportion_test(&health, nondet_bytes(n), n, &finding);
        PROVE(health.proportion_count <= PROPORTION_WINDOW_BYTES && is_sound(&health));
        PROVE(health.proportion_seen == 0 || health.proportion_count <= health.proportion_seen);
}

/* A block where prove_blocks() shows that it may be. */
bool replay_find_contract(
        const Health *health,
        const uint64_t *filter,
        const uint8_t *bytes,
        size_t n) {
        (void)health;
        (void)filter;
        PROVE(n == 0 || __CPROVER_r_ok(bytes, n + REPLAY_BLOCK_BYTES - 1));
        return nondet_bool();
}

void replay_remember_contract(Health *health, uint64_t *filter, const uint8_t *block) {
        (void)health;
        (void)filter;
        PROVE(__CPROVER_r_ok(block, REPLAY_BLOCK_BYTES));
}

/*
 * Every block that is looked up or remembered lies in the batch.
 *
 * bound: a batch of up to 4096 bytes
 * unwind: 33
 * replace: replay_find:replay_find_contract replay_remember:replay_remember_contract
 * mutant: lib/policy/health.c
 *   - if (!health->cutoffs->replay || length < REPLAY_BLOCK_BYTES)
 *   + if (!health->cutoffs->replay)
 * mutant: lib/policy/health.c
 *   - n = length - REPLAY_BLOCK_BYTES + 1;
 *   + n = length;
 * mutant: lib/policy/health.c
 *   - size_t next = MIN(n, middle + REPLAY_BLOCK_BYTES);
 *   + size_t next = length;
 */
void prove_replay(void) {
        Health health = nondet_health();
        Finding finding = { HEALTH_PASS, HEALTH_TEST_NONE, 0 };
        size_t length = nondet_size_up_to(BATCH_MAX);

        replay_test(&health, nondet_bytes(length), length, &finding);
}

/*
 * The memory of fingerprints and its filter, wherever the ring is.
 *
 * bound: two blocks, any count of earlier ones
 * unwind: 33
 * wraps: fingerprint replay_remember
 * mutant: lib/policy/health.c
 *   - health->replay_memory[health->replay_count % HEALTH_REPLAY_MEMORY] = print;
 *   + health->replay_memory[health->replay_count] = print;
 * mutant: lib/policy/health.c
 *   - filter[print >> 60] |= UINT64_C(1) << ((print >> 54) & 63);
 *   + filter[print >> 59] |= UINT64_C(1) << ((print >> 54) & 63);
 */
void prove_blocks(void) {
        Health health = nondet_health();
        uint64_t *filter = nondet_bytes(REPLAY_FILTER_WORDS * sizeof(*filter));
        const uint8_t *bytes = nondet_bytes(REPLAY_BLOCK_BYTES + 1);

        (void)replay_find(&health, filter, bytes, 2);
        replay_remember(&health, filter, bytes + 1);
}

static HealthVerdict worst;

/* Any finding, as the four tests may have it. */
void test_contract(Health *health, const uint8_t *bytes, size_t length, Finding *finding) {
        (void)health;
        (void)bytes;
        (void)length;
        if (nondet_bool()) {
                HealthVerdict verdict = nondet_bool() ? HEALTH_INTERMITTENT : HEALTH_PERMANENT;

                worst = MAX(worst, verdict);
                note(finding, verdict, HEALTH_TEST_PERIOD, nondet_u8());
        }
}

/*
 * What the tests found is never lost: a batch passes only if it is long enough and nothing was
 * found, a source that is broken stays so, and four failures in a row are one.
 *
 * bound: every finding, every state, every length
 * unwind: 65
 * replace: repetition_test:test_contract predictor_test:test_contract
 * replace: replay_test:test_contract proportion_test:test_contract
 * mutant: lib/policy/health.c
 *   - if (length_bytes < HEALTH_MIN_BATCH_BYTES)
 *   + if (length_bytes == 0)
 * mutant: lib/policy/health.c
 *   - if (health->retired)
 *   + if (0)
 * mutant: lib/policy/health.c
 *   - if (verdict > finding->verdict)
 *   + if (verdict != finding->verdict)
 * mutant: lib/policy/health.c
 *   - if (finding.verdict == HEALTH_INTERMITTENT && ++health->streak >= HEALTH_STREAK_MAX)
 *   + if (finding.verdict == HEALTH_INTERMITTENT && health->streak >= HEALTH_STREAK_MAX)
 */
void prove_verdict(void) {
        Health health = nondet_health();
        bool was_retired = health.retired;
        uint32_t streak = (uint32_t)nondet_size_up_to(HEALTH_STREAK_MAX - 1);
        size_t length = nondet_size();
        HealthVerdict verdict;

        health.streak = streak;
        verdict = health_test(&health, NULL, length);
        PROVE(verdict != HEALTH_PASS || (length >= HEALTH_MIN_BATCH_BYTES && !was_retired));
        PROVE(verdict != HEALTH_PASS || health_failed_test(&health) == HEALTH_TEST_NONE);
        PROVE(!was_retired || verdict == HEALTH_PERMANENT);
        PROVE(verdict >= worst);
        PROVE(health.retired == (verdict == HEALTH_PERMANENT));
        PROVE(health.retired || health.streak < HEALTH_STREAK_MAX);
        PROVE(verdict != HEALTH_INTERMITTENT || health.streak == streak + 1);
}
