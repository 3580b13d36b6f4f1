/* SPDX-License-Identifier: MIT */
/*
 * The request as tables: what is the case, and what is to be done next. No process, no clock, no kernel.
 * A row of a story is a step: facts that change, an answer, or the action that must follow.
 */
#include <string.h>

#include "lib/base/cleanup.h"
#include "rngd/request.h"
#include "tests/unit/harness.h"

#define SEC UINT64_C(1000000)

static Request request;
static RequestFacts facts;

/* A latching kernel that is ready, a hwrng and a CPU that can be asked. */
static void setup(void) {
        request = (Request){};
        facts = (RequestFacts){
                .model = RANDOM_MODEL_LATCHING,
                .ready = true,
                .pool_bits = 256,
                .level_bits = 256,
                .now_usec = 1000 * SEC,
        };
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                facts.sources[i].per_1024 = 1024;
        facts.sources[SOURCE_JITTER].last_resort = true;
        facts.sources[SOURCE_HWRNG].state = REQUEST_SOURCE_IDLE;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_IDLE;
}

static void unready(RandomModel model) {
        facts.ready = false;
        facts.level_bits = 0;
        facts.model = model;
        facts.pool_bits = model == RANDOM_MODEL_COUNTING ? 4096 : 256;
        facts.kernel_asks = model == RANDOM_MODEL_COUNTING;
}

/* The next step; what is asked for is then owed. */
static RequestAction next(void) {
        RequestAction action = request_next(&request, &facts);

        if (action.step == REQUEST_ASK)
                facts.sources[action.source].state = REQUEST_SOURCE_ASKED;
        return action;
}

static void answer(SourceId source, uint32_t bits) {
        facts.sources[source].state = REQUEST_SOURCE_IDLE;
        facts.level_bits = MIN(facts.level_bits + bits, facts.pool_bits);
        request_count(&request, source, bits, bits > 0);
}

static void fail(SourceId source, uint64_t retry_usec) {
        facts.sources[source].state = REQUEST_SOURCE_WAITING;
        facts.sources[source].retry_usec = retry_usec;
}

#define CHECK_ASKS(wanted)                                \
        do {                                              \
                const RequestAction asked = next();       \
                CU_ASSERT_EQUAL(asked.step, REQUEST_ASK); \
                CU_ASSERT_EQUAL(asked.source, (wanted));  \
        } while (0)

static void test_nothing_needed(void) {
        RequestAction action = next();

        CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
        CU_ASSERT_EQUAL(action.until_usec, UINT64_MAX);
        CU_ASSERT_FALSE(action.settled);
}

/* Both are asked, the slow one first; the first good answer ends it. */
static void test_first_answer_ends_it(void) {
        RequestAction action;

        CU_ASSERT(request_add(&request, TRIGGER_START, facts.now_usec));
        CHECK_ASKS(SOURCE_HWRNG);
        CHECK_ASKS(SOURCE_CPU);
        action = next();
        CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
        CU_ASSERT_FALSE(action.settled);
        answer(SOURCE_CPU, 512);
        action = next();
        CU_ASSERT_EQUAL(action.step, REQUEST_MET);
        CU_ASSERT_FALSE(request.active);
        CU_ASSERT_EQUAL(request.got_bits, 512);
        CU_ASSERT(request.reseeded);
        CU_ASSERT_EQUAL(request.triggers, 0);
}

/* A trigger on top of a request joins it; only a fork begins it anew. */
static void test_triggers_join(void) {
        CU_ASSERT(request_add(&request, TRIGGER_TIMER, facts.now_usec));
        CHECK_ASKS(SOURCE_HWRNG);
        CU_ASSERT_FALSE(request_add(&request, TRIGGER_SIGNAL, facts.now_usec));
        CU_ASSERT_EQUAL(request.triggers, TRIGGER_BIT(TRIGGER_TIMER) | TRIGGER_BIT(TRIGGER_SIGNAL));
        answer(SOURCE_HWRNG, 128);
        CU_ASSERT_EQUAL(request.got_bits, 128);
        facts.now_usec += 5;
        CU_ASSERT(request_add(&request, TRIGGER_FORK, facts.now_usec));
        CU_ASSERT_EQUAL(request.got_bits, 0);
        CU_ASSERT(request_is_older_than_copy(&request, facts.now_usec - 1));
        CU_ASSERT_FALSE(request_is_older_than_copy(&request, facts.now_usec));
        CHECK_ASKS(SOURCE_HWRNG);
}

static void test_no_source(void) {
        facts.sources[SOURCE_HWRNG].state = facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_FORK, facts.now_usec);
        CU_ASSERT_EQUAL(next().step, REQUEST_NO_SOURCE);
        CU_ASSERT_FALSE(request.active);
}

/* A source without credit is asked once, and what came of it is all there is. */
static void test_no_credit(void) {
        facts.sources[SOURCE_HWRNG].per_1024 = 0;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_SIGNAL, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        answer(SOURCE_HWRNG, 0);
        CU_ASSERT_EQUAL(next().step, REQUEST_GIVEN_UP);
        CU_ASSERT_EQUAL(request.got_bits, 0);
}

/* The same while the kernel still waits: again and again, with a back-off that doubles. */
static void test_no_credit_unready(void) {
        uint64_t waits[7];

        unready(RANDOM_MODEL_LATCHING);
        facts.sources[SOURCE_HWRNG].per_1024 = 0;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_START, facts.now_usec);
        for (size_t i = 0; i < ELEMENTSOF(waits); i++) {
                RequestAction action;

                harness_row("try %zu", i);
                CHECK_ASKS(SOURCE_HWRNG);
                answer(SOURCE_HWRNG, 0);
                action = next();
                CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
                CU_ASSERT(action.settled);
                waits[i] = action.until_usec - facts.now_usec;
                CU_ASSERT_EQUAL(
                        waits[i],
                        i == 0 ? BACKOFF_MIN_USEC
                               : MIN(2 * waits[i - 1], REQUEST_UNREADY_RETRY_USEC));
                /* Looked at again in between: nothing is asked, nothing is put off. */
                facts.now_usec++;
                CU_ASSERT_EQUAL(next().until_usec, action.until_usec);
                facts.now_usec = action.until_usec;
        }
}

/* Jitter costs the guest's own time: only when all others have answered without credit. */
static void test_last_resort(void) {
        facts.sources[SOURCE_JITTER].state = REQUEST_SOURCE_IDLE;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_SIGNAL, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        CU_ASSERT_EQUAL(next().step, REQUEST_WAIT);
        fail(SOURCE_HWRNG, facts.now_usec + SEC);
        CHECK_ASKS(SOURCE_JITTER);
        answer(SOURCE_JITTER, 512);
        CU_ASSERT_EQUAL(next().step, REQUEST_MET);
}

/* A row: what is the case, and how long jitter that must be loaded is left alone; UINT64_MAX: for ever. */
static void test_modules_are_spared(void) {
        static const struct {
                Trigger trigger;
                bool kernel_jitter, must_load, ready;
                uint64_t usec;
        } rows[] = {
                { TRIGGER_START, true, true, false, REQUEST_UNREADY_RETRY_USEC },
                { TRIGGER_PLUG, true, true, false, REQUEST_UNREADY_RETRY_USEC },
                { TRIGGER_LEVEL, true, true, false, REQUEST_UNREADY_RETRY_USEC },
                { TRIGGER_START, true, true, true, UINT64_MAX },
                { TRIGGER_START, true, false, false, 0 },
                { TRIGGER_START, false, true, false, 0 },
                { TRIGGER_START, false, true, true, 0 },
                { TRIGGER_FORK, true, true, false, 0 },
                { TRIGGER_FORK, true, true, true, 0 },
                { TRIGGER_SIGNAL, true, true, false, 0 },
                { TRIGGER_TIMER, true, true, true, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                RequestAction action;

                harness_row("row %zu", i);
                setup();
                if (!rows[i].ready)
                        unready(RANDOM_MODEL_LATCHING);
                facts.kernel_jitter = rows[i].kernel_jitter;
                facts.sources[SOURCE_HWRNG].state = REQUEST_SOURCE_NONE;
                facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
                facts.sources[SOURCE_JITTER].state = REQUEST_SOURCE_IDLE;
                facts.sources[SOURCE_JITTER].must_load = rows[i].must_load;
                (void)request_add(&request, rows[i].trigger, facts.now_usec);
                if (rows[i].usec == UINT64_MAX) {
                        CU_ASSERT_EQUAL(next().step, REQUEST_GIVEN_UP);
                        continue;
                }
                if (rows[i].usec > 0) {
                        action = next();
                        CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
                        CU_ASSERT(action.settled);
                        CU_ASSERT_EQUAL(action.until_usec, facts.now_usec + rows[i].usec);
                        facts.now_usec = action.until_usec;
                }
                CHECK_ASKS(SOURCE_JITTER);
        }
}

/* Once the kernel is ready nothing is left to wait for, nor does it wake anybody. */
static void test_ready_of_itself(void) {
        unready(RANDOM_MODEL_LATCHING);
        facts.kernel_jitter = true;
        facts.sources[SOURCE_HWRNG].state = REQUEST_SOURCE_NONE;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        facts.sources[SOURCE_JITTER].state = REQUEST_SOURCE_IDLE;
        facts.sources[SOURCE_JITTER].must_load = true;
        (void)request_add(&request, TRIGGER_START, facts.now_usec);
        CU_ASSERT_EQUAL(next().step, REQUEST_WAIT);
        facts.ready = true;
        facts.level_bits = 256;
        CU_ASSERT_EQUAL(next().step, REQUEST_GIVEN_UP);
        CU_ASSERT_FALSE(request.active);
}

static void test_retired_in_the_middle(void) {
        (void)request_add(&request, TRIGGER_FORK, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        CHECK_ASKS(SOURCE_CPU);
        facts.sources[SOURCE_HWRNG].state = REQUEST_SOURCE_NONE;
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        CU_ASSERT_EQUAL(next().step, REQUEST_NO_SOURCE);
}

/* What failed is tried again when its back-off ends, and the request lasts so long. */
static void test_back_off(void) {
        RequestAction action;

        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_FORK, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        fail(SOURCE_HWRNG, facts.now_usec + 4 * SEC);
        action = next();
        CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
        CU_ASSERT(action.settled); /* so the fork is reported now, and not in four seconds */
        CU_ASSERT_EQUAL(action.until_usec, facts.now_usec + 4 * SEC);
        facts.now_usec += 4 * SEC;
        CHECK_ASKS(SOURCE_HWRNG);
        answer(SOURCE_HWRNG, 512);
        CU_ASSERT_EQUAL(next().step, REQUEST_MET);
}

/* One that fails does not keep an unready kernel from another that could be asked again sooner. */
static void test_unready_waits_for_the_sooner(void) {
        RequestAction action;

        unready(RANDOM_MODEL_LATCHING);
        facts.sources[SOURCE_CPU].per_1024 = 0;
        (void)request_add(&request, TRIGGER_START, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        CHECK_ASKS(SOURCE_CPU);
        fail(SOURCE_HWRNG, facts.now_usec + 300 * SEC);
        answer(SOURCE_CPU, 0);
        action = next();
        CU_ASSERT_EQUAL(action.until_usec, facts.now_usec + BACKOFF_MIN_USEC);
        facts.now_usec = action.until_usec;
        CHECK_ASKS(SOURCE_CPU);
}

/*
 * Kernels before 4.8 need several feeds with two milliseconds between them: as written in the policy,
 * and no back-off of a second comes in between.
 */
static void test_pause(void) {
        unsigned n_feeds = 0;
        uint64_t began_usec = facts.now_usec;

        unready(RANDOM_MODEL_COUNTING);
        facts.sources[SOURCE_CPU].state = REQUEST_SOURCE_NONE;
        (void)request_add(&request, TRIGGER_START, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        while (++n_feeds < 5) {
                RequestAction action;

                answer(SOURCE_HWRNG, 512);
                harness_row("feed %u", n_feeds);
                action = next();
                CU_ASSERT_EQUAL(action.step, REQUEST_WAIT);
                CU_ASSERT_FALSE(action.settled);
                CU_ASSERT_EQUAL(action.until_usec, facts.now_usec + REFILL_UNREADY_PAUSE_USEC);
                facts.now_usec++;
                CU_ASSERT_EQUAL(next().until_usec, action.until_usec);
                facts.now_usec = action.until_usec;
                CHECK_ASKS(SOURCE_HWRNG);
        }
        CU_ASSERT_EQUAL(facts.now_usec, began_usec + 4 * REFILL_UNREADY_PAUSE_USEC);
        facts.ready = true;
        answer(SOURCE_HWRNG, 512);
        CU_ASSERT_EQUAL(next().step, REQUEST_ASK); /* START fills a counting pool to the top */
}

/* An answer that is still owed when another trigger comes is not asked for again. */
static void test_owed_answers(void) {
        (void)request_add(&request, TRIGGER_SIGNAL, facts.now_usec);
        CHECK_ASKS(SOURCE_HWRNG);
        CHECK_ASKS(SOURCE_CPU);
        (void)request_add(&request, TRIGGER_PLUG, facts.now_usec);
        CU_ASSERT_EQUAL(next().step, REQUEST_WAIT);
        answer(SOURCE_HWRNG, 512);
        CU_ASSERT_EQUAL(next().step, REQUEST_MET);
}

/* Whatever the answers are, it ends or waits: no story of 100 steps asks for ever. */
static void test_every_story_ends(void) {
        uint32_t random = 4711;

        for (unsigned story = 0; story < 20000; story++) {
                unsigned n_steps = 0;

                setup();
                random = random * UINT32_C(1664525) + UINT32_C(1013904223);
                if (random >> 31)
                        unready(random >> 30 & 1 ? RANDOM_MODEL_COUNTING : RANDOM_MODEL_LATCHING);
                facts.sources[SOURCE_HWRNG].per_1024 = (random >> 16) % 1025;
                (void)request_add(
                        &request,
                        (Trigger)((random >> 8) % _TRIGGER_MAX),
                        facts.now_usec);
                for (; request.active && n_steps < 100; n_steps++) {
                        RequestAction action = next();

                        if (action.step != REQUEST_ASK)
                                break;
                        random = random * UINT32_C(1664525) + UINT32_C(1013904223);
                        if (random >> 30 == 0)
                                fail(action.source, facts.now_usec + SEC);
                        else if (random >> 30 == 1)
                                facts.sources[action.source].state = REQUEST_SOURCE_NONE;
                        else
                                answer(action.source,
                                       (uint32_t)(8 * action.length_bytes *
                                                  facts.sources[action.source].per_1024 / 1024));
                }
                if (n_steps >= 100)
                        CU_FAIL("it asks for ever");
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_nothing_needed),
        HARNESS_TEST(test_first_answer_ends_it),
        HARNESS_TEST(test_triggers_join),
        HARNESS_TEST(test_no_source),
        HARNESS_TEST(test_no_credit),
        HARNESS_TEST(test_no_credit_unready),
        HARNESS_TEST(test_last_resort),
        HARNESS_TEST(test_modules_are_spared),
        HARNESS_TEST(test_ready_of_itself),
        HARNESS_TEST(test_retired_in_the_middle),
        HARNESS_TEST(test_back_off),
        HARNESS_TEST(test_unready_waits_for_the_sooner),
        HARNESS_TEST(test_pause),
        HARNESS_TEST(test_owed_answers),
        HARNESS_TEST(test_every_story_ends),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("request", setup, NULL, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
