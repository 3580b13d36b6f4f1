/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/asker.h"
#include "rngd/manager.h"

#define TEXT_MAX 160

static const SourceSettings *settings_of(const Asker *asker) {
        return &asker->manager->settings.sources[asker->id];
}

void asker_init(Asker *asker, Manager *manager, SourceId id) {
        *asker = (Asker){
                .manager = manager,
                .id = id,
                .worker = WORKER_NULL,
        };
        health_init(&asker->health, CREDIT_PER_1024_MAX);
        asker->health_quality_per_1024 = CREDIT_PER_1024_MAX;
}

void asker_stop(Asker *asker) {
        asker->answer_source = sd_event_source_disable_unref(asker->answer_source);
        asker->deadline_source = sd_event_source_disable_unref(asker->deadline_source);
        (void)worker_stop(&asker->worker);
        if (asker->state == ASKER_ASKED)
                asker->state = ASKER_IDLE;
}

void asker_deinit(Asker *asker) {
        asker_stop(asker);
}

const char *asker_state_to_string(AskerState state) {
        static const char *const names[_ASKER_STATE_MAX] = {
                [ASKER_DISABLED] = "disabled", [ASKER_ABSENT] = "absent",
                [ASKER_IDLE] = "idle",         [ASKER_ASKED] = "asked",
                [ASKER_WAITING] = "waiting",   [ASKER_RETIRED] = "retired",
        };

        return names[state];
}

const char *asker_detail(const Asker *asker) {
        return asker->look.detail;
}

static SourceConfig config_of(const Asker *asker) {
        const SourceSettings *settings = settings_of(asker);

        return (SourceConfig){
                .path = settings->path,
                .argv = settings->argv,
                .address = settings->address,
                .url = settings->url,
                .format = settings->format,
                .ca_file = settings->ca_file,
                .enabled_by_admin = settings->by_admin,
                .offset = asker->look.fresh ? 0 : asker->file_offset,
                /* A little before our own deadline, so that the source's reason wins. */
                .wait_usec = settings->timeout_usec / 10 * 9,
        };
}

static bool is_there(Asker *asker) {
        const SourceConfig config = config_of(asker);
        SourceLook look = {};
        bool there, changed;

        there = source_ops(asker->id)->look(&config, &asker->manager->root, &look) == 0 &&
                !asker->not_offered;
        changed = asker->look.detail[0] && strcmp(asker->look.detail, look.detail) != 0;
        asker->look = look;
        if (there && changed)
                asker_forget(asker);
        return there;
}

void asker_look(Asker *asker) {
        bool there = is_there(asker);

        if (!settings_of(asker)->enabled) {
                asker_stop(asker);
                asker->state = ASKER_DISABLED;
                return;
        }

        if (!there) {
                if (asker->state == ASKER_IDLE)
                        asker_stop(asker);
                if (asker->state == ASKER_ASKED) /* its answer will say ENODEV */
                        return;
                /* What comes next is another device, or this one mended: judged afresh. */
                asker_forget(asker);
                asker->state = ASKER_ABSENT;
                return;
        }
        if (asker->state == ASKER_DISABLED || asker->state == ASKER_ABSENT) {
                asker->state = ASKER_IDLE;
                backoff_reset(&asker->backoff);
        }
}

void asker_forget(Asker *asker) {
        health_init(&asker->health, asker->health_quality_per_1024);
        backoff_reset(&asker->backoff);
        if (asker->state == ASKER_RETIRED || asker->state == ASKER_WAITING)
                asker->state = ASKER_IDLE;
}

void asker_begin_again(Asker *asker) {
        asker_stop(asker);
        asker_forget(asker);
        asker->not_offered = false;
}

bool asker_can_be_asked(const Asker *asker, uint64_t now_usec) {
        return asker->state == ASKER_IDLE ||
               (asker->state == ASKER_WAITING && now_usec >= asker->retry_usec);
}

void asker_failed(Asker *asker, bool retire) {
        asker->state = retire ? ASKER_RETIRED : ASKER_WAITING;
        asker->retry_usec = manager_now_usec(asker->manager) + backoff_next_usec(&asker->backoff);
}

void asker_succeeded(Asker *asker) {
        backoff_reset(&asker->backoff);
        if (asker->state != ASKER_DISABLED)
                asker->state = ASKER_IDLE;
}

CreditInput asker_credit_input(const Asker *asker) {
        return (CreditInput){
                .source_class = asker->look.source_class,
                .fresh = asker->look.fresh,
                .confidential_guest = asker->manager->confidential,
                .enabled_by_admin = settings_of(asker)->by_admin,
                .quality_per_1024 = asker->look.quality_per_1024,
                .override_per_1024 = settings_of(asker)->credit_override_per_1024,
        };
}

/* The claim is what the health tests hold a source to; a new claim needs new cutoffs. */
static void adjust_health(Asker *asker) {
        const CreditInput input = asker_credit_input(asker);
        uint32_t quality_per_1024 = credit_per_1024(&input);

        if (quality_per_1024 == asker->health_quality_per_1024)
                return;
        health_init(&asker->health, quality_per_1024);
        asker->health_quality_per_1024 = quality_per_1024;
}

static void failed_with(Asker *asker, const char *what, int error) {
        char text[TEXT_MAX];

        (void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
        want_failed(asker->manager, asker, text);
}

/* A plug event says when to look again, unless a new device is there already. */
static void absent_with(Asker *asker, const char *why) {
        asker_stop(asker);
        asker_look(asker);
        want_failed(asker->manager, asker, why);
}

/* A regular file gave what it had; or there is no such thing here. */
static void ended_with(Asker *asker, const char *why) {
        asker_stop(asker);
        asker->state = ASKER_ABSENT;
        want_failed(asker->manager, asker, why);
}

/* Whether the path names something else than when its worker began. */
static bool was_replaced(const Asker *asker) {
        struct stat now;

        if (asker->id != SOURCE_FILE)
                return false;
        return stat(settings_of(asker)->path, &now) < 0 || now.st_dev != asker->opened_device ||
               now.st_ino != asker->opened_inode;
}

static void remember_file(Asker *asker) {
        struct stat now = {};

        if (asker->id == SOURCE_FILE)
                (void)stat(settings_of(asker)->path, &now);
        asker->opened_device = now.st_dev;
        asker->opened_inode = now.st_ino;
}

static void source_error(Asker *asker, int error) {
        const char *text = source_error_to_string(asker->id, error);

        switch (-error) {
        case ENODEV:
        case ENXIO:
        case ENOENT:
                if (asker->id == SOURCE_EXEC)
                        want_failed(asker->manager, asker, text);
                else
                        absent_with(asker, "gone or not there; waiting for a new one");
                return;
        case ENODATA:
                if (asker->id == SOURCE_FILE && !asker->look.fresh)
                        ended_with(asker, "read to its end; a file is not read twice");
                else
                        want_failed(asker->manager, asker, text);
                return;
        case ETIMEDOUT:
                /* A server may still owe bytes; a FIFO may be another one than was opened. */
                if (asker->id == SOURCE_EGD || was_replaced(asker))
                        asker_stop(asker);
                want_failed(asker->manager, asker, text);
                return;
        case EOPNOTSUPP:
                asker->not_offered = true;
                ended_with(asker, text);
                return;
        case ENOTTY:
                asker_stop(asker);
                want_failed(asker->manager, asker, text);
                return;
        default:
                asker_stop(asker); /* the next request opens it anew */
                if (asker->id == SOURCE_EXEC && error == -EIO)
                        want_failed(asker->manager, asker, text);
                else
                        failed_with(asker, "read failed", error);
        }
}

/* Whether /dev/hwrng stands for another device than when it was asked, or for another claim: whoever
 * writes rng_current or rng_quality changes what the bytes are worth, and no event tells of it. */
static bool hwrng_changed(Asker *asker) {
        const SourceLook before = asker->look;

        if (asker->id != SOURCE_HWRNG)
                return false;
        return !is_there(asker) || strcmp(before.detail, asker->look.detail) != 0 ||
               before.quality_per_1024 != asker->look.quality_per_1024;
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Asker *asker = userdata;
        Manager *manager = asker->manager;
        int error = 0, r;

        watch_look_for_fork(manager);
        if (asker->worker.pid == 0) /* stopped by what was just seen */
                return 0;
        r = worker_receive(&asker->worker, &manager->batch, &error);
        if (r == WORKER_E_AGAIN)
                return 0;
        if (asker->deadline_source)
                (void)sd_event_source_set_enabled(asker->deadline_source, SD_EVENT_OFF);

        if (r == 0 && hwrng_changed(asker)) {
                secret_wipe(manager->batch.secret);
                asker->state = ASKER_IDLE;
                want_failed(manager, asker, "another device or quality while it was asked");
        } else if (r == 0) {
                manager->batch.source = asker->id;
                manager->batch.arrived_usec = clock_boottime_usec();
                if (!asker->look.fresh)
                        asker->file_offset += manager->batch.length;
                asker->state = ASKER_IDLE;
                want_batch(manager, asker);
        } else if (r == WORKER_E_SOURCE) {
                asker->state = ASKER_IDLE;
                source_error(asker, error);
        } else if (r == WORKER_E_GONE && asker->state != ASKER_ASKED) {
                asker_stop(asker); /* nothing was lost; the next request starts another */
        } else {
                asker_stop(asker);
                want_failed(
                        manager,
                        asker,
                        r == WORKER_E_GARBAGE ? "its worker answered garbage; killed"
                                              : "its worker ended");
        }
        return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        Asker *asker = userdata;
        char text[TEXT_MAX];

        (void)snprintf(
                text,
                sizeof(text),
                "no answer within %.1f s; its worker was killed",
                (double)settings_of(asker)->timeout_usec / 1e6);
        asker_stop(asker);
        want_failed(asker->manager, asker, text);
        return 0;
}

static int start_worker(Asker *asker) {
        const SourceSettings *settings = settings_of(asker);
        sd_event *event = asker->manager->event;
        WorkerSpec spec = {
                .source = asker->id,
                .config = config_of(asker),
                .uid = settings->user.uid,
                .gid = settings->user.gid,
        };
        int r;

        remember_file(asker);
        r = worker_start(&asker->worker, &spec);
        if (r < 0)
                return r;
        r = sd_event_add_io(
                event,
                &asker->answer_source,
                asker->worker.fd,
                EPOLLIN,
                on_answer,
                asker);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(asker->answer_source, source_name(asker->id));
        return 0;
}

static int arm_deadline(Asker *asker) {
        uint64_t timeout_usec = settings_of(asker)->timeout_usec;
        int r;

        if (!asker->deadline_source)
                return sd_event_add_time_relative(
                        asker->manager->event,
                        &asker->deadline_source,
                        CLOCK_BOOTTIME,
                        timeout_usec,
                        timeout_usec / 20,
                        on_deadline,
                        asker);
        r = sd_event_source_set_time_relative(asker->deadline_source, timeout_usec);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(asker->deadline_source, SD_EVENT_ONESHOT);
}

static int ask_worker(Asker *asker, uint32_t n_bytes, bool after_fork) {
        int r;

        if (asker->worker.pid == 0) {
                r = start_worker(asker);
                if (r < 0)
                        return r;
        }
        r = worker_ask(
                &asker->worker,
                n_bytes,
                after_fork ? source_ops(asker->id)->stale_bytes : 0);
        if (r < 0)
                return r;
        return arm_deadline(asker);
}

/* A source that does not block is read here and now. */
static void read_now(Asker *asker, uint32_t n_bytes) {
        Manager *manager = asker->manager;
        Batch *batch = &manager->batch;
        Source source = { .ops = source_ops(asker->id), .fd = -1 };
        size_t length;
        int r;

        batch->asked_usec = clock_boottime_usec();
        r = source.ops->read(&source, batch->secret->bytes, n_bytes, &length);
        if (r < 0) {
                source_error(asker, r);
                return;
        }

        batch->source = asker->id;
        batch->length = length;
        batch->replay = false;
        batch->arrived_usec = clock_boottime_usec();
        want_batch(manager, asker);
}

void asker_ask(Asker *asker, uint32_t n_bytes, bool after_fork) {
        int r;

        if (asker->id == SOURCE_HWRNG) {
                asker_look(asker);
                if (asker->state != ASKER_IDLE)
                        return; /* it is gone, and a plug event says when it is back */
        }
        adjust_health(asker);
        if (!source_ops(asker->id)->blocking) {
                read_now(asker, n_bytes);
                return;
        }

        asker->state = ASKER_ASKED;
        r = ask_worker(asker, n_bytes, after_fork);
        if (r < 0) {
                asker_stop(asker);
                failed_with(asker, "cannot start its worker", r);
        }
}

bool asker_reaped(Asker *asker, pid_t pid, int status) {
        if (asker->worker.pid != pid)
                return false;

        log_debug(
                "%s: its worker ended (%s %d)",
                source_name(asker->id),
                WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (asker->state == ASKER_ASKED) {
                asker_stop(asker);
                want_failed(asker->manager, asker, "its worker ended");
        } else
                asker_stop(asker);
        return true;
}
