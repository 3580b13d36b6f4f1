/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Continuous health tests over the bytes of one source (NIST SP 800-90B §4.4): the repetition
 * count test, the adaptive proportion test, and predictors for what those two pass (a constant
 * step, a short period, a counter). They judge from the first 32 bytes on; state is kept from
 * batch to batch. Pure: numbers in, a verdict out.
 *
 * Each test has two cutoffs: intermittent (a healthy source fails with 2^-30 per sample: drop the
 * batch, go on) and permanent (2^-60: the source is broken, or HEALTH_STREAK_MAX batches failed in
 * a row). The table is recomputed by tests/unit/health-cutoffs.py --check.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_MIN_BATCH_BYTES 32U
#define HEALTH_STREAK_MAX      4U
#define HEALTH_LAG_MAX         64U

typedef enum HealthVerdict {
        HEALTH_PASS,
        HEALTH_TOO_SHORT, /* under HEALTH_MIN_BATCH_BYTES: nothing can be said, so no credit */
        HEALTH_INTERMITTENT,
        HEALTH_PERMANENT,
} HealthVerdict;

typedef enum HealthTest {
        HEALTH_TEST_NONE,
        HEALTH_TEST_REPETITION,
        HEALTH_TEST_PROPORTION,
        HEALTH_TEST_STEP,
        HEALTH_TEST_PERIOD,
        HEALTH_TEST_STREAK,
} HealthTest;

typedef struct Health Health; /* see the end of this header; embed it, do not look inside */

/* Starts over, with cutoffs for a claim of quality_per_1024 (1..1024; 0 is tested like 64). */
void health_init(Health *health, uint32_t quality_per_1024);

/* Judges one batch as a whole: a failure anywhere in it fails all of it. */
HealthVerdict health_test(Health *health, const uint8_t *bytes, size_t length_bytes);

/* Which test said no at the last call, for the log: "repetition count", "period of 16 bytes"... */
HealthTest health_failed_test(const Health *health);
const char *health_test_to_string(HealthTest test);
