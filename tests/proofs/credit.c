/* SPDX-License-Identifier: MIT */
#include "lib/policy/credit.c"
#include "tests/proofs/proof.h"

#define BATCH_MAX 4096U

static CreditInput nondet_input(void) {
        CreditInput input = {
                .source_class = (SourceClass)nondet_u32(),
                .length_bytes = nondet_size(),
                .healthy = nondet_bool(),
                .fresh = nondet_bool(),
                .maybe_stale = nondet_bool(),
                .repeated = nondet_bool(),
                .confidential_guest = nondet_bool(),
                .enabled_by_admin = nondet_bool(),
                .origin = (SeedOrigin)nondet_u32(),
                .use = (SeedUse)nondet_u32(),
                .text = nondet_bool(),
                .marked_creditable = nondet_bool(),
                .first_boot = nondet_bool(),
                .trust = (CreditTrust)nondet_u32(),
                .quality_per_1024 = nondet_u32(),
                .override_per_1024 = nondet_u32(),
        };

        return input;
}

/* The doubts of the table, told once more and apart: any of them is a zero. */
static bool is_doubtful(const CreditInput *input) {
        bool always = input->trust == CREDIT_TRUST_ALWAYS;
        bool is_static = input->source_class == SOURCE_CLASS_STATIC_HOST;
        bool is_saved = input->source_class == SOURCE_CLASS_SAVED;
        bool from_platform = input->origin == SEED_ORIGIN_PLATFORM ||
                             (input->origin == SEED_ORIGIN_UNKNOWN && always);
        bool first_use = input->use == SEED_USE_FIRST || (input->use == SEED_USE_UNKNOWN && always);

        if ((unsigned)input->source_class >= _SOURCE_CLASS_MAX || !input->healthy)
                return true;
        if (input->confidential_guest && input->source_class != SOURCE_CLASS_CPU)
                return true;
        if (input->quality_per_1024 == 0 || input->override_per_1024 == 0)
                return true;
        if ((is_static || is_saved || input->source_class == SOURCE_CLASS_CONFIGURED) &&
            input->trust == CREDIT_TRUST_NEVER)
                return true;
        if (is_static)
                return !from_platform || !first_use || input->text;
        if (is_saved)
                return !input->marked_creditable || input->first_boot;
        if (input->source_class == SOURCE_CLASS_LIVE_NETWORK && !input->enabled_by_admin)
                return true;
        return !input->fresh || input->maybe_stale || input->repeated;
}

/*
 * 0 where any doubt is set or a value is outside its enum, and then with a reason.
 *
 * bound: every input
 * unwind: 1
 * mutant: lib/policy/credit.c
 *   - if (!input->healthy && verdict.reason == CREDIT_GRANTED)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - if (input->confidential_guest && input->source_class != SOURCE_CLASS_CPU)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - if (!input->fresh)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - if (input->maybe_stale)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - return input->repeated ? CREDIT_NO_REPEATED : CREDIT_GRANTED;
 *   + return CREDIT_GRANTED;
 * mutant: lib/policy/credit.c
 *   - if (!input->enabled_by_admin)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - return input->text ? CREDIT_NO_TEXT : doubt_of_use(input);
 *   + return doubt_of_use(input);
 * mutant: lib/policy/credit.c
 *   - if (!input->marked_creditable)
 *   + if (0)
 * mutant: lib/policy/credit.c
 *   - return input->first_boot ? CREDIT_NO_FIRST_BOOT : CREDIT_GRANTED;
 *   + return CREDIT_GRANTED;
 * mutant: lib/policy/credit.c
 *   - case SOURCE_CLASS_CONFIGURED: if (input->trust == CREDIT_TRUST_NEVER)
 *   + case SOURCE_CLASS_CONFIGURED: if (0)
 * mutant: lib/policy/credit.c
 *   - return CREDIT_NO_IMAGE;
 *   + return CREDIT_GRANTED;
 * mutant: lib/policy/credit.c
 *   - return CREDIT_NO_PUBLIC;
 *   + return CREDIT_GRANTED;
 * mutant: lib/policy/credit.c
 *   - return CREDIT_NO_USED;
 *   + return CREDIT_GRANTED;
 */
void prove_judge(void) {
        CreditInput input = nondet_input();
        CreditVerdict verdict = credit_judge(&input);

        PROVE((verdict.bits > 0) == (verdict.reason == CREDIT_GRANTED));
        PROVE(verdict.reason < _CREDIT_REASON_MAX);
        PROVE(verdict.bits == 0 || !is_doubtful(&input));
}

/*
 * Never more than eight bits a byte, nor than the driver and the administrator state.
 *
 * bound: every input; eight bits: a batch of up to 4096 bytes; the statements: one of 128 bytes
 * unwind: 1
 * mutant: lib/policy/credit.c
 *   - uint32_t per_1024 = MIN(input->override_per_1024, CREDIT_PER_1024_MAX);
 *   + uint32_t per_1024 = input->override_per_1024;
 * mutant: lib/policy/credit.c
 *   - uint64_t length_bytes = MIN(input->length_bytes, (size_t)(UINT32_MAX / 8));
 *   + uint64_t length_bytes = input->length_bytes;
 * mutant: lib/policy/credit.c
 *   - return *ret_reason == CREDIT_GRANTED ? MIN(per_1024, input->quality_per_1024) : 0;
 *   + return *ret_reason == CREDIT_GRANTED ? per_1024 : 0;
 */
void prove_limits(void) {
        CreditInput input = nondet_input();
        CreditVerdict verdict = credit_judge(&input);
        uint32_t per_1024 = credit_per_1024(&input);

        PROVE(per_1024 <= CREDIT_PER_1024_MAX && per_1024 <= input.quality_per_1024);
        PROVE(per_1024 <= input.override_per_1024);
        /* Health tests and refill count on it: what a source claims is never less than it gets. */
        PROVE(verdict.bits == 0 || per_1024 > 0);
        if (input.length_bytes <= BATCH_MAX)
                PROVE(verdict.bits <= 8 * input.length_bytes);
        if (input.length_bytes == 128)
                PROVE(verdict.bits <= per_1024);
}
