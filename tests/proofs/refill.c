/* SPDX-License-Identifier: MIT */
#include "lib/policy/refill.c"
#include "tests/proofs/proof.h"

static RandomModel nondet_model(void) {
        return (RandomModel)nondet_size_up_to(RANDOM_MODEL_LATCHING);
}

/* Any level: what is asked for must be right for all. */
uint32_t predict_contract(
        RandomModel model,
        uint32_t pool_bits,
        uint32_t level_bits,
        uint32_t added_bits) {
        (void)model;
        (void)pool_bits;
        (void)level_bits;
        PROVE(added_bits <= 8 * REFILL_BATCH_MAX_BYTES);
        return nondet_u32();
}

/*
 * Whatever a batch is credited with: never above the pool, never below the level, and the loop ends.
 *
 * bound: a counting pool of 4096 bits, any pool of other models, any level, 4096 bits more
 * unwind: 3
 * mutant: lib/policy/refill.c
 *   - uint64_t level = MIN(level_bits, pool), added = added_bits;
 *   + uint64_t level = level_bits, added = added_bits;
 * mutant: lib/policy/refill.c
 *   - uint64_t chunk = MIN(added, pool / 2);
 *   + uint64_t chunk = 2 * added;
 */
void prove_predict(void) {
        uint32_t level_bits = nondet_u32(), pool_bits = nondet_u32(), after;
        uint32_t added_bits = (uint32_t)nondet_size_up_to(8 * REFILL_BATCH_MAX_BYTES);
        RandomModel model = nondet_bool() ? RANDOM_MODEL_UNKNOWN : RANDOM_MODEL_LATCHING;

        if (nondet_bool()) {
                model = RANDOM_MODEL_COUNTING;
                pool_bits = COUNTING_POOL_BITS;
                after = refill_predict_level_bits(
                        RANDOM_MODEL_COUNTING,
                        COUNTING_POOL_BITS,
                        level_bits,
                        added_bits);
        } else
                after = refill_predict_level_bits(model, pool_bits, level_bits, added_bits);

        PROVE(after <= pool_or_default(model, pool_bits));
        PROVE(after >= MIN(level_bits, pool_or_default(model, pool_bits)));
}

/*
 * Any state: a batch that is asked for is long enough for the health tests and fits into one ioctl;
 * a source is not asked for ever, nor again for bytes that count for nothing.
 *
 * bound: every state with a credit of up to 1024
 * unwind: 10
 * replace: refill_predict_level_bits:predict_contract
 * mutant: lib/policy/refill.c
 *   - bytes = MIN(bytes, REFILL_BATCH_MAX_BYTES);
 * mutant: lib/policy/refill.c
 *   - : MAX(state->batch_max_bytes, HEALTH_MIN_BATCH_BYTES);
 *   + : state->batch_max_bytes;
 * mutant: lib/policy/refill.c
 *   - if (source_per_1024 == 0)
 *   + if (0)
 * mutant: lib/policy/refill.c
 *   - if (state->rounds_done >= REFILL_ROUNDS_UNREADY || is_futile(state))
 *   + if (is_futile(state))
 * mutant: lib/policy/refill.c
 *   - if (state->rounds_done >= REFILL_ROUNDS_UNREADY || is_futile(state))
 *   + if (state->rounds_done >= REFILL_ROUNDS_UNREADY)
 * mutant: lib/policy/refill.c
 *   - uint32_t missing_bits = REFILL_EVENT_BITS - MIN(state->credited_bits, REFILL_EVENT_BITS);
 *   + uint32_t missing_bits = REFILL_EVENT_BITS - state->credited_bits;
 */
void prove_plan(void) {
        RefillState state = {
                .model = nondet_model(),
                .ready = nondet_bool(),
                .pool_bits = nondet_u32(),
                .level_bits = nondet_u32(),
                .triggers = nondet_u32(),
                .rounds_done = nondet_u32(),
                .credited_bits = nondet_u32(),
                .source_per_1024 = (uint32_t)nondet_size_up_to(CREDIT_PER_1024_MAX),
                .batch_max_bytes = nondet_u32(),
        };
        RefillPlan plan = refill_plan(&state);

        PROVE(plan.pause_usec <= REFILL_UNREADY_PAUSE_USEC);
        if (plan.action != REFILL_ASK)
                return;
        PROVE(plan.length_bytes >= HEALTH_MIN_BATCH_BYTES);
        PROVE(plan.length_bytes <= REFILL_BATCH_MAX_BYTES);
        PROVE(state.rounds_done < REFILL_ROUNDS_UNREADY);
        PROVE(state.rounds_done == 0 || (state.credited_bits > 0 && state.source_per_1024 > 0));
}

/*
 * The threshold can be reached, whatever was asked for: else POLLOUT would never end.
 *
 * bound: every input
 * unwind: 1
 * mutant: lib/policy/refill.c
 *   - return (uint32_t)MIN(bits, pool - pool / 8);
 *   + return (uint32_t)bits;
 */
void prove_threshold(void) {
        RandomModel model = nondet_model();
        uint32_t pool_bits = nondet_u32(), pool = pool_or_default(model, pool_bits);
        uint32_t bits = refill_threshold_bits(model, pool_bits, nondet_u32(), nondet_bool());

        PROVE(bits <= pool - pool / 8);
        PROVE(bits == 0 || model == RANDOM_MODEL_COUNTING);
}
