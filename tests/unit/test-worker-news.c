/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/feed/worker-news.h"
#include "tests/unit/harness.h"

static char told[32][WORKER_NEWS_LINE_MAX + 32];
static unsigned n_told;
static int fds[2];

static void say(SourceId source, const char *text) {
        CU_ASSERT_EQUAL(source, SOURCE_EXEC);
        if (n_told < ELEMENTSOF(told))
                (void)strncpy(told[n_told], text, sizeof(told[0]) - 1);
        n_told++;
}

static void setup(void) {
        memset(told, 0, sizeof(told));
        n_told = 0;
        CU_ASSERT_EQUAL(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void teardown(void) {
        (void)close(fds[0]);
        (void)close(fds[1]);
}

static void read_bytes(const char *bytes, size_t length) {
        WorkerNews news = { .say = say };

        CU_ASSERT_EQUAL(write(fds[1], bytes, length), (ssize_t)length);
        worker_news_read(&news, SOURCE_EXEC, fds[0]);
}

static void test_lines(void) {
        static const struct {
                const char *written;
                unsigned n_lines;
                const char *first;
        } rows[] = {
                { "", 0, "" },
                { "\n\n\n", 0, "" },
                { "one\n", 1, "one" },
                { "one", 1, "one" },
                { "one\ntwo\n\nthree", 3, "one" },
                { "\x1b]0;title\x07", 1, "?]0;title?" },
                { "<0>emergency", 1, "<0>emergency" },
                { "a\rb\tc\x7f\xc3\xa9", 1, "a?b?c???" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%zu", i);
                n_told = 0;
                memset(told, 0, sizeof(told));
                read_bytes(rows[i].written, strlen(rows[i].written));
                CU_ASSERT_EQUAL(n_told, rows[i].n_lines);
                CU_ASSERT_STRING_EQUAL(told[0], rows[i].first);
        }
}

/* Whatever the length and the number: few and short ones, and how many there were. */
static void test_bounds(void) {
        static char bytes[60000];

        memset(bytes, 'x', sizeof(bytes));
        read_bytes(bytes, sizeof(bytes));
        CU_ASSERT_EQUAL(n_told, 1);
        CU_ASSERT_EQUAL(strlen(told[0]), WORKER_NEWS_LINE_MAX - 1);

        n_told = 0;
        for (size_t i = 1; i < 1000; i += 2)
                bytes[i] = '\n';
        read_bytes(bytes, 1000);
        CU_ASSERT_EQUAL(n_told, WORKER_NEWS_LINES_MAX + 1);
        CU_ASSERT_STRING_EQUAL(told[WORKER_NEWS_LINES_MAX], "(492 more lines, not shown)");
}

/* A zero byte does not hide what comes after it. */
static void test_zero_byte(void) {
        read_bytes("a\0b\n", 4);
        CU_ASSERT_EQUAL(n_told, 1);
        CU_ASSERT_STRING_EQUAL(told[0], "a?b");
}

static void test_missing(void) {
        WorkerNews news = { .say = say };

        worker_news_missing(&news, SOURCE_EXEC, 0);
        CU_ASSERT_EQUAL(n_told, 0);
        worker_news_missing(&news, SOURCE_EXEC, 1U << SANDBOX_NAMESPACE_IPC);
        worker_news_missing(&news, SOURCE_EXEC, 1U << SANDBOX_NAMESPACE_IPC);
        CU_ASSERT_EQUAL(n_told, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(told[0], "no IPC namespaces"));
        /* A worker that lies cannot make more than it could with the truth. */
        worker_news_missing(&news, SOURCE_EXEC, UINT32_MAX);
        worker_news_missing(&news, SOURCE_EXEC, UINT32_MAX);
        CU_ASSERT_EQUAL(n_told, _SANDBOX_NAMESPACE_MAX);
}

static void test_nobody_to_tell(void) {
        CU_ASSERT_EQUAL(write(fds[1], "x\n", 2), 2);
        worker_news_read(NULL, SOURCE_EXEC, fds[0]);
        worker_news_missing(NULL, SOURCE_EXEC, UINT32_MAX);
        worker_news_read(NULL, SOURCE_EXEC, fds[0]); /* empty, and it does not wait */
        CU_ASSERT_EQUAL(n_told, 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_lines),   HARNESS_TEST(test_bounds),         HARNESS_TEST(test_zero_byte),
        HARNESS_TEST(test_missing), HARNESS_TEST(test_nobody_to_tell), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("worker-news", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
