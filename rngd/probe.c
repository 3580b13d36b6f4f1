/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/feed/worker.h"
#include "lib/kernel/clock.h"
#include "lib/policy/credit.h"
#include "lib/policy/health.h"
#include "lib/sources/device.h"
#include "rngd/probe.h"

/* Who looks at a list waits no longer for each source. */
#define LIST_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define RATE_USEC         USEC_PER_SEC
#define BATCH_BYTES       64U
#define RATE_BATCH_BYTES  512U

typedef struct Probe {
        SourceId id;
        const SourceSettings *settings;
        SourceConfig config;
        uint64_t timeout_usec;
        RootDir root;
        Worker worker;
        Health health;
        Batch *batch;
        WorkerNews news;
        char error[128];
} Probe;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
        interrupted = 1;
}

static void catch_interrupts(void) {
        const struct sigaction action = { .sa_handler = on_interrupt }; /* no SA_RESTART */

        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGXFSZ, SIG_IGN);
}

static void say_for_worker(SourceId source, const char *text) {
        log_notice("%s: %s", source_name(source), text);
}

static void probe_init(
        Probe *probe,
        const Settings *settings,
        SourceId id,
        uint64_t timeout_max_usec,
        Batch *batch) {
        uint64_t timeout_usec = MIN(settings->sources[id].timeout_usec, timeout_max_usec);

        *probe = (Probe){
                .id = id,
                .settings = &settings->sources[id],
                .config = {
                        .path = settings->sources[id].path,
                        .argv = settings->sources[id].argv,
                        .address = settings->sources[id].address,
                        .url = settings->sources[id].url,
                        .format = settings->sources[id].format,
                        .ca_file = settings->sources[id].ca_file,
                        .enabled_by_admin = settings->sources[id].by_admin,
                        /* A little before our own deadline, so that the source's reason wins. */
                        .wait_usec = timeout_usec / 10 * 9,
                },
                .timeout_usec = timeout_usec,
                .worker = WORKER_NULL,
                .batch = batch,
                .news = { .say = say_for_worker },
        };
        if (rootdir_open("/", &probe->root) < 0)
                probe->root.fd = -1; /* then nothing is found below it */
        health_init(&probe->health, CREDIT_PER_1024_MAX);
}

static void probe_stop(Probe *probe) {
        pid_t pid = worker_stop(&probe->worker);

        if (pid > 0)
                (void)waitpid(pid, NULL, 0);
        rootdir_close(&probe->root);
}

static int fail(Probe *probe, int error, const char *text) {
        (void)snprintf(probe->error, sizeof(probe->error), "%s", text);
        return error;
}

static int start(Probe *probe) {
        const WorkerSpec spec = {
                .source = probe->id,
                .config = probe->config,
                .uid = probe->settings->user.uid,
                .gid = probe->settings->user.gid,
                .news = &probe->news,
        };

        if (probe->worker.pid > 0)
                return 0;
        return worker_start(&probe->worker, &spec);
}

static int receive(Probe *probe) {
        struct pollfd entry = { .fd = probe->worker.fd, .events = POLLIN };
        int error = 0, r;

        r = poll(&entry, 1, (int)(probe->timeout_usec / USEC_PER_MSEC));
        if (r <= 0)
                return fail(probe, -ETIMEDOUT, r < 0 ? "interrupted" : "no answer in time");
        r = worker_receive(&probe->worker, probe->batch, &error);
        if (r == WORKER_E_SOURCE)
                return fail(probe, error, source_error_to_string(probe->id, error));
        return r == 0 ? 0 : fail(probe, -EIO, "its worker ended");
}

static int read_worker(Probe *probe, uint32_t n_bytes) {
        int r;

        r = start(probe);
        if (r < 0)
                return fail(probe, r, worker_start_error_to_string(r));
        r = worker_ask(&probe->worker, n_bytes, 0);
        if (r < 0)
                return fail(probe, r, strerror(-r));
        return receive(probe);
}

static int read_now(Probe *probe, uint32_t n_bytes) {
        Source source = { .ops = source_ops(probe->id), .fd = -1 };
        size_t length;
        int r;

        r = source.ops->read(&source, probe->batch->secret->bytes, n_bytes, &length);
        if (r < 0)
                return fail(probe, r, source_error_to_string(probe->id, r));
        probe->batch->length = length;
        return 0;
}

/* One batch that passed its health tests; else negative, and error says why. */
static int probe_read(Probe *probe, uint32_t n_bytes) {
        HealthVerdict verdict;
        int r;

        r = source_ops(probe->id)->blocking ? read_worker(probe, n_bytes)
                                            : read_now(probe, n_bytes);
        if (r < 0)
                return r;

        verdict = health_test(&probe->health, probe->batch->secret->bytes, probe->batch->length);
        if (verdict == HEALTH_PASS)
                return 0;
        secret_wipe(probe->batch->secret);
        return fail(
                probe,
                -EBADMSG,
                verdict == HEALTH_TOO_SHORT
                        ? "gave too few bytes to be tested"
                        : health_test_to_string(health_failed_test(&probe->health)));
}

/* The refusal that the daemon would give, before a worker is started for nothing. */
static int check_device(Probe *probe) {
        DeviceKind kind;
        int r;

        if (probe->id != SOURCE_HWRNG && probe->id != SOURCE_FILE)
                return 0;
        r = device_check(probe->settings->path, &kind);
        if (r > 0)
                return fail(probe, -EINVAL, device_refusal_to_string(r));
        return r < 0 ? fail(probe, r, strerror(-r)) : 0;
}

static int probe_once(Probe *probe, uint32_t n_bytes) {
        int r;

        r = check_device(probe);
        return r < 0 ? r : probe_read(probe, n_bytes);
}

/* Calls visit for each source; EXIT_SUCCESS if one of them works, else 69. */
static int for_each(const Settings *settings, bool (*visit)(Probe *probe), const char *headline) {
        _cleanup_(batch_deinit) Batch batch = {};
        bool any = false;
        int r;

        r = batch_init(&batch);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot get locked memory");
                return EXIT_FAILURE;
        }
        catch_interrupts();
        (void)puts(headline);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX && !interrupted; id++) {
                Probe probe;

                probe_init(&probe, settings, id, LIST_TIMEOUT_USEC, &batch);
                any |= visit(&probe);
                probe_stop(&probe);
                secret_wipe(batch.secret);
        }
        return any ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

static bool list_one(Probe *probe) {
        const char *state = "disabled";
        SourceProbe found = {};
        bool works = false;

        (void)source_ops(probe->id)->probe(&probe->config, &probe->root, &found);
        if (probe->settings->enabled) {
                works = probe_once(probe, BATCH_BYTES) == 0;
                state = works ? "works" : probe->error;
        }
        (void)printf("%-8s  %-16s  %s\n", source_name(probe->id), found.detail, state);
        return works;
}

int probe_list(const Settings *settings) {
        return for_each(settings, list_one, "SOURCE    WHAT              STATE");
}

static bool rate_one(Probe *probe) {
        uint64_t start_usec = clock_boottime_usec(), bytes = 0, took_usec;
        int r = 0;

        if (!probe->settings->enabled)
                return false;
        while (!interrupted && clock_boottime_usec() - start_usec < RATE_USEC) {
                r = probe_once(probe, RATE_BATCH_BYTES);
                if (r < 0)
                        break;
                bytes += probe->batch->length;
        }
        took_usec = MAX(clock_boottime_usec() - start_usec, UINT64_C(1));
        if (bytes == 0)
                (void)printf("%-8s  %12s  %s\n", source_name(probe->id), "-", probe->error);
        else
                (void)printf(
                        "%-8s  %10" PRIu64 " B/s  %" PRIu64 " bytes passed%s%s\n",
                        source_name(probe->id),
                        bytes * USEC_PER_SEC / took_usec,
                        bytes,
                        r < 0 ? "; " : "",
                        r < 0 ? probe->error : "");
        return bytes > 0;
}

int probe_rates(const Settings *settings) {
        return for_each(settings, rate_one, "SOURCE            RATE  (each is read for a second)");
}

static int open_output(const char *path) {
        int fd;

        if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
                return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
        return fd < 0 ? negative_errno() : fd;
}

/* Until the reader is gone, the disk is full, a signal comes or no source works any more. */
static int write_batches(Probe probes[static _SOURCE_LIVE_MAX], int fd, const char *path) {
        bool any = true;

        while (any && !interrupted) {
                any = false;
                for (SourceId id = 0; id < _SOURCE_LIVE_MAX && !interrupted; id++) {
                        Probe *probe = &probes[id];
                        int r;

                        if (any && source_ops(id)->last_resort)
                                continue;
                        if (!probe->settings->enabled || probe->error[0] ||
                            probe_once(probe, BATCH_BYTES) < 0)
                                continue;
                        any = true;
                        r = io_write_full(fd, probe->batch->secret->bytes, probe->batch->length);
                        secret_wipe(probe->batch->secret);
                        if (r == -EPIPE)
                                return EXIT_SUCCESS;
                        if (r < 0) {
                                (void)log_errno(LOG_ERR, r, "Cannot write to %s", path);
                                return EX_IOERR;
                        }
                }
        }
        return interrupted ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

int probe_output(const Settings *settings) {
        _cleanup_(batch_deinit) Batch batch = {};
        _cleanup_close_ int fd = -1;
        Probe probes[_SOURCE_LIVE_MAX];
        int r;

        fd = open_output(settings->output_path);
        if (fd < 0) {
                (void)log_errno(
                        LOG_ERR,
                        fd,
                        "--random-device: cannot open %s",
                        settings->output_path);
                return EX_CANTCREAT;
        }
        r = batch_init(&batch);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot get locked memory");
                return EXIT_FAILURE;
        }

        catch_interrupts();
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                probe_init(&probes[id], settings, id, VALUES_MAX_TIMEOUT_USEC, &batch);
        r = write_batches(probes, fd, settings->output_path);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                if (r == EX_UNAVAILABLE && probes[id].error[0])
                        log_error("%s: %s", source_name(id), probes[id].error);
                probe_stop(&probes[id]);
        }
        return r;
}
