/* SPDX-License-Identifier: MIT */
/* Real programs: shell scripts of one line. */
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "lib/kernel/clock.h"
#include "lib/sources/source-list.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static uint8_t buffer[64];
static size_t length;
static unsigned open_before;

static void setup(void) {
        scratch_setup();
        memset(buffer, 0, sizeof(buffer));
        length = 999;
        open_before = scratch_open_files();
}

static void teardown(void) {
        CU_ASSERT_EQUAL(scratch_open_files(), open_before);
        CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0);
        CU_ASSERT_EQUAL(errno, ECHILD);
        scratch_teardown();
}

static int run_within(const char *script, uint64_t wait_usec, size_t size) {
        char text[256];
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", text, NULL };
        Source source = {
                .ops = source_ops(SOURCE_EXEC),
                .config = { .argv = argv, .wait_usec = wait_usec },
                .fd = -1,
        };
        int r;

        (void)snprintf(text, sizeof(text), "%s", script);
        r = source.ops->open(&source);
        if (r >= 0)
                r = source.ops->read(&source, buffer, size, &length);
        cleanup_close(&source.fd);
        return r;
}

static int run(const char *script) {
        return run_within(script, 5000000, sizeof(buffer));
}

static void test_good(void) {
        CU_ASSERT_EQUAL(run("printf 0123456789"), 0);
        CU_ASSERT_EQUAL(length, 10);
        CU_ASSERT_STRING_EQUAL((char *)buffer, "0123456789");
        CU_ASSERT_EQUAL(run("head -c 64 /dev/zero"), 0);
        CU_ASSERT_EQUAL(length, 64);
}

/* It is ended when the buffer is full. */
static void test_endless(void) {
        CU_ASSERT_EQUAL(run("yes"), 0);
        CU_ASSERT_EQUAL(length, 64);
        CU_ASSERT_EQUAL(run("head -c 64 /dev/zero; sleep 100"), 0);
        CU_ASSERT_EQUAL(length, 64);
}

static void test_failing(void) {
        static const struct {
                const char *script;
                int r;
        } rows[] = {
                { "exit 1", -EIO },
                { "printf abc; exit 1", -EIO },
                { "kill -9 $$", -EIO },
                { "printf abc; kill -11 $$", -EIO },
                { "exit 0", -ENODATA },
                { "exit 127", -ENOENT },
                { "exec /no/such/program", -ENOENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].script);
                CU_ASSERT_EQUAL(run(rows[i].script), rows[i].r);
                CU_ASSERT_EQUAL(length, 999);
        }
}

static void test_late(void) {
        static const char *const scripts[] = {
                "sleep 100",
                "exec >&-; sleep 100",
                "trap '' TERM HUP; sleep 100; sleep 100",
        };

        for (size_t i = 0; i < ELEMENTSOF(scripts); i++) {
                uint64_t start_usec = clock_monotonic_usec();
                int r = run_within(scripts[i], 100000, sizeof(buffer));

                harness_row("%s: %d", scripts[i], r);
                CU_ASSERT(r == -ETIMEDOUT || r == -ENODATA);
                CU_ASSERT(clock_monotonic_usec() - start_usec < 1000000);
        }
}

/* Half of it, and then nothing: what came by then. */
static void test_half(void) {
        CU_ASSERT_EQUAL(run_within("printf abc; sleep 100", 100000, sizeof(buffer)), 0);
        CU_ASSERT_EQUAL(length, 3);
        CU_ASSERT_EQUAL(run_within("printf abc; exec >&-; sleep 100", 100000, sizeof(buffer)), 0);
        CU_ASSERT_EQUAL(length, 3);
}

static bool somebody_waits_in(const char *fifo) {
        /* Opening for writing works only if a reader has it open. */
        int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        bool found = fd >= 0;

        cleanup_close(&fd);
        return found;
}

/* Children in the background hold nothing up and are gone afterwards. */
static void test_children(void) {
        const char *fifo = scratch_path("fifo");
        char script[512];
        bool gone = false;

        CU_ASSERT_EQUAL(mkfifo(fifo, 0600), 0);
        (void)snprintf(
                script,
                sizeof(script),
                "sleep 100 <>%s & sleep 100 <>%s >/dev/null & head -c 64 /dev/zero",
                fifo,
                fifo);
        CU_ASSERT_EQUAL(run(script), 0);
        CU_ASSERT_EQUAL(length, 64);
        for (unsigned i = 0; i < 200 && !gone; i++) {
                gone = !somebody_waits_in(fifo);
                (void)usleep(5000);
        }
        CU_ASSERT(gone);
}

static void test_environment(void) {
        CU_ASSERT_EQUAL(setenv("GUEST_ENTROPY_TEST", "1", 1), 0);
        CU_ASSERT_EQUAL(run("printf \"[$GUEST_ENTROPY_TEST$HOME]\""), 0);
        CU_ASSERT_STRING_EQUAL((char *)buffer, "[]");
        memset(buffer, 0, sizeof(buffer));
        CU_ASSERT_EQUAL(run("printf \"$PATH\" | grep -q /usr/bin && printf good"), 0);
        CU_ASSERT_STRING_EQUAL((char *)buffer, "good");
        CU_ASSERT_EQUAL(unsetenv("GUEST_ENTROPY_TEST"), 0);
}

static void test_no_program(void) {
        Source source = { .ops = source_ops(SOURCE_EXEC), .fd = -1 };
        char *none[] = { NULL };
        char *missing[] = { (char *)"/no/such/program", NULL };
        char *directory[] = { (char *)"/", NULL };

        CU_ASSERT_EQUAL(source.ops->open(&source), -EINVAL);
        source.config.argv = none;
        CU_ASSERT_EQUAL(source.ops->open(&source), -EINVAL);
        source.config.wait_usec = 2000000;
        source.config.argv = missing;
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 64, &length), -ENOENT);
        source.config.argv = directory;
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 64, &length), -ENOENT);
        CU_ASSERT_EQUAL(length, 999);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_good),        HARNESS_TEST(test_endless),    HARNESS_TEST(test_failing),
        HARNESS_TEST(test_late),        HARNESS_TEST(test_half),       HARNESS_TEST(test_children),
        HARNESS_TEST(test_environment), HARNESS_TEST(test_no_program), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("source-exec", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
