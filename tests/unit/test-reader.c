/* SPDX-License-Identifier: MIT */
/* A reader with a real worker: what it credits is what the worker opened, and nothing that waited. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/feed/reader.h"
#include "lib/kernel/clock.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static ReaderSettings settings;
static RootDir root;
static Reader reader;
static Batch batch;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        settings = (ReaderSettings){
                .enabled = true,
                .credit_override_per_1024 = 1024,
                .config.wait_usec = 450000,
                .uid = getuid(),
                .gid = getgid(),
                .timeout_usec = 500000,
        };
}

static void teardown(void) {
        (void)reader_stop(&reader);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        batch_deinit(&batch);
        rootdir_close(&root);
        scratch_teardown();
}

static void start(SourceId id, const char *path) {
        static char kept[SCRATCH_PATH_MAX];

        (void)snprintf(kept, sizeof(kept), "%s", path);
        settings.config.path = kept;
        reader_init(&reader, id, &root, false);
        reader_configure(&reader, &settings);
        reader_probe(&reader);
}

static int make_fifo(const char *name) {
        CU_ASSERT_EQUAL(mkfifo(scratch_path(name), 0600), 0);
        return open(scratch_path(name), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void write_some(int fd, char byte, size_t length) {
        char bytes[256];

        memset(bytes, byte, sizeof(bytes));
        CU_ASSERT_EQUAL(write(fd, bytes, length), (ssize_t)length);
}

/* Asks, and waits for the answer. */
static int ask(uint32_t n_bytes) {
        int r = reader_ask(&reader, n_bytes, &batch, clock_boottime_usec());

        while (r == READER_E_ASKED) {
                struct pollfd entry = { .fd = reader.worker.fd, .events = POLLIN };

                if (poll(&entry, 1, 2000) <= 0)
                        return reader_late(&reader, clock_boottime_usec());
                r = reader_receive(&reader, &batch, clock_boottime_usec());
        }
        return r;
}

static CreditVerdict verdict(void) {
        CreditInput input = reader_credit_input_of(&reader, &batch);

        input.healthy = true;
        input.length_bytes = batch.length;
        input.maybe_stale = batch.stale_bytes == batch.length;
        return credit_judge(&input);
}

/* The path named a FIFO when it was looked at, and a regular file when the worker opened it. */
static void test_regular_file_in_place_of_a_fifo(void) {
        static const uint8_t longer[256] = "what was read before is not read again";
        int fifo = make_fifo("source");

        start(SOURCE_FILE, scratch_path("source"));
        CU_ASSERT(reader.probe.fresh);
        (void)close(fifo);
        CU_ASSERT_EQUAL(unlink(scratch_path("source")), 0);
        (void)scratch_write(
                "source",
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        CU_ASSERT_EQUAL(ask(64), 0);
        CU_ASSERT_EQUAL(verdict().bits, 0);
        CU_ASSERT_EQUAL(verdict().reason, CREDIT_NO_REPLAY);

        /* And again after each replacement. */
        CU_ASSERT_EQUAL(unlink(scratch_path("source")), 0);
        fifo = make_fifo("source");
        reader_probe(&reader);
        (void)close(fifo);
        CU_ASSERT_EQUAL(unlink(scratch_path("source")), 0);
        (void)scratch_write_bytes("source", longer, sizeof(longer));
        (void)reader_stop(&reader);
        CU_ASSERT_EQUAL(ask(64), 0);
        CU_ASSERT_EQUAL(verdict().bits, 0);
}

/* Before any doubt about its age a FIFO is worth what the administrator says. */
static void test_fifo(void) {
        int fifo = make_fifo("fifo");

        start(SOURCE_FILE, scratch_path("fifo"));
        write_some(fifo, 'a', 64);
        CU_ASSERT_EQUAL(ask(64), 0);
        CU_ASSERT_EQUAL(verdict().bits, 512);

        /* Then what waited is dropped, and what comes is not credited: its writer made it ahead. */
        write_some(fifo, 'o', 200);
        reader_expect_stale(&reader);
        CU_ASSERT_EQUAL(reader_ask(&reader, 64, &batch, clock_boottime_usec()), READER_E_ASKED);
        (void)usleep(100000);
        write_some(fifo, 'n', 64);
        while (reader_receive(&reader, &batch, clock_boottime_usec()) == READER_E_ASKED)
                (void)usleep(1000);
        CU_ASSERT_EQUAL(batch.length, 64);
        CU_ASSERT_EQUAL(batch.secret->bytes[0], 'n');
        CU_ASSERT_EQUAL(verdict().reason, CREDIT_NO_STALE);
        write_some(fifo, 'm', 64);
        CU_ASSERT_EQUAL(ask(64), 0);
        CU_ASSERT_EQUAL(verdict().bits, 0);

        /* Unless somebody vouches for the writer: then only what waited is dropped. */
        reader.settings.trust = CREDIT_TRUST_ALWAYS;
        write_some(fifo, 'o', 200);
        reader_expect_stale(&reader);
        CU_ASSERT_EQUAL(reader_ask(&reader, 64, &batch, clock_boottime_usec()), READER_E_ASKED);
        (void)usleep(100000);
        write_some(fifo, 'n', 64);
        while (reader_receive(&reader, &batch, clock_boottime_usec()) == READER_E_ASKED)
                (void)usleep(1000);
        CU_ASSERT_EQUAL(batch.secret->bytes[0], 'n');
        CU_ASSERT_EQUAL(verdict().bits, 512);
        (void)close(fifo);
}

/* Passed over once: counted over as many answers as it takes, and then no more. */
static void test_hwrng(void) {
        size_t passed_over = 0;

        if (access("/dev/hwrng", R_OK) < 0)
                HARNESS_SKIP("no /dev/hwrng that may be read");
        settings.timeout_usec = 5000000;
        settings.config.wait_usec = 4500000;
        start(SOURCE_HWRNG, "/dev/hwrng");
        CU_ASSERT(reader.probe.stale_bytes >= 64);
        CU_ASSERT_EQUAL(ask(64), 0);
        CU_ASSERT_EQUAL(batch.stale_bytes, 0);
        for (unsigned round = 0; round < 2; round++) {
                reader_expect_stale(&reader);
                CU_ASSERT_EQUAL(ask(64), 0);
                passed_over += batch.stale_bytes;
                CU_ASSERT_EQUAL(batch.length, 64 + reader.probe.stale_bytes);
                CU_ASSERT_EQUAL(ask(64), 0);
                CU_ASSERT_EQUAL(batch.stale_bytes, 0);
                CU_ASSERT_EQUAL(batch.length, 64);
        }
        CU_ASSERT_EQUAL(passed_over, 2 * reader.probe.stale_bytes);
}

/* A reader that nobody answers: late, and in back-off; a FIFO's worker is ended, and asked anew later. */
static void test_late(void) {
        int fifo = make_fifo("fifo");
        uint64_t now_usec;

        start(SOURCE_FILE, scratch_path("fifo"));
        now_usec = clock_boottime_usec();
        CU_ASSERT_EQUAL(reader_ask(&reader, 64, &batch, now_usec), READER_E_ASKED);
        CU_ASSERT_EQUAL(reader.deadline_usec, now_usec + 500000);
        CU_ASSERT_EQUAL(reader_late(&reader, now_usec + 500000), READER_E_FAILED);
        CU_ASSERT_EQUAL(reader.state, READER_WAITING);
        CU_ASSERT_EQUAL(reader.worker.pid, 0);
        CU_ASSERT(strstr(reader.failure, "no answer within 0.5 s") != NULL);
        CU_ASSERT(reader.retry_usec > now_usec + 500000);
        (void)close(fifo);
}

static void test_judged(void) {
        int fifo = make_fifo("fifo");

        start(SOURCE_FILE, scratch_path("fifo"));
        reader_judged(&reader, FEED_E_UNHEALTHY, 1000);
        CU_ASSERT_EQUAL(reader.state, READER_WAITING);
        CU_ASSERT_EQUAL(reader.retry_usec, 1000 + BACKOFF_MIN_USEC);
        reader_judged(&reader, FEED_E_BROKEN, 2000);
        CU_ASSERT_EQUAL(reader.state, READER_RETIRED);
        reader_probe(&reader);
        CU_ASSERT_EQUAL(reader.state, READER_RETIRED);
        /* Another one in its place starts with a clean record. */
        (void)close(fifo);
        CU_ASSERT_EQUAL(unlink(scratch_path("fifo")), 0);
        reader_probe(&reader);
        CU_ASSERT_EQUAL(reader.state, READER_ABSENT);
        fifo = make_fifo("fifo");
        reader_probe(&reader);
        CU_ASSERT_EQUAL(reader.state, READER_IDLE);
        (void)close(fifo);
}

static void test_disabled(void) {
        int fifo = make_fifo("fifo");

        settings.enabled = false;
        start(SOURCE_FILE, scratch_path("fifo"));
        CU_ASSERT_EQUAL(reader.state, READER_DISABLED);
        settings.enabled = true;
        reader_configure(&reader, &settings);
        reader_probe(&reader);
        CU_ASSERT_EQUAL(reader.state, READER_IDLE);
        (void)close(fifo);
}

static int watched_fd, epoll_fd;

static void unwatch(void *userdata, SourceId id) {
        CU_ASSERT_EQUAL(id, SOURCE_FILE);
        CU_ASSERT_EQUAL(epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watched_fd, NULL), 0);
}

/* A child that was just forked has a copy of each socket: what is closed here is not closed for epoll. */
static void test_nobody_watches_a_worker_that_ended(void) {
        struct epoll_event event = { .events = EPOLLIN };
        int fifo = make_fifo("source"), copy;

        start(SOURCE_FILE, scratch_path("source"));
        reader.before_close = unwatch;
        write_some(fifo, 'a', 64);
        CU_ASSERT_EQUAL(ask(64), 0);
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        watched_fd = reader.worker.fd;
        CU_ASSERT_EQUAL(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watched_fd, &event), 0);
        copy = dup(watched_fd);
        (void)reader_stop(&reader);
        CU_ASSERT_EQUAL(epoll_wait(epoll_fd, &event, 1, 200), 0);
        (void)close(copy);
        (void)close(epoll_fd);
        (void)close(fifo);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_regular_file_in_place_of_a_fifo),
        HARNESS_TEST(test_fifo),
        HARNESS_TEST(test_hwrng),
        HARNESS_TEST(test_late),
        HARNESS_TEST(test_judged),
        HARNESS_TEST(test_disabled),
        HARNESS_TEST(test_nobody_watches_a_worker_that_ended),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("reader", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
