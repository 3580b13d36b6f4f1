/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "monitor/status/seeded.h"

/* Fewer bits than this do not make the RNG safe by themselves. */
#define ENOUGH_BITS 256U

static Seeded answer(Seeded seeded, const char *by, const char *detail, char *ret_by) {
        (void)snprintf(ret_by, SEEDED_TEXT_MAX, detail[0] ? "%s (%.100s)" : "%s", by, detail);
        return seeded;
}

static bool before_init(const SeededFacts *facts) {
        return facts->log_ready_usec > 0 &&
               (facts->log_trusted ||
                (facts->log_init_usec > 0 && facts->log_ready_usec < facts->log_init_usec));
}

Seeded seeded_judge(
        const SeededFacts *facts,
        char ret_by[static SEEDED_TEXT_MAX],
        uint64_t *ret_since_usec) {
        *ret_since_usec = facts->log_ready_usec;
        if (*ret_since_usec == 0)
                *ret_since_usec = facts->rngd_since_usec;
        if (!facts->ready_known)
                return answer(SEEDED_UNKNOWN, "cannot ask the kernel", "", ret_by);
        if (!facts->ready) {
                *ret_since_usec = 0;
                return answer(SEEDED_NOT_READY, "nothing", "", ret_by);
        }

        if (facts->seeder_bits >= ENOUGH_BITS)
                return answer(SEEDED_YES, "entropy-seeder", facts->seeder_source, ret_by);
        if (facts->rngd_bits >= ENOUGH_BITS)
                return answer(SEEDED_YES, "rngd", facts->rngd_source, ret_by);
        if (before_init(facts))
                return answer(
                        SEEDED_YES,
                        "the kernel: CPU or boot loader, before the first process",
                        "",
                        ret_by);
        if (facts->hwrng[0] && facts->hwrng_credited)
                return answer(SEEDED_YES, "the kernel's hwrng thread", facts->hwrng, ret_by);
        if (facts->recording_jitter)
                return answer(
                        SEEDED_JITTER,
                        "the kernel's jitter loop, as the recording of this boot shows",
                        "",
                        ret_by);
        /* Ready after init ran, and no other source is present. */
        if (facts->log_known && facts->log_ready_usec > 0 && facts->log_init_usec > 0 &&
            !facts->hwrng[0] && !facts->cpu_trusted && !facts->rngd_ran)
                return answer(
                        SEEDED_JITTER,
                        "the kernel alone: no device, no instruction, no daemon",
                        "",
                        ret_by);
        return answer(
                SEEDED_UNKNOWN,
                facts->rngd_ran && !facts->rngd_answers ? "rngd ran, but does not answer"
                                                        : "nobody says",
                "",
                ret_by);
}

const char *seeded_to_string(Seeded seeded) {
        static const char *const names[] = {
                [SEEDED_YES] = "seeded",
                [SEEDED_JITTER] = "jitter",
                [SEEDED_NOT_READY] = "not-ready",
                [SEEDED_UNKNOWN] = "unknown",
        };

        return names[seeded];
}
