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
#include "lib/feed/reader.h"
#include "lib/kernel/clock.h"
#include "lib/policy/health.h"
#include "lib/sources/device.h"
#include "rngd/probe.h"

/* Who looks at a list waits no longer for each source. */
#define LIST_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define RATE_USEC         USEC_PER_SEC
#define BATCH_BYTES       64U
#define RATE_BATCH_BYTES  512U

typedef struct Probe {
        Reader reader;
        Health health; /* as strict as it gets, whatever the source's bytes are worth */
        RootDir root;
        Batch *batch;
        WorkerNews news;
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
        SourceSettings source = settings->sources[id];
        ReaderSettings for_reader;

        source.timeout_usec = MIN(source.timeout_usec, timeout_max_usec);
        for_reader = source_settings_for_reader(&source);
        *probe = (Probe){
                .root = ROOTDIR_NULL,
                .batch = batch,
                .news = { .say = say_for_worker },
        };
        if (rootdir_open("/", &probe->root) < 0)
                probe->root.fd = -1; /* then nothing is found below it */
        health_init(&probe->health, CREDIT_PER_1024_MAX);
        reader_init(&probe->reader, id, &probe->root, false);
        probe->reader.news = &probe->news;
        reader_configure(&probe->reader, &for_reader);
        reader_probe(&probe->reader);
}

static void probe_stop(Probe *probe) {
        pid_t pid = reader_stop(&probe->reader);

        if (pid > 0)
                (void)waitpid(pid, NULL, 0);
        rootdir_close(&probe->root);
}

static int fail(Reader *reader, const char *text) {
        (void)snprintf(reader->failure, sizeof(reader->failure), "%s", text);
        return READER_E_FAILED;
}

static int wait_for_answer(Probe *probe, uint64_t until_usec) {
        Reader *reader = &probe->reader;
        const uint64_t now_usec = clock_boottime_usec();
        struct pollfd entry = { .fd = reader->worker.fd, .events = POLLIN };
        int r;

        r = poll(&entry, 1, (int)((until_usec - MIN(until_usec, now_usec)) / USEC_PER_MSEC));
        if (interrupted)
                return fail(reader, "interrupted");
        return r > 0 ? reader_receive(reader, probe->batch, clock_boottime_usec())
                     : reader_late(reader, clock_boottime_usec());
}

/* The refusal that the daemon would give, before a worker is started for nothing. */
static int check_device(Reader *reader) {
        DeviceKind kind;
        int r;

        if (reader->id != SOURCE_HWRNG && reader->id != SOURCE_FILE)
                return 0;
        r = device_check(reader->settings.config.path, &kind);
        if (r > 0)
                return fail(reader, device_refusal_to_string(r));
        return r < 0 ? fail(reader, strerror(-r)) : 0;
}

/* One batch that passed its health tests; else READER_E_FAILED, and reader.failure says why. */
static int probe_once(Probe *probe, uint32_t n_bytes) {
        Reader *reader = &probe->reader;
        const uint64_t now_usec = clock_boottime_usec();
        HealthVerdict verdict;
        int r;

        r = check_device(reader);
        if (r != 0)
                return r;
        r = reader_ask(reader, n_bytes, probe->batch, now_usec);
        while (r == READER_E_ASKED)
                r = wait_for_answer(probe, now_usec + reader->settings.timeout_usec);
        if (r == READER_E_AGAIN)
                return fail(reader, source_error_to_string(reader->id, -ENODEV));
        if (r != 0) /* what a daemon would do about it is of no use here */
                return reader->error == 0
                               ? r
                               : fail(reader, source_error_to_string(reader->id, reader->error));

        verdict = health_test(&probe->health, probe->batch->secret->bytes, probe->batch->length);
        if (verdict == HEALTH_PASS)
                return 0;
        secret_wipe(probe->batch->secret);
        return fail(
                reader,
                verdict == HEALTH_TOO_SHORT
                        ? "gave too few bytes to be tested"
                        : health_test_to_string(health_failed_test(&probe->health)));
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
        const Reader *reader = &probe->reader;
        const char *state = "disabled";
        char detail[SOURCE_DETAIL_MAX];
        bool works = false;

        (void)stpcpy(detail, reader_detail(reader)); /* as it was found */
        if (reader->settings.enabled) {
                works = probe_once(probe, BATCH_BYTES) == 0;
                state = works ? "works" : reader->failure;
        }
        (void)printf("%-8s  %-16s  %s\n", source_name(reader->id), detail, state);
        return works;
}

int probe_list(const Settings *settings) {
        return for_each(settings, list_one, "SOURCE    WHAT              STATE");
}

static bool rate_one(Probe *probe) {
        const Reader *reader = &probe->reader;
        uint64_t start_usec = clock_boottime_usec(), bytes = 0, took_usec;
        int r = 0;

        if (!reader->settings.enabled)
                return false;
        while (!interrupted && clock_boottime_usec() - start_usec < RATE_USEC) {
                r = probe_once(probe, RATE_BATCH_BYTES);
                if (r != 0)
                        break;
                bytes += probe->batch->length;
        }
        took_usec = MAX(clock_boottime_usec() - start_usec, UINT64_C(1));
        if (bytes == 0)
                (void)printf("%-8s  %12s  %s\n", source_name(reader->id), "-", reader->failure);
        else
                (void)printf(
                        "%-8s  %10" PRIu64 " B/s  %" PRIu64 " bytes passed%s%s\n",
                        source_name(reader->id),
                        bytes * USEC_PER_SEC / took_usec,
                        bytes,
                        r != 0 ? "; " : "",
                        r != 0 ? reader->failure : "");
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
                        if (!probe->reader.settings.enabled || probe->reader.failure[0] ||
                            probe_once(probe, BATCH_BYTES) != 0)
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
        _cleanup_free_ Probe *probes = calloc(_SOURCE_LIVE_MAX, sizeof(*probes));
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
        r = probes ? batch_init(&batch) : -ENOMEM;
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot get locked memory");
                return EXIT_FAILURE;
        }

        catch_interrupts();
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                probe_init(&probes[id], settings, id, VALUES_MAX_TIMEOUT_USEC, &batch);
        r = write_batches(probes, fd, settings->output_path);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                if (r == EX_UNAVAILABLE && probes[id].reader.failure[0])
                        log_error("%s: %s", source_name(id), probes[id].reader.failure);
                probe_stop(&probes[id]);
        }
        return r;
}
