/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Continuous health tests over the bytes of one source. Pure: numbers in, a verdict out.
 *
 *   repetition   one value too often in a row (NIST SP 800-90B 4.4.1)
 *   proportion   the first byte of 512 too often among them (SP 800-90B 4.4.2)
 *   period       for each lag of 1..64: the byte `lag` before is this byte too often
 *   step         for strides of 1, 2, 4, 8: the step from there to here is the one before it, which
 *                is a counter of so many bytes, of either byte order
 *   replay       sixteen bytes that one of the last 16 batches had at its start or in its middle: the
 *                same file or buffer again, or a period longer than a batch
 *
 * The first two are what the standard asks for; a counter passes both, so the others are there to
 * refuse it from one batch of 32 bytes. What they can see: at the full claim a period of up to 23
 * bytes in 32, up to 55 in 64; longer ones, up to 16 batches, by `replay` in a later batch. A claim
 * under 4.5 bits per byte has no `replay` and needs more bytes for the rest. A generator that is
 * merely predictable (an LCG, a hash of a counter) passes, as it passes every such test.
 *
 * Each test has two cutoffs: intermittent (a source that keeps its claim fails with at most 2^-30
 * for each byte, or window where the test has windows: drop the batch, go on) and permanent (2^-60;
 * or HEALTH_STREAK_MAX batches failed in a row: the source is broken). They come from the claimed
 * quality, rounded down to half bits per byte; claims under 64 are tested as 64, the least that a
 * batch can show. tests/unit/health-cutoffs.py computes the table and says how.
 *
 * State goes on from batch to batch. Two bytes and two fingerprints of each of 16 batches (64
 * bits for 16 bytes, so no way back) are all that is kept of what was read: these bytes were the
 * secret of an early boot, and a snapshot of this memory must not give them away.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_MIN_BATCH_BYTES 32U
#define HEALTH_STREAK_MAX      4U
#define HEALTH_LAG_MAX         64U
#define HEALTH_STRIDE_COUNT    4U
#define HEALTH_REPLAY_MEMORY   32U

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
        HEALTH_TEST_REPLAY,
        HEALTH_TEST_STREAK, /* HEALTH_STREAK_MAX intermittent failures, of whatever test */
        _HEALTH_TEST_MAX,
} HealthTest;

typedef struct HealthCutoffs HealthCutoffs;

/* Embed it, look at it through the functions below only. */
typedef struct Health {
        const HealthCutoffs *cutoffs;

        /* restarted after each intermittent failure */
        uint32_t repetition_run;
        uint32_t proportion_seen; /* bytes of the window; 0 = the next byte starts one */
        uint32_t proportion_count;
        uint32_t window_seen;
        uint8_t repetition_byte;
        uint8_t proportion_byte;
        uint8_t lag_hits[HEALTH_LAG_MAX]; /* [0] is the longest lag */
        uint8_t stride_hits[HEALTH_STRIDE_COUNT];

        /* kept: forgetting the fingerprints would let every second replay pass */
        uint64_t replay_memory[HEALTH_REPLAY_MEMORY];
        uint32_t replay_count; /* all that were ever stored, the index of the next one */
        uint32_t streak;

        HealthTest failed_test;
        uint32_t failed_distance_bytes; /* PERIOD: the lag; STEP: the stride, a counter's width */
        bool retired;
} Health;

/* Starts over, with cutoffs for a claim of quality_per_1024 (1..1024; 0 is tested like 64). */
void health_init(Health *health, uint32_t quality_per_1024);

/* The same for a source that may still be the one it was: what it gave before is not forgotten. */
void health_begin_again(Health *health, uint32_t quality_per_1024);

/*
 * Judges one batch as a whole: a failure anywhere in it fails all of it. A batch that is too short
 * is judged too, and may fail; where it does not, the verdict is HEALTH_TOO_SHORT, which neither
 * ends a streak nor adds to it. HEALTH_PERMANENT is the answer to every batch after the first one
 * that got it, until health_init().
 */
HealthVerdict health_test(Health *health, const uint8_t *bytes, size_t length_bytes);

/* Which test said no at the last call, for the log; HEALTH_TEST_NONE if none did. */
HealthTest health_failed_test(const Health *health);

/* "repetition count", "short period"...; never NULL. */
const char *health_test_to_string(HealthTest test);
