/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/memory.h"
#include "tests/unit/harness.h"

#define START UINT64_C(5000000)

static Memory memory;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(memory_new(10000, MEMORY_MIN_SAMPLES, &memory), 0);
        memory_begin(&memory, START);
}

static void teardown(void) {
        memory_free(&memory);
}

static uint32_t lowest(void) {
        uint32_t level = UINT32_MAX;

        for (size_t i = 0; i < memory.n_samples; i++)
                level = MIN(level, memory.samples[i].minimum_bits);
        return level;
}

static uint32_t highest(void) {
        uint32_t level = 0;

        for (size_t i = 0; i < memory.n_samples; i++)
                level = MAX(level, memory.samples[i].maximum_bits);
        return level;
}

/* Full many times over: the number is bounded, order and extremes stay, the interval tells. */
static void test_thinning(void) {
        uint64_t at_usec = START;

        for (size_t i = 0; i < 300; i++) {
                uint32_t level = i == 77 ? 3 : i == 78 ? 4095 : 1000;

                memory_add_sample(&memory, at_usec, level);
                at_usec += memory.interval_usec;
                CU_ASSERT(memory.n_samples <= MEMORY_MIN_SAMPLES);
        }
        CU_ASSERT_EQUAL(lowest(), 3);
        CU_ASSERT_EQUAL(highest(), 4095);
        CU_ASSERT(memory.thinnings >= 5);
        CU_ASSERT_EQUAL(memory.interval_usec, UINT64_C(10000) << memory.thinnings);
        CU_ASSERT_EQUAL(memory.samples[0].at_ticks, 0);
        for (size_t i = 1; i < memory.n_samples; i++)
                CU_ASSERT(memory.samples[i].at_ticks > memory.samples[i - 1].at_ticks);
}

static void test_sample_limits(void) {
        memory_add_sample(&memory, START - 1, 1);
        memory_add_sample(&memory, START + MEMORY_TICK_USEC * (UINT64_C(1) << 32), 1);
        CU_ASSERT_EQUAL(memory.n_samples, 0);
        memory_add_sample(&memory, START + 25, 70000);
        CU_ASSERT_EQUAL(memory.n_samples, 1);
        CU_ASSERT_EQUAL(memory.samples[0].at_ticks, 2);
        CU_ASSERT_EQUAL(memory.samples[0].maximum_bits, UINT16_MAX);
}

static uint64_t all_starts(bool execs) {
        uint64_t n = 0;

        for (size_t i = 0; i < memory.n_bins; i++)
                n += execs ? memory.bins[i].execs : memory.bins[i].forks;
        return n;
}

/* A start long after the first widens the bins until it fits; none is lost. */
static void test_starts(void) {
        memory_count_start(&memory, START - 1, 1, 1);
        CU_ASSERT_EQUAL(memory.n_bins, 0);
        memory_count_start(&memory, START, 1, 0);
        memory_count_start(&memory, START + 9999, 0, 2);
        memory_count_start(&memory, START + 10000, 1, 0);
        CU_ASSERT_EQUAL(memory.n_bins, 2);
        CU_ASSERT_EQUAL(memory.bins[0].execs, 1);
        CU_ASSERT_EQUAL(memory.bins[0].forks, 2);

        memory_count_start(&memory, START + UINT64_C(36000000000), 5, 7);
        CU_ASSERT_EQUAL(all_starts(true), 7);
        CU_ASSERT_EQUAL(all_starts(false), 9);
        CU_ASSERT(memory.bin_usec > 10000);
        CU_ASSERT_EQUAL(memory.bins[UINT64_C(36000000000) / memory.bin_usec].execs, 5);
        /* A count that does not fit stays at the largest. */
        memory_count_start(&memory, START, 70000, 0);
        CU_ASSERT_EQUAL(memory.bins[0].execs, UINT16_MAX);
}

static void look(uint64_t at_usec, const BlockedTask *tasks, size_t n) {
        memory_begin_look(&memory);
        for (size_t i = 0; i < n; i++)
                memory_see_blocked(&memory, at_usec, &tasks[i]);
        memory_end_look(&memory);
}

static void test_spans(void) {
        BlockedTask tasks[] = {
                { .pid = 10, .tid = 10, .how = BLOCKED_SLEEPS, .name = "sshd" },
                { .pid = 11, .tid = 11, .how = BLOCKED_SLEEPS, .name = "gpg" },
        };

        look(START + 20, tasks, 2);
        tasks[0].how = BLOCKED_JITTER;
        look(START + 40, tasks, 1);
        CU_ASSERT_EQUAL(memory.n_spans, 2);
        CU_ASSERT(memory.spans[0].open && memory.spans[0].jitter);
        CU_ASSERT(!memory.spans[1].open && !memory.spans[1].jitter);
        CU_ASSERT_EQUAL(memory.spans[1].to_usec, START + 20);

        /* The same thread again is another wait. */
        look(START + 60, tasks, 2);
        CU_ASSERT_EQUAL(memory.n_spans, 3);
        memory_release_blocked(&memory, START + 65);
        CU_ASSERT_EQUAL(memory.spans[0].to_usec, START + 65);
        CU_ASSERT_EQUAL(memory.spans[1].to_usec, START + 20);
        CU_ASSERT_EQUAL(memory.spans[2].to_usec, START + 65);
        CU_ASSERT(!memory.spans[0].open && !memory.spans[2].open);
        CU_ASSERT_STRING_EQUAL(memory.spans[0].name, "sshd");
}

static void test_full(void) {
        char longest[2 * MEMORY_TEXT_MAX];

        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        for (int i = 0; i < 3000; i++) {
                BlockedTask task = { .pid = i, .tid = i, .how = BLOCKED_SLEEPS, .name = "a" };

                memory_add_event(&memory, START, EVENT_SEEDER, longest);
                memory_see_blocked(&memory, START, &task);
        }
        CU_ASSERT_EQUAL(memory.n_events + memory.lost_events, 3000);
        CU_ASSERT_EQUAL(memory.n_spans + memory.lost_spans, 3000);
        CU_ASSERT(memory.lost_events > 0 && memory.lost_spans > 0);
        CU_ASSERT_EQUAL(strlen(memory.events[0].text), MEMORY_TEXT_MAX - 1);
}

/* An hour at 10 ms, the largest there is. */
static void test_size(void) {
        Memory large = {};

        CU_ASSERT_EQUAL_FATAL(memory_new(10000, SIZE_MAX, &large), 0);
        CU_ASSERT(large.max_samples >= 360000);
        CU_ASSERT(large.map_bytes <= 4U * 1024 * 1024);
        memory_free(&large);
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
