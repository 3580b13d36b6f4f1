/* SPDX-License-Identifier: MIT */
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/policy/refill.h"
#include "tests/unit/harness.h"

static void test_guess_model(void) {
        static const struct {
                uint32_t pool_bits;
                uint32_t level_bits;
                uint32_t mask;
                RandomModel model;
        } rows[] = {
                { 4096, 0, EPOLLOUT, RANDOM_MODEL_COUNTING },
                { 4096, 256, EPOLLIN, RANDOM_MODEL_COUNTING },
                { 256, 0, EPOLLOUT, RANDOM_MODEL_LATCHING },
                { 256, 256, EPOLLIN, RANDOM_MODEL_LATCHING },
                { 0, 257, 0, RANDOM_MODEL_COUNTING },
                { 0, 3700, EPOLLIN, RANDOM_MODEL_COUNTING },
                { 0, 10, EPOLLIN | EPOLLOUT, RANDOM_MODEL_COUNTING },
                { 0, 256, EPOLLIN | EPOLLOUT, RANDOM_MODEL_COUNTING },
                { 0, 256, EPOLLIN, RANDOM_MODEL_LATCHING },
                { 0, 2, EPOLLOUT, RANDOM_MODEL_UNKNOWN },
                { 0, 0, 0, RANDOM_MODEL_UNKNOWN },
                { 0, 256, EPOLLOUT, RANDOM_MODEL_UNKNOWN },
                { 0, 100, EPOLLIN, RANDOM_MODEL_UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("pool %u level %u", rows[i].pool_bits, rows[i].level_bits);
                CU_ASSERT_EQUAL(
                        refill_guess_model(rows[i].pool_bits, rows[i].level_bits, rows[i].mask),
                        rows[i].model);
        }
}

/* Levels that Linux 5.10 showed, after feeds of 512 bits from 0. */
static void test_predicts_what_kernels_showed(void) {
        static const uint32_t seen[] = { 384, 732, 1047, 1333, 1592, 1827, 2039 };
        uint32_t level = 0;

        for (size_t i = 0; i < ELEMENTSOF(seen); i++) {
                level = refill_predict_level_bits(RANDOM_MODEL_COUNTING, 4096, level, 512);
                harness_row("feed %zu, %u bits", i + 1, level);
                /* The kernel keeps eighths of a bit, of which the level shows whole ones. */
                CU_ASSERT(level <= seen[i] && level + 2 >= seen[i]);
        }

        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_COUNTING, 4096, 0, 512), 384);
        /* less 256 for the reseed that makes the kernel ready: the 2240 that was seen */
        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_COUNTING, 4096, 0, 4096), 2496);
        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_COUNTING, 4096, 2240, 4096), 3371);
}

static void test_prediction_has_bounds(void) {
        for (uint32_t level = 0; level <= 4200; level += 7)
                for (uint32_t added = 0; added <= 9000; added += 250) {
                        uint32_t counting = refill_predict_level_bits(
                                RANDOM_MODEL_COUNTING,
                                4096,
                                level,
                                added);

                        harness_row("%u + %u", level, added);
                        CU_ASSERT(counting <= 4096);
                        CU_ASSERT(counting >= MIN(level, 4096U));
                        CU_ASSERT(counting - MIN(level, 4096U) <= added * 3 / 4);
                }

        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_LATCHING, 256, 100, 56), 156);
        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_LATCHING, 0, 100, 512), 256);
        CU_ASSERT_EQUAL(refill_predict_level_bits(RANDOM_MODEL_COUNTING, 0, 0, 4096), 2496);
        CU_ASSERT(refill_predict_level_bits(RANDOM_MODEL_COUNTING, 4096, 0, UINT32_MAX) < 4096);
}

static void test_threshold(void) {
        static const struct {
                RandomModel model;
                uint32_t asked;
                bool is_percent;
                uint32_t bits;
        } rows[] = {
                { RANDOM_MODEL_COUNTING, 0, false, 0 },
                { RANDOM_MODEL_COUNTING, 0, true, 0 },
                { RANDOM_MODEL_COUNTING, 192, false, 192 },
                { RANDOM_MODEL_COUNTING, 2048, false, 2048 },
                { RANDOM_MODEL_COUNTING, 3072, false, 3072 },
                { RANDOM_MODEL_COUNTING, 3584, false, 3584 },
                { RANDOM_MODEL_COUNTING, 3585, false, 3584 },
                { RANDOM_MODEL_COUNTING, 3700, false, 3584 },
                { RANDOM_MODEL_COUNTING, 4096, false, 3584 },
                { RANDOM_MODEL_COUNTING, UINT32_MAX, false, 3584 },
                { RANDOM_MODEL_COUNTING, UINT32_MAX, true, 3584 },
                { RANDOM_MODEL_COUNTING, 90, true, 3584 },
                { RANDOM_MODEL_COUNTING, 50, true, 2048 },
                { RANDOM_MODEL_COUNTING, 1, true, 40 },
                { RANDOM_MODEL_LATCHING, 3072, false, 0 },
                { RANDOM_MODEL_LATCHING, 90, true, 0 },
                { RANDOM_MODEL_UNKNOWN, 2048, false, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint32_t pool_bits = rows[i].model == RANDOM_MODEL_COUNTING ? 4096 : 256;

                harness_row("%s %u", refill_model_to_string(rows[i].model), rows[i].asked);
                CU_ASSERT_EQUAL(
                        refill_threshold_bits(
                                rows[i].model,
                                pool_bits,
                                rows[i].asked,
                                rows[i].is_percent),
                        rows[i].bits);
        }
        CU_ASSERT_EQUAL(refill_threshold_bits(RANDOM_MODEL_COUNTING, 0, 90, true), 3584);
}

static const struct {
        const char *what;
        RefillState state;
        RefillPlan plan;
} plan_rows[] = {
#define COUNTING(credit) RANDOM_MODEL_COUNTING, .pool_bits = 4096, .source_per_1024 = (credit)
#define LATCHING(credit) RANDOM_MODEL_LATCHING, .pool_bits = 256, .source_per_1024 = (credit)
        { "nothing wanted", { LATCHING(1024), .ready = true, .level_bits = 256 }, { REFILL_DONE } },
        { "nothing wanted, not ready", { LATCHING(1024) }, { REFILL_DONE } },

        { "latching: first batch",
          { LATCHING(1024), .triggers = TRIGGER_BIT(TRIGGER_START) },
          { REFILL_ASK, 64, .reseed = true } },
        { "latching: first batch of a poor source is not larger",
          { LATCHING(100), .triggers = TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_ASK, 64, .reseed = true } },
        { "latching: what a poor source left open: 206 bits at 100/1024 in 264 bytes",
          { LATCHING(100),
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .level_bits = 50,
            .rounds_done = 1,
            .credited_bits = 50 },
          { REFILL_ASK, 320, .reseed = true } },
        { "latching: worthless source",
          { LATCHING(0), .triggers = TRIGGER_BIT(TRIGGER_LEVEL), .rounds_done = 1 },
          { REFILL_NO_PROGRESS } },
        { "latching: still not ready after 16 rounds",
          { LATCHING(1024),
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 16,
            .credited_bits = 8192 },
          { REFILL_NO_PROGRESS } },
        { "latching: the first batch made it ready",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 1,
            .credited_bits = 512 },
          { REFILL_DONE } },
        { "latching: ready at start feeds once",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_START) },
          { REFILL_ASK, 64, .reseed = true } },
        { "latching: and no more",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_START),
            .rounds_done = 1,
            .credited_bits = 512 },
          { REFILL_DONE } },
        { "latching: POLLOUT although full",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_NO_PROGRESS } },
        { "5.18.0: ready and drained",
          { LATCHING(1024), .ready = true, .triggers = TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_ASK, 64, .reseed = true } },

        { "fork: 256 fresh bits",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK) },
          { REFILL_ASK, 64, .reseed = true } },
        { "fork: from a poor source in one batch",
          { LATCHING(128),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK) },
          { REFILL_ASK, 256, .reseed = true } },
        { "fork: 56 bits are missing",
          { LATCHING(16),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK),
            .rounds_done = 2,
            .credited_bits = 200 },
          { REFILL_ASK, 448, .reseed = true } },
        { "fork: source without credit is asked once",
          { LATCHING(0), .ready = true, .level_bits = 256, .triggers = TRIGGER_BIT(TRIGGER_FORK) },
          { REFILL_ASK, 64, .reseed = true } },
        { "fork: and no more",
          { LATCHING(0),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK),
            .rounds_done = 1 },
          { REFILL_NO_PROGRESS } },
        { "fork: never more than 8 rounds",
          { LATCHING(4),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK),
            .rounds_done = 8,
            .credited_bits = 128 },
          { REFILL_NO_PROGRESS } },
        { "fork: another source was faster",
          { LATCHING(1024),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK),
            .credited_bits = 256 },
          { REFILL_DONE } },
        { "fork: another source gave too little, this one can give nothing",
          { LATCHING(0),
            .ready = true,
            .level_bits = 256,
            .triggers = TRIGGER_BIT(TRIGGER_FORK),
            .rounds_done = 1,
            .credited_bits = 200 },
          { REFILL_NO_PROGRESS } },
        { "counting: another source filled it",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 3968,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .credited_bits = 4096 },
          { REFILL_DONE } },
        { "fork and level on a counting kernel: the fork first",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 100,
            .triggers = TRIGGER_BIT(TRIGGER_FORK) | TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_ASK, 64, .reseed = true } },
        { "then the level, without draining it by a reseed",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 100,
            .rounds_done = 1,
            .credited_bits = 512,
            .triggers = TRIGGER_BIT(TRIGGER_FORK) | TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_ASK, 512 } },
        { "fork alone on a counting kernel",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 100,
            .rounds_done = 1,
            .credited_bits = 512,
            .triggers = TRIGGER_BIT(TRIGGER_FORK) },
          { REFILL_DONE } },

        { "counting: first batch",
          { COUNTING(1024), .triggers = TRIGGER_BIT(TRIGGER_START) },
          { REFILL_ASK, 64, .reseed = true } },
        { "counting before 4.8: not ready yet, let it move its credit",
          { COUNTING(1024),
            .triggers = TRIGGER_BIT(TRIGGER_START),
            .level_bits = 961,
            .rounds_done = 2,
            .credited_bits = 1024 },
          { REFILL_ASK, 64, .pause_usec = 2000, .reseed = true } },
        { "counting: start goes on to the top",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 128,
            .triggers = TRIGGER_BIT(TRIGGER_START),
            .rounds_done = 1,
            .credited_bits = 512 },
          { REFILL_ASK, 512 } },
        { "counting: far below",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 895,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_ASK, 512 } },
        { "counting: near the top, no more than needed",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 3950,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 2,
            .credited_bits = 8192 },
          { REFILL_ASK, 128 } },
        { "counting: at the top",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 3968,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 3,
            .credited_bits = 9000 },
          { REFILL_DONE } },
        { "counting: POLLOUT at the top, from a threshold that cannot be reached",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 3968,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL) },
          { REFILL_NO_PROGRESS } },
        { "counting: 8 rounds and others drain it",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 1000,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 8,
            .credited_bits = 32768 },
          { REFILL_DONE } },
        { "counting: worthless source",
          { COUNTING(0),
            .ready = true,
            .level_bits = 100,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .rounds_done = 1 },
          { REFILL_NO_PROGRESS } },
        { "counting: worthless source at start is no reason to ask again",
          { COUNTING(0),
            .ready = true,
            .level_bits = 3500,
            .triggers = TRIGGER_BIT(TRIGGER_START),
            .rounds_done = 1 },
          { REFILL_NO_PROGRESS } },
        { "counting: timer",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 3900,
            .triggers = TRIGGER_BIT(TRIGGER_TIMER) },
          { REFILL_ASK, 64, .reseed = true } },

        { "--random-step",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 895,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .batch_max_bytes = 100 },
          { REFILL_ASK, 100 } },
        { "--random-step that could not be judged",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 895,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .batch_max_bytes = 8 },
          { REFILL_ASK, 32 } },
        { "--random-step above the limit",
          { COUNTING(1024),
            .ready = true,
            .level_bits = 895,
            .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
            .batch_max_bytes = 4096 },
          { REFILL_ASK, 512 } },

        { "unknown model: not ready",
          { .triggers = TRIGGER_BIT(TRIGGER_START), .source_per_1024 = 1024 },
          { REFILL_ASK, 64, .reseed = true } },
        { "unknown model: ready",
          { .ready = true,
            .level_bits = 77,
            .triggers = TRIGGER_BIT(TRIGGER_START),
            .source_per_1024 = 1024,
            .rounds_done = 1,
            .credited_bits = 512 },
          { REFILL_DONE } },
#undef COUNTING
#undef LATCHING
};

static void test_plans(void) {
        for (size_t i = 0; i < ELEMENTSOF(plan_rows); i++) {
                RefillPlan plan = refill_plan(&plan_rows[i].state);

                harness_row("%s: %zu bytes", plan_rows[i].what, plan.length_bytes);
                CU_ASSERT_EQUAL(plan.action, plan_rows[i].plan.action);
                CU_ASSERT_EQUAL(plan.length_bytes, plan_rows[i].plan.length_bytes);
                CU_ASSERT_EQUAL(plan.pause_usec, plan_rows[i].plan.pause_usec);
                CU_ASSERT_EQUAL(plan.reseed, plan_rows[i].plan.reseed);
        }
}

/* A kernel as refill_plan() sees one; returns the rounds until it stops. */
static uint32_t play(RefillState *state, uint32_t reseed_takes_bits, RefillPlan *ret_last) {
        uint32_t rounds = 0;

        for (;;) {
                RefillPlan plan = refill_plan(state);
                uint32_t bits;

                *ret_last = plan;
                if (plan.action != REFILL_ASK || rounds > 100)
                        return rounds;

                bits = (uint32_t)(8 * plan.length_bytes * state->source_per_1024 / 1024);
                state->level_bits = refill_predict_level_bits(
                        state->model,
                        state->pool_bits,
                        state->level_bits,
                        bits);
                state->credited_bits += bits;
                state->rounds_done = ++rounds;

                if (!state->ready && state->level_bits >= (state->pool_bits == 256 ? 256 : 128)) {
                        state->ready = true;
                        state->level_bits -= MIN(state->level_bits, reseed_takes_bits);
                } else if (state->ready && plan.reseed)
                        state->level_bits -= MIN(state->level_bits, reseed_takes_bits);
        }
}

/* All states end, in the rounds that were promised, and ask for nothing absurd. */
static void test_every_round_trip_ends(void) {
        static const uint32_t credits[] = { 0, 1, 16, 64, 500, 1000, 1024 };
        static const uint32_t levels[] = { 0, 127, 255, 256, 895, 3000, 3967, 3968, 4095, 4096 };

        for (uint32_t triggers = 0; triggers < 1U << _TRIGGER_MAX; triggers++)
                for (int model = RANDOM_MODEL_UNKNOWN; model <= RANDOM_MODEL_LATCHING; model++)
                        for (size_t i = 0; i < ELEMENTSOF(credits) * ELEMENTSOF(levels) * 2; i++) {
                                RefillState state = {
                                        .model = (RandomModel)model,
                                        .ready = i % 2 == 0,
                                        .pool_bits = model == RANDOM_MODEL_COUNTING ? 4096 : 256,
                                        .level_bits = levels[i / 2 % ELEMENTSOF(levels)],
                                        .source_per_1024 = credits[i / 2 / ELEMENTSOF(levels)],
                                        .triggers = triggers,
                                };
                                RefillPlan last;
                                uint32_t rounds = play(&state, 0, &last);

                                harness_row("model %d triggers %u case %zu", model, triggers, i);
                                if (rounds > REFILL_ROUNDS_UNREADY ||
                                    (last.action == REFILL_DONE && triggers != 0 && rounds == 0) ||
                                    (last.action != REFILL_ASK && last.length_bytes != 0))
                                        CU_FAIL("no end, or an end before anything was asked");
                        }
}

static void test_counting_fills_in_few_rounds(void) {
        RefillState state = {
                .model = RANDOM_MODEL_COUNTING,
                .pool_bits = 4096,
                .source_per_1024 = 1024,
                .triggers = TRIGGER_BIT(TRIGGER_START),
        };
        RefillPlan last;

        CU_ASSERT(play(&state, 256, &last) <= 6);
        CU_ASSERT_EQUAL(last.action, REFILL_DONE);
        CU_ASSERT(state.level_bits >= 4096 - REFILL_TOP_MARGIN_BITS);

        state = (RefillState){
                .model = RANDOM_MODEL_COUNTING,
                .ready = true,
                .pool_bits = 4096,
                .level_bits = 3071,
                .source_per_1024 = 1024,
                .triggers = TRIGGER_BIT(TRIGGER_LEVEL),
        };
        CU_ASSERT(play(&state, 256, &last) <= 3);
        CU_ASSERT_EQUAL(last.action, REFILL_DONE);
        CU_ASSERT(state.level_bits >= 4096 - REFILL_TOP_MARGIN_BITS);
}

static void test_latching_needs_one_batch(void) {
        RefillState state = {
                .model = RANDOM_MODEL_LATCHING,
                .pool_bits = 256,
                .source_per_1024 = 1024,
                .triggers = TRIGGER_BIT(TRIGGER_START) | TRIGGER_BIT(TRIGGER_LEVEL),
        };
        RefillPlan last;

        CU_ASSERT_EQUAL(play(&state, 0, &last), 1);
        CU_ASSERT_EQUAL(last.action, REFILL_DONE);
        CU_ASSERT(state.ready);
}

static void test_model_names(void) {
        CU_ASSERT_STRING_EQUAL(refill_model_to_string(RANDOM_MODEL_COUNTING), "counting");
        CU_ASSERT_STRING_EQUAL(refill_model_to_string(RANDOM_MODEL_LATCHING), "latching");
        CU_ASSERT_STRING_EQUAL(refill_model_to_string(RANDOM_MODEL_UNKNOWN), "unknown");
        CU_ASSERT_STRING_EQUAL(refill_model_to_string((RandomModel)99), "unknown");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_guess_model),
        HARNESS_TEST(test_predicts_what_kernels_showed),
        HARNESS_TEST(test_prediction_has_bounds),
        HARNESS_TEST(test_threshold),
        HARNESS_TEST(test_plans),
        HARNESS_TEST(test_every_round_trip_ends),
        HARNESS_TEST(test_counting_fills_in_few_rounds),
        HARNESS_TEST(test_latching_needs_one_batch),
        HARNESS_TEST(test_model_names),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("refill", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
