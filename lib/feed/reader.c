/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/parse.h"
#include "lib/feed/reader.h"

/* With the back-offs in between 47 s, at the usual time-out. */
#define LATE_MAX 3U

void reader_init(Reader *reader, SourceId id, const RootDir *root, bool confidential) {
        *reader = (Reader){
                .id = id,
                .root = root,
                .confidential = confidential,
                .worker = WORKER_NULL,
                .health_per_1024 = CREDIT_PER_1024_MAX,
        };
        health_init(&reader->health, CREDIT_PER_1024_MAX);
}

pid_t reader_stop(Reader *reader) {
        if (reader->worker.fd >= 0 && reader->before_close)
                reader->before_close(reader->userdata, reader->id);
        reader->n_late = 0;
        if (reader->state == READER_ASKED)
                reader->state = READER_IDLE;
        return worker_stop(&reader->worker);
}

const char *reader_state_to_string(ReaderState state) {
        static const char *const names[_READER_STATE_MAX] = {
                [READER_DISABLED] = "disabled", [READER_ABSENT] = "absent",
                [READER_IDLE] = "idle",         [READER_ASKED] = "asked",
                [READER_WAITING] = "waiting",   [READER_RETIRED] = "retired",
        };

        return names[state];
}

const char *reader_detail(const Reader *reader) {
        return reader->probe.detail;
}

/* ---- what it is ---- */

static SourceConfig config_of(const Reader *reader) {
        SourceConfig config = reader->settings.config;

        config.offset = reader->probe.fresh ? 0 : reader->file_offset;
        return config;
}

void reader_configure(Reader *reader, const ReaderSettings *settings) {
        reader->settings = *settings;
        (void)reader_stop(reader);
        reader_forget(reader);
        reader->not_offered = false;
        reader->told_stale = false;
}

/* Another device starts with a clean record. */
static bool is_there(Reader *reader) {
        const SourceConfig config = config_of(reader);
        SourceProbe probe;
        bool there, changed;

        there = source_probe(source_ops(reader->id), &config, reader->root, &probe) == 0 &&
                !reader->not_offered;
        changed = reader->probe.detail[0] && strcmp(reader->probe.detail, probe.detail) != 0;
        reader->probe = probe;
        if (there && changed)
                reader_forget(reader);
        return there;
}

void reader_probe(Reader *reader) {
        bool there = is_there(reader);

        if (!reader->settings.enabled) {
                (void)reader_stop(reader);
                reader->state = READER_DISABLED;
                return;
        }
        if (!there) {
                if (reader->state == READER_ASKED) /* its answer will say ENODEV */
                        return;
                (void)reader_stop(reader);
                /* What comes next is another device, or this one mended: judged afresh. */
                reader_forget(reader);
                reader->state = READER_ABSENT;
                return;
        }
        if (reader->state == READER_DISABLED || reader->state == READER_ABSENT) {
                reader->state = READER_IDLE;
                backoff_reset(&reader->backoff);
        }
}

void reader_forget(Reader *reader) {
        health_begin_again(&reader->health, reader->health_per_1024);
        backoff_reset(&reader->backoff);
        if (reader->state == READER_RETIRED || reader->state == READER_WAITING)
                reader->state = READER_IDLE;
}

void reader_expect_stale(Reader *reader) {
        const bool trusted = reader->settings.trust == CREDIT_TRUST_ALWAYS;

        reader->stale_bytes = reader->probe.stale_bytes == SOURCE_STALE_ALWAYS && trusted
                                      ? 0
                                      : reader->probe.stale_bytes;
        reader->drain = true;
        if (reader->probe.reopen)
                (void)reader_stop(reader);
}

bool reader_is_usable(const Reader *reader) {
        return reader->state == READER_IDLE || reader->state == READER_ASKED ||
               reader->state == READER_WAITING;
}

bool reader_must_load(const Reader *reader) {
        const SourceOps *ops = source_ops(reader->id);

        return ops->is_loaded && !reader->settings.config.enabled_by_admin &&
               !ops->is_loaded(reader->root);
}

CreditInput reader_credit_input(const Reader *reader) {
        return (CreditInput){
                .source_class = reader->probe.source_class,
                .fresh = reader->probe.fresh,
                .confidential_guest = reader->confidential,
                .enabled_by_admin = reader->settings.config.enabled_by_admin,
                .trust = reader->settings.trust,
                .quality_per_1024 = reader->probe.quality_per_1024,
                .override_per_1024 = reader->settings.credit_override_per_1024,
        };
}

CreditInput reader_credit_input_of(const Reader *reader, const Batch *batch) {
        CreditInput input = reader_credit_input(reader);

        /* The path may have named a FIFO when it was looked at, and a regular file when it was opened. */
        input.fresh = input.fresh && !batch->replay;
        return input;
}

/* The claim is what the health tests hold a source to; a new claim needs new cutoffs. */
static void adjust_health(Reader *reader) {
        const CreditInput input = reader_credit_input(reader);
        uint32_t per_1024 = credit_per_1024(&input);

        if (per_1024 == reader->health_per_1024)
                return;
        health_init(&reader->health, per_1024);
        reader->health_per_1024 = per_1024;
}

/* ---- failures ---- */

static void back_off(Reader *reader, uint64_t now_usec) {
        reader->state = READER_WAITING;
        reader->failed_usec = now_usec;
        reader->retry_usec = now_usec + backoff_next_usec(&reader->backoff);
}

static int fail(Reader *reader, uint64_t now_usec, const char *why) {
        reader->error = 0;
        (void)snprintf(reader->failure, sizeof(reader->failure), "%s", why);
        if (reader->state != READER_ABSENT && reader->state != READER_DISABLED)
                back_off(reader, now_usec);
        return READER_E_FAILED;
}

static int fail_with_errno(Reader *reader, uint64_t now_usec, const char *what, int error) {
        char text[READER_FAILURE_MAX];

        (void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
        return fail(reader, now_usec, text);
}

/* A trigger says when to look again, unless a new device is there already. */
static int fail_absent(Reader *reader, uint64_t now_usec, const char *why) {
        (void)reader_stop(reader);
        reader_probe(reader);
        return fail(reader, now_usec, why);
}

/* A regular file gave what it had; or there is no such thing here. */
static int fail_ended(Reader *reader, const char *why) {
        (void)reader_stop(reader);
        reader->state = READER_ABSENT;
        return fail(reader, 0, why);
}

/* Whether the path names something else than when its worker began. */
static bool was_replaced(const Reader *reader) {
        struct stat now;

        if (reader->id != SOURCE_FILE)
                return false;
        return stat(reader->settings.config.path, &now) < 0 ||
               now.st_dev != reader->opened_device || now.st_ino != reader->opened_inode;
}

static void remember_file(Reader *reader) {
        struct stat now = {};

        if (reader->id == SOURCE_FILE)
                (void)stat(reader->settings.config.path, &now);
        reader->opened_device = now.st_dev;
        reader->opened_inode = now.st_ino;
}

static int fail_as_source(Reader *reader, int error, uint64_t now_usec) {
        const char *text = source_error_to_string(reader->id, error);

        /* Of one seed: the next is asked for. */
        if (source_ops(reader->id)->seeds)
                return fail(reader, now_usec, text);
        switch (-error) {
        case ENODEV:
        case ENXIO:
        case ENOENT:
                if (reader->id == SOURCE_EXEC)
                        return fail(reader, now_usec, text);
                return fail_absent(reader, now_usec, "gone or not there; waiting for a new one");
        case ENODATA:
                if (reader->id == SOURCE_FILE && !reader->probe.fresh)
                        return fail_ended(reader, "read to its end; a file is not read twice");
                return fail(reader, now_usec, text);
        case ETIMEDOUT:
                /* A server may still owe bytes; a FIFO may be another one than was opened. */
                if (reader->id == SOURCE_EGD || was_replaced(reader))
                        (void)reader_stop(reader);
                return fail(reader, now_usec, text);
        case EOPNOTSUPP:
                reader->not_offered = true;
                return fail_ended(reader, text);
        case ENOTTY:
                (void)reader_stop(reader);
                return fail(reader, now_usec, text);
        default:
                (void)reader_stop(reader); /* the next request opens it anew */
                if (reader->id == SOURCE_METADATA || (reader->id == SOURCE_EXEC && error == -EIO))
                        return fail(reader, now_usec, text);
                return fail_with_errno(reader, now_usec, "read failed", error);
        }
}

static int fail_with_source_error(Reader *reader, int error, uint64_t now_usec) {
        (void)fail_as_source(reader, error, now_usec);
        reader->error = error;
        return READER_E_FAILED;
}

/* ---- requests and answers ---- */

static int start_worker(Reader *reader) {
        const WorkerSpec spec = {
                .source = reader->id,
                .config = config_of(reader),
                .uid = reader->settings.uid,
                .gid = reader->settings.gid,
                .news = reader->news,
        };

        if (reader->worker.pid != 0)
                return 0;
        remember_file(reader);
        return worker_start(&reader->worker, &spec);
}

static int fail_to_start(Reader *reader, uint64_t now_usec, int error) {
        char text[READER_FAILURE_MAX];

        (void)reader_stop(reader);
        (void)snprintf(
                text,
                sizeof(text),
                "cannot start its worker: %s",
                worker_start_error_to_string(error));
        return fail(reader, now_usec, text);
}

/* Fewer bytes than can be judged are waited for, but not where they are only mixed in anyway. */
static int ask_worker(Reader *reader, uint64_t now_usec) {
        uint32_t total = reader->wanted_bytes;
        int r;

        if (reader->stale_bytes < SOURCE_READ_MAX_BYTES)
                total = MIN(total + reader->stale_bytes, SOURCE_READ_MAX_BYTES);

        r = start_worker(reader);
        if (r < 0)
                return fail_to_start(reader, now_usec, r);
        if (reader->drain)
                worker_drain(&reader->worker);
        r = worker_ask(
                &reader->worker,
                total,
                reader->stale_bytes > 0 ? 1 : MIN(total, HEALTH_MIN_BATCH_BYTES));
        if (r < 0) {
                (void)reader_stop(reader);
                return fail_with_errno(reader, now_usec, "cannot ask its worker", r);
        }
        reader->drain = false;
        reader->state = READER_ASKED;
        reader->deadline_usec = now_usec + reader->settings.timeout_usec;
        return READER_E_ASKED;
}

/* A source that does not block is read here and now. */
static int read_now(Reader *reader, uint32_t n_bytes, Batch *batch, uint64_t now_usec) {
        Source source = { .ops = source_ops(reader->id), .fd = -1 };
        size_t length;
        int r;

        r = source.ops->read(&source, batch->secret->bytes, n_bytes, &length);
        if (r < 0)
                return fail_with_source_error(reader, r, now_usec);
        batch->source = reader->id;
        batch->label[0] = '\0';
        batch->length = length;
        batch->stale_bytes = 0;
        batch->replay = false;
        batch->asked_usec = batch->arrived_usec = now_usec;
        reader->answered_usec = now_usec;
        return 0;
}

int reader_ask(Reader *reader, uint32_t n_bytes, Batch *batch, uint64_t now_usec) {
        if (reader->id == SOURCE_HWRNG || reader->id == SOURCE_FILE) {
                reader_probe(reader);
                if (reader->state != READER_IDLE && reader->state != READER_WAITING)
                        return READER_E_AGAIN; /* it is gone; a trigger looks for it again */
        }
        if (reader->worker.asked_bytes > 0) {
                /* It is late with what it was asked for before. */
                reader->state = READER_ASKED;
                reader->deadline_usec = now_usec + reader->settings.timeout_usec;
                return READER_E_ASKED;
        }
        adjust_health(reader);
        if (!source_ops(reader->id)->blocking)
                return read_now(reader, n_bytes, batch, now_usec);

        reader->wanted_bytes = n_bytes;
        return ask_worker(reader, now_usec);
}

/* Whether /dev/hwrng stands for another device than when it was asked, or for another claim: whoever
 * writes rng_current or rng_quality changes what the bytes are worth, and no event shows it. */
static bool hwrng_changed(Reader *reader) {
        const SourceProbe before = reader->probe;

        if (reader->id != SOURCE_HWRNG)
                return false;
        return !is_there(reader) || strcmp(before.detail, reader->probe.detail) != 0 ||
               before.quality_per_1024 != reader->probe.quality_per_1024;
}

static int take_batch(Reader *reader, Batch *batch, uint64_t now_usec) {
        reader->state = READER_IDLE;
        reader->n_late = 0;
        if (hwrng_changed(reader)) {
                secret_wipe(batch->secret);
                (void)fail(reader, now_usec, "another device or quality while it was asked");
                reader->error = -ESTALE;
                return READER_E_FAILED;
        }
        batch->source = reader->id;
        batch->arrived_usec = now_usec;
        batch->stale_bytes = MIN(reader->stale_bytes, batch->length);
        if (reader->stale_bytes != SOURCE_STALE_ALWAYS)
                reader->stale_bytes -= (uint32_t)batch->stale_bytes;
        reader->answered_usec = now_usec;
        if (!reader->probe.fresh || batch->replay)
                reader->file_offset += batch->length;
        return 0;
}

static int on_source_error(Reader *reader, int error, uint64_t now_usec) {
        reader->state = READER_IDLE;
        reader->n_late = 0;
        if (error != -EINPROGRESS)
                return fail_with_source_error(reader, error, now_usec);

        /* It is slow, and what it gave is kept: the rest is asked for at once. */
        reader->answered_usec = now_usec;
        return ask_worker(reader, now_usec);
}

int reader_receive(Reader *reader, Batch *batch, uint64_t now_usec) {
        bool was_asked = reader->state == READER_ASKED;
        int error = 0, r;

        r = worker_receive(&reader->worker, batch, &error);
        switch (r) {
        case 0:
                return take_batch(reader, batch, now_usec);
        case WORKER_E_AGAIN:
                return READER_E_ASKED;
        case WORKER_E_SOURCE:
                return on_source_error(reader, error, now_usec);
        default:
                (void)reader_stop(reader);
                if (r == WORKER_E_GONE && !was_asked)
                        return READER_E_AGAIN; /* nothing was lost; the next request starts another */
                return fail(
                        reader,
                        now_usec,
                        r == WORKER_E_GARBAGE ? "its worker answered garbage; killed"
                                              : "its worker ended");
        }
}

/*
 * The kernel hands on what a hwrng gives only 64 bytes at a time, whatever it was asked for: at 5 bytes
 * a second (nova's documented example) that takes longer than the usual time-out, and a worker that is
 * killed takes its bytes with it. So this one goes on in the background, while others are asked.
 */
int reader_late(Reader *reader, uint64_t now_usec) {
        const bool goes_on = reader->id == SOURCE_HWRNG && reader->n_late < LATE_MAX;
        char text[READER_FAILURE_MAX];

        (void)snprintf(
                text,
                sizeof(text),
                "no answer within %.1f s; %s",
                (double)reader->settings.timeout_usec / 1e6,
                goes_on ? "its worker goes on waiting" : "its worker was killed");
        if (goes_on)
                reader->n_late++;
        else
                (void)reader_stop(reader);
        return fail(reader, now_usec, text);
}

int reader_reaped(Reader *reader, pid_t pid, uint64_t now_usec) {
        bool was_asked = reader->state == READER_ASKED;

        if (reader->worker.pid != pid)
                return 0;
        worker_reaped(&reader->worker);
        (void)reader_stop(reader);
        return was_asked ? fail(reader, now_usec, "its worker ended") : 0;
}

void reader_judged(Reader *reader, int fed, uint64_t now_usec) {
        if (fed == 0 || fed == FEED_E_UNTESTED) {
                backoff_reset(&reader->backoff);
                if (reader->state == READER_WAITING)
                        reader->state = READER_IDLE;
                return;
        }
        back_off(reader, now_usec);
        if (fed != FEED_E_BROKEN)
                return;
        (void)reader_stop(reader);
        reader->state = READER_RETIRED;
}
