/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/policy/credit.h"
#include "lib/policy/health.h"
#include "lib/policy/refill.h"

#define COUNTING_POOL_BITS UINT32_C(4096)
#define LATCHING_POOL_BITS UINT32_C(256)

/* drivers/char/random.c: entropy is counted in eighths of a bit there */
#define ENTROPY_SHIFT 3

#define TRIGGERS_ALL (TRIGGER_BIT(_TRIGGER_MAX) - 1)

static_assert(
        REFILL_BATCH_BYTES * 8 >= 2 * REFILL_EVENT_BITS,
        "one batch is enough for an event, with a margin for sources under full credit");

static const char *const model_names[] = {
        [RANDOM_MODEL_UNKNOWN] = "unknown",
        [RANDOM_MODEL_COUNTING] = "counting",
        [RANDOM_MODEL_LATCHING] = "latching",
};

RandomModel refill_guess_model(uint32_t pool_bits, uint32_t level_bits, uint32_t poll_mask) {
        bool in = (poll_mask & EPOLLIN) != 0, out = (poll_mask & EPOLLOUT) != 0;

        if (pool_bits > LATCHING_POOL_BITS)
                return RANDOM_MODEL_COUNTING;
        if (pool_bits > 0)
                return RANDOM_MODEL_LATCHING;

        if (level_bits > LATCHING_POOL_BITS || (in && out))
                return RANDOM_MODEL_COUNTING;
        /* A counting pool of just 256 bits is below every usual threshold and would show POLLOUT. */
        if (level_bits == LATCHING_POOL_BITS && in)
                return RANDOM_MODEL_LATCHING;
        return RANDOM_MODEL_UNKNOWN;
}

const char *refill_model_to_string(RandomModel model) {
        return (unsigned)model < ELEMENTSOF(model_names) ? model_names[model] : "unknown";
}

static uint32_t pool_or_default(RandomModel model, uint32_t pool_bits) {
        if (pool_bits > 0)
                return pool_bits;
        return model == RANDOM_MODEL_COUNTING ? COUNTING_POOL_BITS : LATCHING_POOL_BITS;
}

uint32_t refill_predict_level_bits(
        RandomModel model,
        uint32_t pool_bits,
        uint32_t level_bits,
        uint32_t added_bits) {
        uint64_t pool = pool_or_default(model, pool_bits);
        uint64_t level = MIN(level_bits, pool), added = added_bits;

        if (model != RANDOM_MODEL_COUNTING)
                return (uint32_t)MIN(level + added, pool);

        pool <<= ENTROPY_SHIFT;
        level <<= ENTROPY_SHIFT;
        added <<= ENTROPY_SHIFT;
        while (added > 0 && level < pool - 2) {
                uint64_t chunk = MIN(added, pool / 2);

                level += (pool - level) * chunk * 3 / (4 * pool);
                added -= chunk;
        }
        return (uint32_t)(level >> ENTROPY_SHIFT);
}

/* The least multiple of 64 bytes that a source of this credit needs for so many bits. */
static uint32_t bytes_for_bits(uint32_t bits, uint32_t source_per_1024) {
        uint64_t bytes;

        if (source_per_1024 == 0)
                return REFILL_BATCH_BYTES;

        bytes = ((uint64_t)bits * CREDIT_PER_1024_MAX + 8 * source_per_1024 - 1) /
                (8 * (uint64_t)source_per_1024);
        bytes = MIN(bytes, REFILL_BATCH_MAX_BYTES);
        bytes = (bytes + REFILL_BATCH_BYTES - 1) / REFILL_BATCH_BYTES * REFILL_BATCH_BYTES;
        return MAX((uint32_t)bytes, REFILL_BATCH_BYTES);
}

/* The least batch that takes a counting pool from this level to the goal, or the largest one. */
static uint32_t bytes_for_level(const RefillState *state, uint32_t goal_bits) {
        uint32_t bytes = REFILL_BATCH_BYTES;

        if (state->source_per_1024 == 0)
                return bytes;

        while (bytes < REFILL_BATCH_MAX_BYTES &&
               refill_predict_level_bits(
                       state->model,
                       state->pool_bits,
                       state->level_bits,
                       8 * bytes * state->source_per_1024 / CREDIT_PER_1024_MAX) < goal_bits)
                bytes += REFILL_BATCH_BYTES;
        return bytes;
}

static RefillPlan ask(const RefillState *state, uint32_t bytes, bool reseed) {
        /* Less could not be judged by the health tests, and so not be credited. */
        uint32_t max_bytes = state->batch_max_bytes == 0
                                     ? REFILL_BATCH_MAX_BYTES
                                     : MAX(state->batch_max_bytes, HEALTH_MIN_BATCH_BYTES);

        return (RefillPlan){
                .action = REFILL_ASK,
                .length_bytes = MIN(bytes, max_bytes),
                .reseed = reseed,
        };
}

static RefillPlan stop(RefillAction action) {
        return (RefillPlan){ .action = action };
}

/* What was credited with nothing cannot have changed anything, and would not the next time. */
static bool is_futile(const RefillState *state) {
        return state->rounds_done > 0 && (state->credited_bits == 0 || state->source_per_1024 == 0);
}

static RefillPlan plan_unready(const RefillState *state) {
        uint32_t pool_bits = pool_or_default(state->model, state->pool_bits);
        uint32_t bytes = REFILL_BATCH_BYTES;
        RefillPlan plan;

        if (state->rounds_done >= REFILL_ROUNDS_UNREADY || is_futile(state))
                return stop(REFILL_NO_PROGRESS);

        /* Nothing may delay the first batch: a slow source needs its time for each byte. */
        if (state->rounds_done > 0 && state->model != RANDOM_MODEL_COUNTING)
                bytes = bytes_for_bits(
                        pool_bits - MIN(state->level_bits, pool_bits),
                        state->source_per_1024);

        /* The kernel may become ready of itself while the bytes are read: then it must reseed. */
        plan = ask(state, bytes, true);
        if (state->rounds_done > 0 && state->model == RANDOM_MODEL_COUNTING)
                plan.pause_usec = REFILL_UNREADY_PAUSE_USEC;
        return plan;
}

static RefillPlan plan_event(const RefillState *state) {
        uint32_t missing_bits = REFILL_EVENT_BITS - MIN(state->credited_bits, REFILL_EVENT_BITS);

        if (missing_bits == 0)
                return stop(REFILL_DONE);
        if (is_futile(state) || state->rounds_done >= REFILL_ROUNDS_MAX)
                return stop(REFILL_NO_PROGRESS);

        return ask(state, bytes_for_bits(missing_bits, state->source_per_1024), true);
}

static RefillPlan plan_level(const RefillState *state) {
        uint32_t pool_bits = pool_or_default(state->model, state->pool_bits);
        uint32_t goal_bits = pool_bits;

        if (state->model == RANDOM_MODEL_COUNTING)
                goal_bits -= MIN(REFILL_TOP_MARGIN_BITS, pool_bits / 2);

        if (state->level_bits >= goal_bits)
                return stop(state->credited_bits == 0 ? REFILL_NO_PROGRESS : REFILL_DONE);
        if (is_futile(state))
                return stop(REFILL_NO_PROGRESS);
        if (state->rounds_done >= REFILL_ROUNDS_MAX)
                return stop(REFILL_DONE);

        /*
         * No reseed: it takes 256 bits out again, and what is added to a stock need not count at
         * once. A latching kernel has no stock.
         */
        return ask(state, bytes_for_level(state, goal_bits), state->model != RANDOM_MODEL_COUNTING);
}

RefillPlan refill_plan(const RefillState *state) {
        uint32_t events = state->triggers & TRIGGERS_ALL & ~TRIGGER_BIT(TRIGGER_LEVEL);
        uint32_t levels = state->triggers & TRIGGER_BIT(TRIGGER_LEVEL);
        RefillPlan plan = stop(REFILL_DONE);

        if (state->model == RANDOM_MODEL_COUNTING)
                levels |= state->triggers & TRIGGER_BIT(TRIGGER_START);

        if (events == 0 && levels == 0)
                return plan;
        if (!state->ready)
                return plan_unready(state);
        if (events != 0)
                plan = plan_event(state);
        if (plan.action != REFILL_ASK && levels != 0) {
                RefillPlan level_plan = plan_level(state);

                if (level_plan.action != REFILL_DONE)
                        return level_plan;
        }
        return plan;
}

uint32_t refill_threshold_bits(
        RandomModel model,
        uint32_t pool_bits,
        uint32_t asked,
        bool is_percent) {
        uint64_t pool = pool_or_default(model, pool_bits);
        uint64_t bits = is_percent ? pool * asked / 100 : asked;

        if (model != RANDOM_MODEL_COUNTING)
                return 0;
        return (uint32_t)MIN(bits, pool - pool / 8);
}
