/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/sample/trace-buffer.h"
#include "tests/unit/harness.h"

#define START UINT64_C(5000000)

static TraceBuffer trace;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(trace_buffer_new(10000, TRACE_BUFFER_MIN_SAMPLES, &trace), 0);
        trace_buffer_begin(&trace, START);
}

static void teardown(void) {
        trace_buffer_free(&trace);
}

static uint32_t lowest(void) {
        uint32_t level = UINT32_MAX;

        for (size_t i = 0; i < trace.n_samples; i++)
                level = MIN(level, trace.map->samples[i].minimum_bits);
        return level;
}

static uint32_t highest(void) {
        uint32_t level = 0;

        for (size_t i = 0; i < trace.n_samples; i++)
                level = MAX(level, trace.map->samples[i].maximum_bits);
        return level;
}

/* Full many times over: the number is bounded, order and extremes stay, the interval tells. */
static void test_thinning(void) {
        uint64_t at_usec = START;

        for (size_t i = 0; i < 300; i++) {
                uint32_t level = i == 77 ? 3 : i == 78 ? 4095 : 1000;

                trace_buffer_add_sample(&trace, at_usec, level);
                at_usec += trace.interval_usec;
                CU_ASSERT(trace.n_samples <= TRACE_BUFFER_MIN_SAMPLES);
        }
        CU_ASSERT_EQUAL(lowest(), 3);
        CU_ASSERT_EQUAL(highest(), 4095);
        CU_ASSERT(trace.thinnings >= 5);
        CU_ASSERT_EQUAL(trace.interval_usec, UINT64_C(10000) << trace.thinnings);
        CU_ASSERT_EQUAL(trace.map->samples[0].at_ticks, 0);
        for (size_t i = 1; i < trace.n_samples; i++)
                CU_ASSERT(trace.map->samples[i].at_ticks > trace.map->samples[i - 1].at_ticks);
}

static void test_sample_limits(void) {
        trace_buffer_add_sample(&trace, START - 1, 1);
        trace_buffer_add_sample(&trace, START + RECORDING_TICK_USEC * (UINT64_C(1) << 32), 1);
        CU_ASSERT_EQUAL(trace.n_samples, 0);
        trace_buffer_add_sample(&trace, START + 25, 70000);
        CU_ASSERT_EQUAL(trace.n_samples, 1);
        CU_ASSERT_EQUAL(trace.map->samples[0].at_ticks, 2);
        CU_ASSERT_EQUAL(trace.map->samples[0].maximum_bits, UINT16_MAX);
}

static uint64_t all_starts(bool execs) {
        uint64_t n = 0;

        for (size_t i = 0; i < trace.n_bins; i++)
                n += execs ? trace.map->bins[i].execs : trace.map->bins[i].forks;
        return n;
}

/* A start long after the first widens the bins until it fits; none is lost. */
static void test_starts(void) {
        trace_buffer_count_start(&trace, START - 1, 1, 1);
        CU_ASSERT_EQUAL(trace.n_bins, 0);
        trace_buffer_count_start(&trace, START, 1, 0);
        trace_buffer_count_start(&trace, START + 9999, 0, 2);
        trace_buffer_count_start(&trace, START + 10000, 1, 0);
        CU_ASSERT_EQUAL(trace.n_bins, 2);
        CU_ASSERT_EQUAL(trace.map->bins[0].execs, 1);
        CU_ASSERT_EQUAL(trace.map->bins[0].forks, 2);

        trace_buffer_count_start(&trace, START + UINT64_C(36000000000), 5, 7);
        CU_ASSERT_EQUAL(all_starts(true), 7);
        CU_ASSERT_EQUAL(all_starts(false), 9);
        CU_ASSERT(trace.bin_usec > 10000);
        CU_ASSERT_EQUAL(trace.map->bins[UINT64_C(36000000000) / trace.bin_usec].execs, 5);
        /* A count that does not fit stays at the largest. */
        trace_buffer_count_start(&trace, START, 70000, 0);
        CU_ASSERT_EQUAL(trace.map->bins[0].execs, UINT16_MAX);
}

static void scan(uint64_t at_usec, const BlockedTask *tasks, size_t n) {
        trace_buffer_begin_scan(&trace);
        for (size_t i = 0; i < n; i++)
                trace_buffer_add_blocked(&trace, at_usec, &tasks[i]);
        trace_buffer_end_scan(&trace);
}

static void test_spans(void) {
        BlockedTask tasks[] = {
                { .pid = 10, .tid = 10, .how = BLOCKED_SLEEPS, .name = "sshd" },
                { .pid = 11, .tid = 11, .how = BLOCKED_SLEEPS, .name = "gpg" },
        };

        scan(START + 20, tasks, 2);
        tasks[0].how = BLOCKED_JITTER;
        scan(START + 40, tasks, 1);
        CU_ASSERT_EQUAL(trace.n_spans, 2);
        CU_ASSERT(trace.map->spans[0].open && trace.map->spans[0].jitter);
        CU_ASSERT(!trace.map->spans[1].open && !trace.map->spans[1].jitter);
        CU_ASSERT_EQUAL(trace.map->spans[1].to_usec, START + 20);

        /* The same thread again is another wait. */
        scan(START + 60, tasks, 2);
        CU_ASSERT_EQUAL(trace.n_spans, 3);
        trace_buffer_release_blocked(&trace, START + 65);
        CU_ASSERT_EQUAL(trace.map->spans[0].to_usec, START + 65);
        CU_ASSERT_EQUAL(trace.map->spans[1].to_usec, START + 20);
        CU_ASSERT_EQUAL(trace.map->spans[2].to_usec, START + 65);
        CU_ASSERT(!trace.map->spans[0].open && !trace.map->spans[2].open);
        CU_ASSERT_STRING_EQUAL(trace.map->spans[0].name, "sshd");
}

static void test_full(void) {
        char longest[2 * EVENT_TEXT_MAX];

        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        for (int i = 0; i < 3000; i++) {
                BlockedTask task = { .pid = i, .tid = i, .how = BLOCKED_SLEEPS, .name = "a" };

                trace_buffer_add_event(&trace, START, EVENT_SEEDER, longest);
                trace_buffer_add_blocked(&trace, START, &task);
        }
        CU_ASSERT_EQUAL(trace.n_events + trace.lost_events, 3000);
        CU_ASSERT_EQUAL(trace.n_spans + trace.lost_spans, 3000);
        CU_ASSERT(trace.lost_events > 0 && trace.lost_spans > 0);
        CU_ASSERT_EQUAL(strlen(trace.map->events[0].text), EVENT_TEXT_MAX - 1);
}

/* An hour at 10 ms, the largest there is. */
static void test_size(void) {
        TraceBuffer large = {};

        CU_ASSERT_EQUAL_FATAL(trace_buffer_new(10000, SIZE_MAX, &large), 0);
        CU_ASSERT(large.max_samples >= 360000);
        CU_ASSERT(large.map_bytes <= 4U * 1024 * 1024);
        trace_buffer_free(&large);
}

static void test_names(void) {
        for (EventKind kind = 0; kind < _EVENT_MAX; kind++) {
                EventKind found = _EVENT_MAX;

                CU_ASSERT_PTR_NOT_NULL_FATAL(event_kind_to_string(kind));
                CU_ASSERT_EQUAL(event_kind_from_string(event_kind_to_string(kind), &found), 0);
                CU_ASSERT_EQUAL(found, kind);
        }
        CU_ASSERT_EQUAL(event_kind_from_string("nothing", &(EventKind){ 0 }), -EINVAL);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_thinning), HARNESS_TEST(test_sample_limits),
        HARNESS_TEST(test_starts),   HARNESS_TEST(test_spans),
        HARNESS_TEST(test_full),     HARNESS_TEST(test_size),
        HARNESS_TEST(test_names),    CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("memory", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
