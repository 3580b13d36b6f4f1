/* SPDX-License-Identifier: MIT */
/* The readers in a loop of their own, with real workers: what is reported, and when nothing is. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/log.h"
#include "lib/kernel/clock.h"
#include "rngd/reader-set.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define PLENTY_USEC UINT64_C(5000000)

static sd_event *event;
static RootDir root;
static ReaderSet set;
static int fifo;
static bool stop_before_answer;
static struct {
        unsigned n_answers, n_results, n_changes;
        SourceId id;
        int r;
} told;

static void before_answer(void *userdata) {
        told.n_answers++;
        if (stop_before_answer)
                (void)reader_stop(&set.readers[SOURCE_FILE]);
}

static void result(void *userdata, Reader *reader, int r) {
        told.n_results++;
        told.id = reader->id;
        told.r = r;
}

static void changed(void *userdata) {
        told.n_changes++;
}

static bool was_told(unsigned n_answers, unsigned n_results, unsigned n_changes) {
        return told.n_answers == n_answers && told.n_results == n_results &&
               told.n_changes == n_changes;
}

static void make_fifo(void) {
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        fifo = open(scratch_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void configure(uint64_t timeout_usec) {
        SourceSettings sources[_SOURCE_LIVE_MAX] = {};
        static char path[SCRATCH_PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s", scratch_path("fifo"));
        sources[SOURCE_FILE] = (SourceSettings){
                .enabled = true,
                .path = path,
                .user = { getuid(), getgid() },
                .timeout_usec = timeout_usec,
        };
        reader_set_configure(&set, sources);
}

static void setup(void) {
        const ReaderSetHooks hooks = { before_answer, result, changed, NULL };

        scratch_setup();
        log_set_max_level(LOG_EMERG);
        memset(&told, 0, sizeof(told));
        stop_before_answer = false;
        make_fifo();
        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        CU_ASSERT_FATAL(sd_event_new(&event) >= 0);
        CU_ASSERT_EQUAL_FATAL(reader_set_init(&set, event, &root, &hooks), 0);
        configure(PLENTY_USEC);
}

static void teardown(void) {
        const pid_t pid = set.readers[SOURCE_FILE].worker.pid;

        reader_set_deinit(&set);
        if (pid > 0) /* killed by it */
                CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        event = sd_event_unref(event);
        cleanup_close(&fifo);
        rootdir_close(&root);
        scratch_teardown();
}

/* Until something is reported, or two seconds long. */
static void run(void) {
        for (unsigned i = 0; i < 20 && told.n_changes == 0 && told.n_answers == 0; i++)
                CU_ASSERT(sd_event_run(event, 100000) >= 0);
}

static void ask(void) {
        (void)reader_set_probe(&set);
        reader_set_ask(&set, SOURCE_FILE, 64);
        CU_ASSERT(was_told(0, 0, 0) && reader_set_is_waiting(&set));
}

static void give(void) {
        static const char bytes[64] = "from the writer of the FIFO";

        CU_ASSERT_EQUAL(write(fifo, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
}

static void test_answer(void) {
        ask();
        give();
        run();
        CU_ASSERT(was_told(1, 1, 1) && told.id == SOURCE_FILE && told.r == 0);
        CU_ASSERT_EQUAL(set.batch.length, 64);
        CU_ASSERT_STRING_EQUAL((char *)set.batch.secret->bytes, "from the writer of the FIFO");
        CU_ASSERT(reader_set_is_usable(&set) && !reader_set_is_waiting(&set));
}

/* What was seen before the answer was taken made it worthless. */
static void test_stopped_before_the_answer(void) {
        ask();
        give();
        stop_before_answer = true;
        run();
        CU_ASSERT(was_told(1, 0, 0));
        CU_ASSERT_PTR_NULL(set.answers[SOURCE_FILE]);
}

static void test_deadline(void) {
        pid_t pid;

        configure(200000);
        ask();
        pid = set.readers[SOURCE_FILE].worker.pid;
        CU_ASSERT_EQUAL(kill(pid, SIGSTOP), 0);
        run();
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        CU_ASSERT(was_told(0, 1, 1) && told.r == READER_E_FAILED);
        CU_ASSERT(reader_set_is_usable(&set) && !reader_set_is_waiting(&set));
        CU_ASSERT_PTR_NULL(set.answers[SOURCE_FILE]);
}

static void test_worker_ends(void) {
        pid_t pid;

        ask();
        pid = set.readers[SOURCE_FILE].worker.pid;
        CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        reader_set_reaped(&set, pid + 1);
        CU_ASSERT(was_told(0, 0, 0));
        reader_set_reaped(&set, pid);
        CU_ASSERT(was_told(0, 1, 1) && told.r == READER_E_FAILED);

        /* Of one that owed nothing, nothing is lost. */
        memset(&told, 0, sizeof(told));
        set.readers[SOURCE_FILE].state = READER_IDLE;
        reader_set_ask(&set, SOURCE_FILE, 64);
        give();
        run();
        memset(&told, 0, sizeof(told));
        pid = set.readers[SOURCE_FILE].worker.pid;
        CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        reader_set_reaped(&set, pid);
        CU_ASSERT(was_told(0, 0, 1) && set.readers[SOURCE_FILE].worker.pid == 0);
}

static void test_devices(void) {
        CU_ASSERT_FALSE(reader_set_is_usable(&set));
        /* What is there from the beginning is no news. */
        CU_ASSERT(!reader_set_probe(&set) && reader_set_is_usable(&set));
        CU_ASSERT_FALSE(reader_set_probe(&set));
        CU_ASSERT_EQUAL(unlink(scratch_path("fifo")), 0);
        CU_ASSERT_FALSE(reader_set_probe(&set));
        CU_ASSERT_FALSE(reader_set_is_usable(&set));
        cleanup_close(&fifo);
        make_fifo();
        CU_ASSERT(reader_set_probe(&set) && reader_set_is_usable(&set));
        CU_ASSERT(was_told(0, 0, 0));
}

/* Whoever owes an answer is stopped, and nobody waits for it. */
static void test_configured_anew(void) {
        ask();
        configure(PLENTY_USEC);
        CU_ASSERT(!reader_set_is_waiting(&set) && set.readers[SOURCE_FILE].worker.pid == 0);
        CU_ASSERT_PTR_NULL(set.answers[SOURCE_FILE]);
        CU_ASSERT_EQUAL(sd_event_run(event, 0), 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_answer),   HARNESS_TEST(test_stopped_before_the_answer),
        HARNESS_TEST(test_deadline), HARNESS_TEST(test_worker_ends),
        HARNESS_TEST(test_devices),  HARNESS_TEST(test_configured_anew),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("reader set", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
