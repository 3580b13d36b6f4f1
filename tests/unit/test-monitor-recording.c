/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "monitor/show/recording.h"
#include "tests/unit/harness.h"
#include "tests/unit/monitor-sample.h"

static void test_good(void) {
        _cleanup_recording_ Recording recording = {};
        char error[RECORDING_ERROR_MAX] = "";

        CU_ASSERT_EQUAL_FATAL(recording_parse(SAMPLE, strlen(SAMPLE), &recording, error), 0);
        CU_ASSERT_EQUAL(recording.model, RANDOM_MODEL_COUNTING);
        CU_ASSERT(recording.first_process && recording.ready && !recording.ready_at_start);
        CU_ASSERT_EQUAL(recording.ready_usec, 2000000);
        CU_ASSERT_EQUAL(recording.n_samples, 5);
        CU_ASSERT_EQUAL(recording.maximum_bits[4], 1500);
        CU_ASSERT_EQUAL(recording.n_starts, 8);
        CU_ASSERT_EQUAL(recording.n_blocked, 1);
        CU_ASSERT_STRING_EQUAL(recording.blocked[0].name, "<ssh&d>");
        /* By time, without the kind that nobody knows yet. */
        CU_ASSERT_EQUAL(recording.n_events, 3);
        CU_ASSERT_EQUAL(recording.events[0].kind, EVENT_INIT_STARTED);
        CU_ASSERT_EQUAL(recording.events[2].kind, EVENT_READY);
        CU_ASSERT_STRING_EQUAL(recording.hwrng, "");
}

/* Cut off anywhere: an error that says so, and no leak (ASan watches). */
static void test_truncated(void) {
        for (size_t n = 0; n < strlen(SAMPLE); n++) {
                char error[RECORDING_ERROR_MAX] = "";
                Recording recording = {};
                int r;

                r = recording_parse(SAMPLE, n, &recording, error);
                CU_ASSERT_EQUAL(r, -EBADMSG);
                CU_ASSERT_STRING_EQUAL(error, "it ends in the middle");
        }
}

#define SAMPLE_RNG_OF(rng) \
        SAMPLE_WITH(rng, SAMPLE_SAMPLES, SAMPLE_STARTS, SAMPLE_BLOCKED, SAMPLE_EVENTS, "")
#define SAMPLE_SAMPLES_OF(samples) \
        SAMPLE_WITH(SAMPLE_RNG, samples, SAMPLE_STARTS, SAMPLE_BLOCKED, SAMPLE_EVENTS, "")
#define SAMPLE_STARTS_OF(starts) \
        SAMPLE_WITH(SAMPLE_RNG, SAMPLE_SAMPLES, starts, SAMPLE_BLOCKED, SAMPLE_EVENTS, "")
#define SAMPLE_BLOCKED_OF(blocked) \
        SAMPLE_WITH(SAMPLE_RNG, SAMPLE_SAMPLES, SAMPLE_STARTS, blocked, SAMPLE_EVENTS, "")

static void test_refused(void) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "hello", "it is not JSON" },
                { "[1]", "it is JSON, but not a recording" },
                { "{}", "it is JSON, but not a recording" },
                { "{\"format\": \"png\"}", "it is JSON, but not a recording" },
                { "{\"format\": \"guest-entropy-recording\", \"version\": 2}",
                  "its version is not 1, the one this program knows" },
                { "{\"format\": \"guest-entropy-recording\", \"version\": 1}",
                  "\"program\" is missing" },
                { SAMPLE_RNG_OF("\"rng\": 5"), "\"rng\" is not of the right kind" },
                { SAMPLE_RNG_OF("\"rng\": {\"pool_bits\": -1}"), "\"pool_bits\" is out of range" },
                { SAMPLE_SAMPLES_OF("\"samples\": {\"interval_usec\": 1, \"thinnings\": 0, "
                                    "\"at_usec\": [2,1], \"minimum_bits\": [1,1], "
                                    "\"maximum_bits\": [1,1]}"),
                  "\"at_usec\" does not ascend" },
                { SAMPLE_SAMPLES_OF("\"samples\": {\"interval_usec\": 1, \"thinnings\": 0, "
                                    "\"at_usec\": [1,2], \"minimum_bits\": [1,1], "
                                    "\"maximum_bits\": [1]}"),
                  "\"samples\" has columns of different lengths" },
                { SAMPLE_SAMPLES_OF("\"samples\": {\"interval_usec\": 1, \"thinnings\": 0, "
                                    "\"at_usec\": [1], \"minimum_bits\": [2], "
                                    "\"maximum_bits\": [1]}"),
                  "\"minimum_bits\" exceeds maximum_bits" },
                { SAMPLE_SAMPLES_OF("\"samples\": {\"interval_usec\": 1, \"thinnings\": 0, "
                                    "\"at_usec\": [\"x\"], \"minimum_bits\": [2], "
                                    "\"maximum_bits\": [1]}"),
                  "\"at_usec\" is not a whole number" },
                { SAMPLE_STARTS_OF("\"starts\": {\"from_usec\": 0, \"interval_usec\": 0, "
                                   "\"source\": \"none\", \"execs\": [], \"forks\": []}"),
                  "\"interval_usec\" is zero" },
                { SAMPLE_BLOCKED_OF("\"blocked\": [5]"),
                  "\"blocked\" holds something else than objects" },
                { SAMPLE_BLOCKED_OF(
                          "\"blocked\": [{\"pid\": 5, \"tid\": 5, \"from_usec\": 2, \"to_usec\": 1, "
                          "\"jitter\": true, \"open\": false, \"name\": \"x\"}]"),
                  "\"to_usec\" is before from_usec" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char error[RECORDING_ERROR_MAX] = "";
                Recording recording = {};

                harness_row("%s", rows[i].error);
                CU_ASSERT_EQUAL(
                        recording_parse(rows[i].text, strlen(rows[i].text), &recording, error),
                        -EBADMSG);
                CU_ASSERT_STRING_EQUAL(error, rows[i].error);
                CU_ASSERT_PTR_NULL(recording.document);
        }
}

static void test_no_file(void) {
        char error[RECORDING_ERROR_MAX] = "";
        Recording recording = {};

        CU_ASSERT_EQUAL(recording_read("/nonexistent/x", &recording, error), -ENOENT);
        CU_ASSERT(strlen(error) > 0);
        CU_ASSERT_EQUAL(recording_read("/dev/null", &recording, error), -EBADMSG);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_good),    HARNESS_TEST(test_truncated),
        HARNESS_TEST(test_refused), HARNESS_TEST(test_no_file),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("recording", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
