/* SPDX-License-Identifier: MIT */
/* Real children with real sources, and a fake one at the other end of the socket that lies. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/feed/worker-protocol.h"
#include "lib/feed/worker.h"
#include "lib/kernel/clock.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static Worker worker = WORKER_NULL;
static Batch batch;
static int theirs = -1;
static int error;
static unsigned open_before;

static char told[16][WORKER_NEWS_LINE_MAX];
static unsigned n_told;

static void say(SourceId source, const char *text) {
        (void)snprintf(told[n_told++ % ELEMENTSOF(told)], sizeof(told[0]), "%s", text);
}

static WorkerNews news;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        worker = (Worker)WORKER_NULL;
        news = (WorkerNews){ .say = say };
        n_told = 0;
        error = 99;
        open_before = scratch_open_files();
}

static void teardown(void) {
        pid_t pid = worker_stop(&worker);

        if (pid > 0)
                (void)waitpid(pid, NULL, 0);
        cleanup_close(&theirs);
        CU_ASSERT_EQUAL(scratch_open_files(), open_before);
        batch_deinit(&batch);
        scratch_teardown();
}

static void start(SourceId source, SourceConfig config) {
        const WorkerSpec spec = {
                .source = source,
                .config = config,
                .uid = 65534,
                .gid = 65534,
                .news = &news,
        };

        CU_ASSERT_EQUAL_FATAL(worker_start(&worker, &spec), 0);
        CU_ASSERT(worker.pid > 0);
        CU_ASSERT_EQUAL(fcntl(worker.fd, F_GETFD), FD_CLOEXEC);
}

static bool wait_readable(int timeout_msec) {
        struct pollfd entry = { .fd = worker.fd, .events = POLLIN };

        return poll(&entry, 1, timeout_msec) == 1;
}

static int receive(void) {
        CU_ASSERT(wait_readable(5000));
        return worker_receive(&worker, &batch, &error);
}

static bool ended(pid_t pid) {
        for (unsigned i = 0; i < 400; i++) {
                if (waitpid(pid, NULL, WNOHANG) == pid)
                        return true;
                (void)usleep(5000);
        }
        return false;
}

/* ---- real ones ---- */

static void test_file(void) {
        static uint8_t bytes[300];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * 7);
        start(SOURCE_FILE,
              (SourceConfig){
                      .path = scratch_write_bytes("f", bytes, sizeof(bytes)),
                      .wait_usec = 5000000,
              });

        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), WORKER_E_AGAIN);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), -EBUSY);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 64);
        CU_ASSERT_EQUAL(memcmp(batch.secret->bytes, bytes, 64), 0);
        CU_ASSERT(batch.asked_usec <= clock_boottime_usec());
        CU_ASSERT(batch.asked_usec + 10000000 > clock_boottime_usec());

        CU_ASSERT(batch.replay);

        /* The next ones. */
        CU_ASSERT_EQUAL(worker_ask(&worker, 132, 132), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 132);
        CU_ASSERT_EQUAL(memcmp(batch.secret->bytes, bytes + 64, 132), 0);

        /* What is left, and then the end. */
        CU_ASSERT_EQUAL(worker_ask(&worker, 4096, 0), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, sizeof(bytes) - 196);
        batch.length = 7;
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -ENODATA);
        CU_ASSERT_EQUAL(batch.length, 7);
}

static void test_arguments(void) {
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_write("f", "x") });
        CU_ASSERT_EQUAL(worker_ask(&worker, 0, 0), -EINVAL);
        CU_ASSERT_EQUAL(worker_ask(&worker, 4097, 0), -EINVAL);
        CU_ASSERT_EQUAL(worker_ask(&worker, 1, 2), -EINVAL);
        CU_ASSERT_EQUAL(worker.asked_bytes, 0);
        CU_ASSERT_FALSE(wait_readable(50));
}

/* It says why at each request, and does not end. */
static void test_no_source(void) {
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_path("missing") });
        for (unsigned i = 0; i < 3; i++) {
                CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
                CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
                CU_ASSERT_EQUAL(error, -ENOENT);
        }
}

static void test_refused_device(void) {
        start(SOURCE_FILE, (SourceConfig){ .path = "/dev/urandom" });
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -ENOTTY);
}

static void test_half_in_time(void) {
        int writer;

        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        writer = open(scratch_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        CU_ASSERT_EQUAL(write(writer, "01234567", 8), 8);
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_path("fifo"), .wait_usec = 200000 });
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT(wait_readable(380));
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 8);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -ETIMEDOUT);
        (void)close(writer);
}

/* Fewer bytes than can be judged wait for the rest, as long as more come; and not beyond a drain. */
static void test_kept(void) {
        int writer;

        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        writer = open(scratch_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_path("fifo"), .wait_usec = 100000 });
        for (unsigned i = 0; i < 2; i++) {
                CU_ASSERT_EQUAL(write(writer, "0123456789abcdef0", 17), 17);
                CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
                CU_ASSERT_EQUAL(receive(), i == 0 ? WORKER_E_SOURCE : 0);
                CU_ASSERT(i > 0 || error == -EINPROGRESS);
        }
        CU_ASSERT_EQUAL(batch.length, 34);
        CU_ASSERT_FALSE(batch.replay);
        CU_ASSERT_EQUAL(memcmp(batch.secret->bytes, "0123456789abcdef00123", 21), 0);

        /* What was kept is given without more when no more comes. */
        CU_ASSERT_EQUAL(write(writer, "kept", 4), 4);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 4);
        (void)close(writer);
}

static void test_drained(void) {
        static uint8_t full[65536];
        int writer;

        memset(full, 'o', sizeof(full));
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        writer = open(scratch_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_path("fifo"), .wait_usec = 100000 });
        CU_ASSERT_EQUAL(write(writer, "kept", 4), 4);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(write(writer, full, sizeof(full)), (ssize_t)sizeof(full));
        worker_drain(&worker);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -ETIMEDOUT);
        CU_ASSERT_EQUAL(write(writer, "new", 3), 3);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 3), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 3);
        CU_ASSERT_EQUAL(memcmp(batch.secret->bytes, "new", 3), 0);
        (void)close(writer);
}

static void test_hwrng(void) {
        if (access("/dev/hwrng", R_OK) < 0)
                HARNESS_SKIP("no /dev/hwrng that may be read");
        start(SOURCE_HWRNG, (SourceConfig){ .path = "/dev/hwrng", .wait_usec = 5000000 });
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 32), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 64);
}

static void test_exec(void) {
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)"printf 0123; id -u", NULL };

        start(SOURCE_EXEC, (SourceConfig){ .argv = argv, .wait_usec = 5000000 });
        /* Run again until there is enough. */
        CU_ASSERT_EQUAL(worker_ask(&worker, 20, 0), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(batch.length, 20);
        if (geteuid() == 0)
                CU_ASSERT_NSTRING_EQUAL((char *)batch.secret->bytes, "012365534\n012365534\n", 20);
}

/* ---- dying and stopping ---- */

static void start_hanging(void) {
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_path("fifo"), .wait_usec = 3600000000 });
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
}

static void test_killed(void) {
        start_hanging();
        CU_ASSERT_EQUAL(kill(worker.pid, SIGKILL), 0);
        CU_ASSERT_EQUAL(receive(), WORKER_E_GONE);
        CU_ASSERT_EQUAL(waitpid(worker.pid, NULL, 0), worker.pid);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), -EBUSY);
        worker.asked_bytes = 0;
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), -EPIPE);
        worker.pid = 0;
        (void)worker_stop(&worker);
}

static void test_stopped_by_signal(void) {
        pid_t pid;

        start_hanging();
        CU_ASSERT_EQUAL(kill(worker.pid, SIGSTOP), 0);
        CU_ASSERT_FALSE(wait_readable(50));
        pid = worker_stop(&worker);
        CU_ASSERT(ended(pid));
}

static void test_stop(void) {
        pid_t pid;

        start_hanging();
        pid = worker_stop(&worker);
        CU_ASSERT(pid > 0);
        CU_ASSERT_EQUAL(worker.pid, 0);
        CU_ASSERT_EQUAL(worker.fd, -1);
        CU_ASSERT(ended(pid));
        CU_ASSERT_EQUAL(worker_stop(&worker), 0);
}

/* Whoever reaped it says so: nothing is left to be killed. */
static void test_reaped(void) {
        pid_t pid;

        start_hanging();
        pid = worker.pid;
        CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        worker_reaped(&worker);
        CU_ASSERT(worker.pid == 0 && worker.pidfd == -1);
        CU_ASSERT_EQUAL(worker_stop(&worker), 0);
}

/* What it wrote by then is told, although it had to be killed. */
static void test_last_words(void) {
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", NULL, NULL };
        char script[] = "echo waiting for the token >&2; printf a; exec sleep 100";
        struct pollfd said = { .events = POLLIN };
        pid_t pid;

        argv[2] = script;
        start(SOURCE_EXEC, (SourceConfig){ .argv = argv, .wait_usec = 1000000 });
        said.fd = worker.stderr_fd;
        CU_ASSERT_EQUAL(worker_ask(&worker, 20, 0), 0);
        CU_ASSERT_EQUAL(receive(), 0);
        CU_ASSERT_EQUAL(n_told, 1);
        CU_ASSERT_STRING_EQUAL(told[0], "waiting for the token");

        CU_ASSERT_EQUAL(worker_ask(&worker, 20, 0), 0);
        CU_ASSERT_EQUAL(poll(&said, 1, 5000), 1);
        pid = worker_stop(&worker);
        CU_ASSERT(ended(pid));
        CU_ASSERT_EQUAL(n_told, 2);
}

/* As few as a daemon can be allowed: it works, without a pidfd, and what it says is lost. */
static int work_with_few_files(void *userdata) {
        const struct rlimit limit = { 16, 16 };

        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 1;
        start(SOURCE_FILE, (SourceConfig){ .path = userdata });
        if (worker.pidfd >= 0 || worker.stderr_fd >= 0)
                return 2;
        if (worker_ask(&worker, 4, 0) < 0 || receive() != 0 || batch.length != 4)
                return 3;
        return ended(worker_stop(&worker)) ? 0 : 4;
}

static void test_few_files(void) {
        char path[SCRATCH_PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s", scratch_write("f", "seed"));
        CU_ASSERT_EQUAL(scratch_in_child(work_with_few_files, path), 0);
}

/* Its socket gone is enough: no signal is needed. */
static void test_parent_closes(void) {
        pid_t pid;

        start(SOURCE_FILE, (SourceConfig){ .path = scratch_write("f", "x") });
        pid = worker.pid;
        cleanup_close(&worker.fd);
        CU_ASSERT(ended(pid));
        worker.pid = 0;
}

/* A program with a child in the background: nothing of it outlives the worker. */
static void test_kills_programs(void) {
        char script[300];
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
        bool gone = false;
        pid_t pid;
        int fd;

        if (geteuid() != 0)
                HARNESS_SKIP("only root can make PID namespaces");
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0666), 0);
        CU_ASSERT_EQUAL(chmod(scratch_path("fifo"), 0666), 0);
        (void)snprintf(
                script,
                sizeof(script),
                "setsid sleep 100 <>%s & sleep 100",
                scratch_path("fifo"));
        start(SOURCE_EXEC, (SourceConfig){ .argv = argv, .wait_usec = 3600000000 });
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);

        for (unsigned i = 0; i < 400 && !gone; i++) { /* here: it runs */
                fd = open(scratch_path("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
                gone = fd >= 0;
                cleanup_close(&fd);
                (void)usleep(5000);
        }
        CU_ASSERT(gone);
        pid = worker_stop(&worker);
        CU_ASSERT(ended(pid));
        fd = open(scratch_path("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        CU_ASSERT(fd < 0);
        CU_ASSERT_EQUAL(errno, ENXIO);
        cleanup_close(&fd);
}

static void test_privileges(void) {
        char path[64], text[4096];
        int fd;

        if (geteuid() != 0)
                HARNESS_SKIP("only root has something to give up");
        start(SOURCE_FILE, (SourceConfig){ .path = scratch_write("f", "x") });
        CU_ASSERT_EQUAL(worker_ask(&worker, 1, 0), 0);
        CU_ASSERT_EQUAL(receive(), 0);

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)worker.pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        memset(text, 0, sizeof(text));
        CU_ASSERT(read(fd, text, sizeof(text) - 1) > 0);
        cleanup_close(&fd);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "Name:\trng-file\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "CapEff:\t0000000000000000\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "CapBnd:\t0000000000000000\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "SigBlk:\t0000000000000000\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "SigIgn:\t0000000000000000\n"));
}

/* ---- lies ---- */

static void pretend(void) {
        int pair[2];

        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        worker = (Worker)WORKER_NULL;
        worker.fd = pair[0];
        theirs = pair[1];
}

static void answer(WorkerAnswer header, size_t n_bytes) {
        uint8_t message[sizeof(WorkerAnswer) + SOURCE_READ_MAX_BYTES + 64] = {};

        memset(message, 0x77, sizeof(message));
        memcpy(message, &header, sizeof(header));
        CU_ASSERT(send(theirs, message, sizeof(header) + n_bytes, MSG_NOSIGNAL) > 0);
}

static void check_garbage(const char *what) {
        harness_row("%s", what);
        batch.length = 7;
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), WORKER_E_GARBAGE);
        CU_ASSERT_EQUAL(error, 99);
        CU_ASSERT_EQUAL(batch.length, 7);
        CU_ASSERT_EQUAL(batch.secret->bytes[0], 0);
}

static void test_lies(void) {
        static const struct {
                const char *what;
                WorkerAnswer header;
                size_t n_bytes;
        } rows[] = {
                { "an old sequence", { .sequence = 0, .length = 64 }, 64 },
                { "a later sequence", { .sequence = 2, .length = 64 }, 64 },
                { "more than asked for", { .sequence = 1, .length = 65 }, 65 },
                { "much more", { .sequence = 1, .length = 4096 }, 4096 },
                { "longer than a batch", { .sequence = 1, .length = 4160 }, 4160 },
                { "a length that is larger", { .sequence = 1, .length = 64 }, 63 },
                { "a length that is smaller", { .sequence = 1, .length = 64 }, 128 },
                { "a huge length", { .sequence = 1, .length = UINT32_MAX }, 64 },
                { "a length around the corner", { .sequence = 1, .length = -64U }, 64 },
                { "no bytes and no error", { .sequence = 1 }, 0 },
                { "a positive error", { .sequence = 1, .error = 1 }, 0 },
                { "the least error", { .sequence = 1, .error = INT32_MIN }, 0 },
                { "an error that is no errno", { .sequence = 1, .error = -4096 }, 0 },
                { "an error with bytes", { .sequence = 1, .error = -5, .length = 64 }, 64 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                pretend();
                CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
                answer(rows[i].header, rows[i].n_bytes);
                check_garbage(rows[i].what);
                (void)worker_stop(&worker);
                cleanup_close(&theirs);
        }
}

static void test_unasked(void) {
        pretend();
        answer((WorkerAnswer){ .sequence = 0, .length = 64 }, 64);
        check_garbage("before it was asked");
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        answer((WorkerAnswer){ .sequence = 1, .length = 64 }, 64);
        answer((WorkerAnswer){ .sequence = 1, .length = 64 }, 64);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), 0);
        CU_ASSERT_EQUAL(batch.secret->bytes[63], 0x77);
        secret_wipe(batch.secret);
        check_garbage("twice");
}

static void test_truncated_header(void) {
        for (size_t n = 1; n < sizeof(WorkerAnswer); n++) {
                const WorkerAnswer header = { .sequence = 1, .error = -5 };

                pretend();
                CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
                CU_ASSERT_EQUAL(send(theirs, &header, n, MSG_NOSIGNAL), (ssize_t)n);
                check_garbage("a part of a header");
                (void)worker_stop(&worker);
                cleanup_close(&theirs);
        }
}

/* Files that it sends along are refused, and do not stay open here. */
static void test_sends_files(void) {
        WorkerAnswer header = { .sequence = 1, .error = -5 };
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec part = { .iov_base = &header, .iov_len = sizeof(header) };
        struct msghdr message = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        unsigned before;

        pretend();
        before = scratch_open_files();
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &theirs, sizeof(int));
        CU_ASSERT(sendmsg(theirs, &message, MSG_NOSIGNAL) > 0);
        check_garbage("a file");
        CU_ASSERT_EQUAL(scratch_open_files(), before);
}

/* A zero-length message is an end of file on this kind of socket: it has nothing more to say. */
static void test_empty_message(void) {
        pretend();
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(send(theirs, "", 0, MSG_NOSIGNAL), 0);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), WORKER_E_GONE);
}

static void test_label(void) {
        WorkerAnswer header = { .sequence = 1, .length = 1 };

        pretend();
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        memset(header.label, 'x', sizeof(header.label)); /* without an end */
        header.label[1] = '\x1b';
        header.label[2] = '\n';
        header.missing = UINT32_MAX;
        worker.news = &news;
        answer(header, 1);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), 0);
        CU_ASSERT_EQUAL(strlen(batch.label), SOURCE_LABEL_MAX - 1);
        CU_ASSERT_NSTRING_EQUAL(batch.label, "x??x", 4);
        CU_ASSERT_EQUAL(n_told, _SANDBOX_NAMESPACE_MAX);
}

static void test_truth(void) {
        pretend();
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        answer((WorkerAnswer){ .sequence = 1, .error = -4095 }, 0);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -4095);
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        answer((WorkerAnswer){ .sequence = 2, .length = 1 }, 1);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), 0);
        CU_ASSERT_EQUAL(batch.length, 1);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_file),
        HARNESS_TEST(test_arguments),
        HARNESS_TEST(test_no_source),
        HARNESS_TEST(test_refused_device),
        HARNESS_TEST(test_half_in_time),
        HARNESS_TEST(test_kept),
        HARNESS_TEST(test_drained),
        HARNESS_TEST(test_hwrng),
        HARNESS_TEST(test_exec),
        HARNESS_TEST(test_killed),
        HARNESS_TEST(test_stopped_by_signal),
        HARNESS_TEST(test_stop),
        HARNESS_TEST(test_reaped),
        HARNESS_TEST(test_last_words),
        HARNESS_TEST(test_few_files),
        HARNESS_TEST(test_parent_closes),
        HARNESS_TEST(test_kills_programs),
        HARNESS_TEST(test_privileges),
        HARNESS_TEST(test_lies),
        HARNESS_TEST(test_unasked),
        HARNESS_TEST(test_truncated_header),
        HARNESS_TEST(test_sends_files),
        HARNESS_TEST(test_empty_message),
        HARNESS_TEST(test_label),
        HARNESS_TEST(test_truth),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("worker", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
