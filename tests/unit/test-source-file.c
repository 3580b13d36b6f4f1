/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "lib/kernel/clock.h"
#include "lib/sources/source-list.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static RootDir root = ROOTDIR_NULL;
static Source source;
static unsigned open_before;

static void setup(void) {
        scratch_setup();
        open_before = scratch_open_files();
        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        source = (Source){ .ops = source_ops(SOURCE_FILE), .fd = -1 };
        source.config.wait_usec = 100000;
}

static void teardown(void) {
        cleanup_close(&source.fd);
        rootdir_close(&root);
        CU_ASSERT_EQUAL(scratch_open_files(), open_before);
        scratch_teardown();
}

static int open_path(const char *path) {
        source.config.path = path;
        return source.ops->open(&source);
}

static void test_look(void) {
        SourceConfig config = {};
        SourceProbe probe = {};

        CU_ASSERT_EQUAL(source_probe(source.ops, &config, &root, &probe), -ENOENT);
        CU_ASSERT_EQUAL(probe.source_class, SOURCE_CLASS_CONFIGURED);
        config.path = scratch_path("missing");
        CU_ASSERT_EQUAL(source_probe(source.ops, &config, &root, &probe), -ENOENT);
        CU_ASSERT_STRING_EQUAL(probe.detail, scratch_path("missing"));
        config.path = "/dev/urandom";
        CU_ASSERT(source_probe(source.ops, &config, &root, &probe) < 0);

        config.path = scratch_write("file", "x");
        probe.fresh = true;
        CU_ASSERT_EQUAL(source_probe(source.ops, &config, &root, &probe), 0);
        CU_ASSERT_FALSE(probe.fresh);
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        config.path = scratch_path("fifo");
        CU_ASSERT_EQUAL(source_probe(source.ops, &config, &root, &probe), 0);
        CU_ASSERT(probe.fresh);
}

static void test_regular(void) {
        uint8_t buffer[8];
        size_t length = 7;

        CU_ASSERT_EQUAL(open_path(scratch_write("file", "0123456789")), 0);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 4, &length), 0);
        CU_ASSERT_EQUAL(length, 4);
        CU_ASSERT_NSTRING_EQUAL((char *)buffer, "0123", 4);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), 0);
        CU_ASSERT_EQUAL(length, 6);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), -ENODATA);
        CU_ASSERT_EQUAL(length, 6);
}

/* A worker that was stopped and started goes on where it was. */
static void test_offset(void) {
        uint8_t buffer[8];
        size_t length = 0;

        source.config.offset = 7;
        CU_ASSERT_EQUAL(open_path(scratch_write("file", "0123456789")), 0);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), 0);
        CU_ASSERT_EQUAL(length, 3);
        CU_ASSERT_NSTRING_EQUAL((char *)buffer, "789", 3);
        cleanup_close(&source.fd);

        source.config.offset = UINT64_MAX;
        CU_ASSERT_EQUAL(open_path(scratch_path("file")), -EINVAL);
        cleanup_close(&source.fd);
        source.config.offset = 1000;
        CU_ASSERT_EQUAL(open_path(scratch_path("file")), 0);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), -ENODATA);
}

static void test_starving_fifo(void) {
        uint64_t start_usec, took_usec;
        uint8_t buffer[8];
        size_t length = 7;

        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        CU_ASSERT_EQUAL(open_path(scratch_path("fifo")), 0);
        start_usec = clock_monotonic_usec();
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), -ETIMEDOUT);
        took_usec = clock_monotonic_usec() - start_usec;
        CU_ASSERT_EQUAL(length, 7);
        CU_ASSERT(took_usec >= 95000 && took_usec < 400000);
}

static void test_half_fifo(void) {
        uint8_t buffer[8];
        size_t length = 0;
        int writer;

        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        CU_ASSERT_EQUAL(open_path(scratch_path("fifo")), 0);
        writer = open(scratch_path("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        CU_ASSERT_EQUAL(write(writer, "abc", 3), 3);
        (void)close(writer);
        /* The writer went; the rest may come from another one. */
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), 0);
        CU_ASSERT_EQUAL(length, 3);
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), -ETIMEDOUT);
}

static void test_slow_fifo(void) {
        uint8_t buffer[8];
        size_t length = 0;
        int status;
        pid_t pid;

        source.config.wait_usec = 5000000;
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        CU_ASSERT_EQUAL(open_path(scratch_path("fifo")), 0);
        pid = fork();
        if (pid == 0) {
                int writer = open(scratch_path("fifo"), O_WRONLY | O_CLOEXEC);

                for (unsigned i = 0; i < 8; i++) {
                        (void)usleep(5000);
                        if (write(writer, "x", 1) != 1)
                                _exit(1);
                }
                _exit(0);
        }
        CU_ASSERT_EQUAL(source.ops->read(&source, buffer, 8, &length), 0);
        CU_ASSERT_EQUAL(length, 8);
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT_EQUAL(status, 0);
}

static void test_refused(void) {
        static const char *const paths[] = { "/dev/urandom", "/dev/zero", "/dev/null", "/" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                harness_row("%s", paths[i]);
                CU_ASSERT_EQUAL(open_path(paths[i]), -ENOTTY);
                CU_ASSERT_EQUAL(source.fd, -1);
        }
        CU_ASSERT_EQUAL(open_path(scratch_path("missing")), -ENOENT);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_look),      HARNESS_TEST(test_regular),
        HARNESS_TEST(test_offset),    HARNESS_TEST(test_starving_fifo),
        HARNESS_TEST(test_half_fifo), HARNESS_TEST(test_slow_fifo),
        HARNESS_TEST(test_refused),   CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("source-file", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
