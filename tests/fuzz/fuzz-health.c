/* SPDX-License-Identifier: MIT */
/*
 * Batches of all sizes at all claims: first byte the quality, then batches, each one byte of length
 * and what it announces. Checks what holds for every input.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static bool is_stuck(const uint8_t *bytes, size_t length) {
        return length > 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static void check(
        const Health *health,
        HealthVerdict verdict,
        const uint8_t *bytes,
        size_t length) {
        bool failed = verdict == HEALTH_INTERMITTENT || verdict == HEALTH_PERMANENT;

        require(verdict >= HEALTH_PASS && verdict <= HEALTH_PERMANENT);
        require(failed == (health_failed_test(health) != HEALTH_TEST_NONE));
        require(health->failed_distance_bytes <= HEALTH_LAG_MAX);
        require(strcmp(health_test_to_string(health_failed_test(health)), "unknown") != 0);
        if (length < HEALTH_MIN_BATCH_BYTES)
                require(verdict != HEALTH_PASS);
        else
                require(verdict != HEALTH_TOO_SHORT);
        /* The least claim that there is refuses a run of 61. */
        if (length > 61 && is_stuck(bytes, length))
                require(failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        HealthVerdict last = HEALTH_PASS;
        Health health, twin;

        if (size == 0)
                return 0;

        health_init(&health, 4U * data[0] + 4U);
        health_init(&twin, 4U * data[0] + 4U);
        data++;
        size--;

        while (size > 0) {
                /* up to 510, so that batches begin anywhere in the windows */
                size_t length = (size_t)data[0] * 2 < size ? (size_t)data[0] * 2 : size - 1;
                HealthVerdict verdict = health_test(&health, data + 1, length);

                require(health_test(&twin, data + 1, length) == verdict);
                require(last != HEALTH_PERMANENT || verdict == HEALTH_PERMANENT);
                check(&health, verdict, data + 1, length);
                last = verdict;
                data += 1 + length;
                size -= 1 + length;
        }
        return 0;
}
