/* SPDX-License-Identifier: MIT */
/* What /dev/random, the clocks and signals are told as; one event of each kind in its time. */
#include <signal.h>
#include <sys/eventfd.h>

#include "lib/kernel/clock.h"
#include "lib/kernel/random.h"
#include "tests/unit/harness.h"

static struct {
        uint64_t now_usec, suspended_usec;
        bool ready, jumped;
} kernel;

static bool fake_is_ready(const KernelRandom *random) {
        return kernel.ready;
}

static int fake_jump_receive(int fd, bool *ret_jumped) {
        *ret_jumped = kernel.jumped;
        return 0;
}

#define random_is_ready(random)            fake_is_ready(random)
#define clock_boottime_usec()              kernel.now_usec
#define clock_suspended_usec()             kernel.suspended_usec
#define clock_jump_receive(fd, ret_jumped) fake_jump_receive(fd, ret_jumped)
#include "rngd/kernel-events.c"

static sd_event *event;
static RootDir root = { .fd = -1 };
static KernelRandom kernel_random;
static KernelEvents events;
static KernelEvent told[16];
static size_t n_told;

static void seen(void *userdata, KernelEvent what) {
        CU_ASSERT_FATAL(n_told < ELEMENTSOF(told));
        told[n_told++] = what;
}

/* The first is what was told since the last time. */
static bool was_told(KernelEvent what) {
        const bool only_that = n_told == 1 && told[0] == what;

        n_told = 0;
        return only_that;
}

static void setup(void) {
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
        sigset_t signals;

        (void)sigemptyset(&signals);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                (void)sigaddset(&signals, numbers[i]);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        kernel.now_usec = 1000 * USEC_PER_SEC;
        kernel.suspended_usec = 0;
        kernel.ready = kernel.jumped = false;
        n_told = 0;
        kernel_random = (KernelRandom){ .fd = eventfd(1, EFD_CLOEXEC) }; /* both levels stay */
        CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
        kernel_events_init(
                &events,
                event,
                &root,
                &kernel_random,
                &(const KernelEventsHooks){ seen, NULL });
        CU_ASSERT_EQUAL_FATAL(kernel_events_start(&events, false), 0);
}

static void teardown(void) {
        kernel_events_deinit(&events);
        event = sd_event_unref(event);
        cleanup_close(&kernel_random.fd);
}

static void turn(void) {
        for (unsigned i = 0; i < 4; i++)
                CU_ASSERT(sd_event_run(event, 0) >= 0);
}

/* Each once, and only what was asked for. */
static void test_random(void) {
        turn();
        CU_ASSERT_EQUAL(n_told, 0);

        kernel.ready = true;
        kernel_events_watch_random(&events, true, false);
        turn();
        CU_ASSERT(was_told(KERNEL_EVENT_READABLE));
        turn();
        CU_ASSERT_EQUAL(n_told, 0);

        kernel_events_watch_random(&events, false, true);
        turn();
        CU_ASSERT(was_told(KERNEL_EVENT_ROOM));
        kernel_events_watch_random(&events, false, true);
        kernel_events_watch_random(&events, false, false);
        turn();
        CU_ASSERT_EQUAL(n_told, 0);
}

/* Before Linux 5.6: it is watched no longer, or it would tell of that without end. */
static void test_readable_is_not_ready(void) {
        kernel_events_watch_random(&events, true, false);
        turn();
        CU_ASSERT(was_told(KERNEL_EVENT_READABLE));
        kernel_events_watch_random(&events, true, false);
        turn();
        CU_ASSERT_EQUAL(n_told, 0);
        kernel_events_watch_random(&events, true, true);
        turn();
        CU_ASSERT(was_told(KERNEL_EVENT_ROOM));
}

static void test_signals(void) {
        static const struct {
                int number;
                KernelEvent event;
        } signals[] = {
                { SIGTERM, KERNEL_EVENT_STOP },  { SIGINT, KERNEL_EVENT_STOP },
                { SIGHUP, KERNEL_EVENT_RELOAD }, { SIGUSR1, KERNEL_EVENT_FEED },
                { SIGCHLD, KERNEL_EVENT_CHILD },
        };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                harness_row("signal %d", signals[i].number);
                CU_ASSERT_EQUAL(raise(signals[i].number), 0);
                turn();
                CU_ASSERT(was_told(signals[i].event));
        }
}

/* The log and the clocks tell of one resume; a nap of the clocks' own is none. */
static void test_resume(void) {
        static const struct {
                uint64_t at_sec, suspended_msec;
                bool by_log, told;
        } steps[] = {
                { 0, 0, false, false },      { 1, 100, false, false },
                { 2, 201, false, true },     { 3, 201, true, false },
                { 4, 90000, false, false },  { 20, 90000, false, false },
                { 21, 90000, true, true },   { 22, 180000, false, false },
                { 40, 270000, false, true },
        };
        const uint64_t start_usec = kernel.now_usec;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                harness_row("step %zu", i);
                kernel.now_usec = start_usec + steps[i].at_sec * USEC_PER_SEC;
                kernel.suspended_usec = steps[i].suspended_msec * USEC_PER_MSEC;
                if (steps[i].by_log)
                        events.log.hooks.seen(events.log.hooks.userdata, KERNEL_LOG_RESUME);
                kernel_events_look_for_resume(&events);
                if (steps[i].told)
                        CU_ASSERT(was_told(KERNEL_EVENT_RESUME));
                CU_ASSERT_EQUAL(n_told, 0);
        }
}

/* A VM fork is told of each time: who listens knows which signs are of one. */
static void test_log(void) {
        events.log.hooks.seen(events.log.hooks.userdata, KERNEL_LOG_VMFORK);
        CU_ASSERT(was_told(KERNEL_EVENT_VMFORK));
        events.log.hooks.seen(events.log.hooks.userdata, KERNEL_LOG_VMFORK);
        CU_ASSERT(was_told(KERNEL_EVENT_VMFORK));
        events.log.hooks.seen(events.log.hooks.userdata, KERNEL_LOG_GAP);
        CU_ASSERT(was_told(KERNEL_EVENT_GAP));
}

static void test_clock_set(void) {
        static const struct {
                uint64_t at_sec;
                bool jumped, told;
        } steps[] = {
                { 0, false, false }, { 1, true, true },    { 2, true, false },
                { 60, true, false }, { 61, false, false }, { 62, true, true },
        };
        const uint64_t start_usec = kernel.now_usec;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                harness_row("step %zu", i);
                kernel.now_usec = start_usec + steps[i].at_sec * USEC_PER_SEC;
                kernel.jumped = steps[i].jumped;
                CU_ASSERT_EQUAL(on_clock_jump(NULL, -1, EPOLLIN, &events), 0);
                if (steps[i].told)
                        CU_ASSERT(was_told(KERNEL_EVENT_CLOCK_SET));
                CU_ASSERT_EQUAL(n_told, 0);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_random),  HARNESS_TEST(test_readable_is_not_ready),
        HARNESS_TEST(test_signals), HARNESS_TEST(test_resume),
        HARNESS_TEST(test_log),     HARNESS_TEST(test_clock_set),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("kernel-events", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
