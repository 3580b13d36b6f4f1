/* SPDX-License-Identifier: MIT */
/* What a program writes to stderr, seen through a pipe that takes its place. */
#include "lib/base/log.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int saved_stderr = -1;
static int told[2] = { -1, -1 };

static void setup(void) {
        scratch_setup();
        saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        CU_ASSERT_EQUAL_FATAL(pipe2(told, O_CLOEXEC), 0);
        CU_ASSERT_EQUAL(dup2(told[1], STDERR_FILENO), STDERR_FILENO);
        CU_ASSERT_EQUAL(fcntl(told[0], F_SETFL, O_NONBLOCK), 0);
}

static void teardown(void) {
        (void)dup2(saved_stderr, STDERR_FILENO);
        cleanup_close(&saved_stderr);
        cleanup_close(&told[0]);
        cleanup_close(&told[1]);
        (void)unsetenv("JOURNAL_STREAM");
        log_open("test", LOG_TARGET_STDERR, LOG_NOTICE);
        scratch_teardown();
}

/* What came since the last look. */
static const char *text(void) {
        static char buffer[8192];
        ssize_t n = read(told[0], buffer, sizeof(buffer) - 1);

        buffer[n > 0 ? n : 0] = '\0';
        return buffer;
}

static void test_plain(void) {
        log_open("prog", LOG_TARGET_STDERR, LOG_NOTICE);
        log_notice("one %d", 1);
        CU_ASSERT_STRING_EQUAL(text(), "prog: one 1\n");
        log_info("unseen");
        CU_ASSERT_STRING_EQUAL(text(), "");
        log_error("%s", "100% sure");
        CU_ASSERT_STRING_EQUAL(text(), "prog: 100% sure\n");
}

static void test_levels(void) {
        static const int levels[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

        for (size_t i = 0; i < ELEMENTSOF(levels); i++) {
                log_open("prog", LOG_TARGET_STDERR, levels[i]);
                for (size_t j = 0; j < ELEMENTSOF(levels); j++) {
                        CU_ASSERT_EQUAL(log_enabled(levels[j]), levels[j] <= levels[i]);
                        log_message(levels[j], "x");
                        CU_ASSERT_EQUAL(text()[0] != '\0', levels[j] <= levels[i]);
                }
        }
        log_set_max_level(LOG_ERR);
        CU_ASSERT_FALSE(log_enabled(LOG_WARNING));
}

static void test_journal(void) {
        log_open("prog", LOG_TARGET_JOURNAL, LOG_DEBUG);
        log_warning("w");
        log_debug("d");
        CU_ASSERT_STRING_EQUAL(text(), "<4>w\n<7>d\n");
}

static void test_errno(void) {
        log_open("prog", LOG_TARGET_STDERR, LOG_NOTICE);
        errno = EPIPE;
        CU_ASSERT_EQUAL(log_errno(LOG_ERR, -ENOENT, "open %s", "x"), -ENOENT);
        CU_ASSERT_EQUAL(errno, EPIPE);
        CU_ASSERT_STRING_EQUAL(text(), "prog: open x: No such file or directory\n");
        CU_ASSERT_EQUAL(log_errno(LOG_DEBUG, -EACCES, "unseen"), -EACCES);
        CU_ASSERT_STRING_EQUAL(text(), "");
}

/* Long text is cut, and still is one line. */
static void test_long(void) {
        static char many[4000];
        const char *line;

        memset(many, 'y', sizeof(many) - 1);
        log_open("prog", LOG_TARGET_STDERR, LOG_NOTICE);
        log_notice("%s", many);
        line = text();
        CU_ASSERT(strlen(line) > 900 && strlen(line) < 1100);
        CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1);
        (void)log_errno(LOG_ERR, -EIO, "%s", many);
        line = text();
        CU_ASSERT(strlen(line) < 1100);
        CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_detect(void) {
        struct stat status;
        char stream[64];

        CU_ASSERT_EQUAL(log_target_detect(), LOG_TARGET_STDERR);
        CU_ASSERT_EQUAL(fstat(STDERR_FILENO, &status), 0);
        (void)snprintf(
                stream,
                sizeof(stream),
                "%llu:%llu",
                (unsigned long long)status.st_dev,
                (unsigned long long)status.st_ino);
        CU_ASSERT_EQUAL(setenv("JOURNAL_STREAM", stream, 1), 0);
        CU_ASSERT_EQUAL(log_target_detect(), LOG_TARGET_JOURNAL);

        /* Inherited by a program whose stderr is something else by now. */
        CU_ASSERT_EQUAL(setenv("JOURNAL_STREAM", "1:1", 1), 0);
        CU_ASSERT_EQUAL(log_target_detect(), LOG_TARGET_STDERR);
        CU_ASSERT_EQUAL(setenv("JOURNAL_STREAM", "rubbish", 1), 0);
        CU_ASSERT_EQUAL(log_target_detect(), LOG_TARGET_STDERR);
        CU_ASSERT_EQUAL(setenv("JOURNAL_STREAM", "", 1), 0);
        CU_ASSERT_EQUAL(log_target_detect(), LOG_TARGET_STDERR);
}

static void test_no_stderr(void) {
        log_open("prog", LOG_TARGET_STDERR, LOG_NOTICE);
        (void)close(STDERR_FILENO);
        log_error("to nobody");
        CU_ASSERT_EQUAL(dup2(told[1], STDERR_FILENO), STDERR_FILENO);
        CU_ASSERT_STRING_EQUAL(text(), "");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_plain),     HARNESS_TEST(test_levels), HARNESS_TEST(test_journal),
        HARNESS_TEST(test_errno),     HARNESS_TEST(test_long),   HARNESS_TEST(test_detect),
        HARNESS_TEST(test_no_stderr), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("log", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
