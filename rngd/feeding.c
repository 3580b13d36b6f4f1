/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/feed/live-memory.h"
#include "lib/feed/seed-mark.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/confidential.h"
#include "rngd/feed-log.h"
#include "rngd/feeding.h"

/* Within one request: how long bytes that were fetched ahead may have waited. */
#define READ_AHEAD_USEC USEC_PER_SEC

/* No request has so many steps: a bound against one that never ends. */
#define STEPS_MAX 1000U

static uint64_t now(const Feeding *feeding) {
        uint64_t now_usec;

        if (sd_event_now(feeding->event, CLOCK_BOOTTIME, &now_usec) != 0)
                return clock_boottime_usec();
        return MAX(now_usec, clock_boottime_usec());
}

void feeding_note_ready(Feeding *feeding) {
        if (feeding->ready || !random_is_ready(feeding->random))
                return;
        feeding->ready = true;
        log_notice("The kernel's RNG is ready");
        feeding_run(feeding); /* what was to help it become so is not waited for any more */
}

bool feeding_has_source(const Feeding *feeding) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (reader_is_usable(&feeding->readers[id]))
                        return true;
        return false;
}

bool feeding_is_waiting(const Feeding *feeding) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (feeding->readers[id].state == READER_ASKED)
                        return true;
        return false;
}

/* ---- what came of asking a source ---- */

/* A credit that the administrator set is refused: said once. */
static void tell_stale(Reader *reader, const FeedReport *report) {
        if (reader->told_stale || report->reason != CREDIT_NO_STALE ||
            reader->probe.stale_bytes != SOURCE_STALE_ALWAYS)
                return;
        reader->told_stale = true;
        feed_log_stale(reader);
}

static void refuse(Feeding *feeding, const Reader *reader, int fed) {
        char text[COUNTERS_ERROR_MAX];

        if (fed == FEED_E_UNHEALTHY || fed == FEED_E_BROKEN) {
                feed_log_dropped(reader, feeding->counters.entries[reader->id].last_error);
                return;
        }
        (void)snprintf(text, sizeof(text), "RNDADDENTROPY failed: %s", strerror(-fed));
        counters_failure(&feeding->counters, reader->id, text);
        log_warning("%s: %s", source_name(reader->id), text);
}

/* Said once: a source is there, and the kernel will not become ready by it. */
static void tell_no_credit(Feeding *feeding) {
        if (feeding->told_no_credit || feeding->ready || !feeding_has_source(feeding))
                return;
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const CreditInput credit = reader_credit_input(&feeding->readers[id]);

                if (reader_is_usable(&feeding->readers[id]) && credit_per_1024(&credit) > 0)
                        return;
        }
        feeding->told_no_credit = true;
        feed_log_no_credit(feeding->readers);
}

static bool look_at(Feeding *feeding, Reader *reader);

/* The administrator's own choice is kept. */
static void leave_hwrng(Feeding *feeding, Reader *reader) {
        if (reader->settings.config.device ||
            !hwrng_choice_leave(&feeding->hwrng_choice, reader->root))
                return;
        log_notice("hwrng: %s is left for another one that is there", reader_detail(reader));
        (void)look_at(feeding, reader);
}

static void judge_live(const Feeding *feeding, CreditInput *credit) {
        const LiveMemory memory = {
                .state_directory = SEED_STATE_DIRECTORY,
                .boot_fd = feeding->runtime_fd,
        };
        int r;

        r = live_memory_judge(&memory, &feeding->batch, credit);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "%s: cannot record what it sent, so it is not credited",
                        source_name(feeding->batch.source));
}

/* feeding->batch holds the answer; it is wiped at the end, and only its verdict is left. */
static void take_batch(Feeding *feeding, Reader *reader) {
        CreditInput credit = reader_credit_input_of(reader, &feeding->batch);
        const Batch *batch = &feeding->batch;
        const bool reseed = feeding->reseed[reader->id];
        /* What only had to be passed over is no answer yet. */
        const bool is_answer = batch->stale_bytes == 0 ||
                               reader->probe.stale_bytes == SOURCE_STALE_ALWAYS ||
                               batch->length >= batch->stale_bytes + HEALTH_MIN_BATCH_BYTES;
        FeedReport report = {};
        uint32_t level_bits = 0;
        int fed;

        if (request_is_older_than_copy(&feeding->request, feeding->batch.asked_usec)) {
                /* Read, at least in part, before the machine was copied: its twins have it, too. */
                secret_wipe(feeding->batch.secret);
                /* What it passed over was not what waits in the buffers now. */
                reader_expect_stale(reader);
                log_debug(
                        "%s: dropped a batch from before a copy of this machine",
                        source_name(reader->id));
                return;
        }

        judge_live(feeding, &credit);
        fed = feeder_feed(
                &feeding->feeder,
                &reader->health,
                &feeding->batch,
                credit,
                reseed,
                &report);
        reader_judged(reader, fed, now(feeding));
        if (fed == 0 || fed == FEED_E_UNTESTED) {
                if (reseed && report.reseed_error < 0 && feeding->ready)
                        (void)log_errno(LOG_DEBUG, report.reseed_error, "RNDRESEEDCRNG, ignoring");
                if (log_enabled(LOG_INFO))
                        (void)random_level_bits(feeding->random, &level_bits);
                feed_log_batch(reader, batch, &report, level_bits);
                tell_stale(reader, &report);
        } else
                refuse(feeding, reader, fed);
        if (fed == FEED_E_BROKEN && reader->id == SOURCE_HWRNG)
                leave_hwrng(feeding, reader);

        if (is_answer)
                request_count(
                        &feeding->request,
                        reader->id,
                        report.credited_bits,
                        report.reseeded && report.credited_bits > 0);
        feeding_note_ready(feeding);
}

static void take_failure(Feeding *feeding, const Reader *reader) {
        const bool absent = reader->state == READER_ABSENT;

        counters_failure(&feeding->counters, reader->id, reader->failure);
        log_message(
                absent ? LOG_NOTICE : LOG_WARNING,
                "%s (%s): %s",
                source_name(reader->id),
                reader_detail(reader),
                reader->failure);
        if (absent && !feeding_has_source(feeding))
                feeding->hooks.no_source(feeding->hooks.userdata);
}

static void take(Feeding *feeding, Reader *reader, int r) {
        if (r == 0)
                take_batch(feeding, reader);
        else if (r == READER_E_FAILED)
                take_failure(feeding, reader);
}

/* ---- the event loop ---- */

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata);

/*
 * While the socket is open: a child that was just forked for another worker has a copy of it, so epoll
 * would go on watching, and hand out an event source that is freed.
 */
static void unwatch_worker(void *userdata, SourceId id) {
        Feeding *feeding = userdata;

        feeding->answers[id] = sd_event_source_disable_unref(feeding->answers[id]);
        feeding->answer_pids[id] = 0;
}

/* The socket of a worker is watched from its start. Called after whatever may have started one. */
static void follow_worker(Feeding *feeding, Reader *reader) {
        sd_event_source **answer = &feeding->answers[reader->id];
        int r;

        if (reader->worker.pid == feeding->answer_pids[reader->id])
                return;
        unwatch_worker(feeding, reader->id);
        if (reader->worker.pid == 0)
                return;
        feeding->answer_pids[reader->id] = reader->worker.pid;
        r = sd_event_add_io(feeding->event, answer, reader->worker.fd, EPOLLIN, on_answer, feeding);
        if (r < 0) /* its deadline ends it */
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "%s: cannot wait for its worker",
                        source_name(reader->id));
        else
                (void)sd_event_source_set_description(*answer, source_name(reader->id));
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Feeding *feeding = userdata;
        Reader *reader = NULL;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (feeding->answers[id] == s)
                        reader = &feeding->readers[id];
        if (!reader)
                return 0;
        feeding->hooks.look_for_fork(feeding->hooks.userdata);
        if (reader->worker.pid == 0) /* stopped by what was just seen */
                return 0;
        take(feeding, reader, reader_receive(reader, &feeding->batch, now(feeding)));
        follow_worker(feeding, reader);
        feeding_run(feeding);
        return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        Feeding *feeding = userdata;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                Reader *reader = &feeding->readers[id];

                if (reader->state != READER_ASKED || now(feeding) < reader->deadline_usec)
                        continue;
                take(feeding, reader, reader_late(reader, now(feeding)));
                follow_worker(feeding, reader);
        }
        feeding_run(feeding);
        return 0;
}

static int on_next(sd_event_source *s, uint64_t usec, void *userdata) {
        feeding_run(userdata);
        return 0;
}

static void set_timer(
        Feeding *feeding,
        sd_event_source **timer,
        uint64_t at_usec,
        sd_event_time_handler_t handler) {
        const uint64_t left_usec = at_usec - MIN(at_usec, now(feeding));
        int r = 0;

        if (at_usec == UINT64_MAX) {
                if (*timer)
                        (void)sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
                return;
        }
        if (!*timer)
                r = sd_event_add_time(
                        feeding->event,
                        timer,
                        CLOCK_BOOTTIME,
                        at_usec,
                        1,
                        handler,
                        feeding);
        if (r >= 0)
                r = sd_event_source_set_time(*timer, at_usec);
        if (r >= 0) /* slack, so that wakeups of programs coalesce */
                r = sd_event_source_set_time_accuracy(*timer, MAX(left_usec / 20, 1U));
        if (r >= 0)
                r = sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot set a timer, ignoring");
}

static uint64_t earliest_deadline_usec(const Feeding *feeding) {
        uint64_t earliest = UINT64_MAX;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (feeding->readers[id].state == READER_ASKED)
                        earliest = MIN(earliest, feeding->readers[id].deadline_usec);
        return earliest;
}

/* ---- steps ---- */

/* Whether /dev/random still says that it has room. Somebody else may have filled it. */
static bool kernel_asks(const Feeding *feeding) {
        uint32_t mask = POLLOUT; /* in doubt it does */

        if (feeding->model != RANDOM_MODEL_COUNTING)
                return false;
        (void)random_poll(feeding->random, &mask);
        return mask & POLLOUT;
}

static RequestSourceState state_for_request(ReaderState state) {
        switch (state) {
        case READER_IDLE:
                return REQUEST_SOURCE_IDLE;
        case READER_ASKED:
                return REQUEST_SOURCE_ASKED;
        case READER_WAITING:
                return REQUEST_SOURCE_WAITING;
        case READER_DISABLED:
        case READER_ABSENT:
        case READER_RETIRED:
        case _READER_STATE_MAX:
        default:
                return REQUEST_SOURCE_NONE;
        }
}

static RequestFacts gather_facts(const Feeding *feeding) {
        RequestFacts facts = {
                .model = feeding->model,
                .ready = feeding->ready,
                .kernel_asks = kernel_asks(feeding),
                .kernel_jitter = feeding->kernel_jitter,
                .pool_bits = feeding->pool_bits,
                .batch_max_bytes = feeding->settings->random_step_bytes,
                .now_usec = now(feeding),
        };

        (void)random_level_bits(feeding->random, &facts.level_bits);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const Reader *reader = &feeding->readers[id];
                const CreditInput credit = reader_credit_input(reader);

                facts.sources[id].state = state_for_request(reader->state);
                facts.sources[id].retry_usec = reader->retry_usec;
                if (!feeding->ready)
                        facts.sources[id].retry_usec =
                                MIN(reader->retry_usec,
                                    reader->failed_usec + REQUEST_UNREADY_RETRY_USEC);
                facts.sources[id].per_1024 = credit_per_1024(&credit);
                facts.sources[id].last_resort = source_ops(id)->last_resort;
        }
        return facts;
}

static void ask(Feeding *feeding, const RequestAction *action) {
        Reader *reader = &feeding->readers[action->source];

        /* What was fetched ahead is as old as the answer before. */
        if (feeding->ready && reader->worker.asked_bytes == 0 && reader->answered_usec > 0 &&
            now(feeding) - reader->answered_usec > READ_AHEAD_USEC)
                reader_expect_stale(reader);
        feeding->reseed[reader->id] = action->reseed;
        take(feeding,
             reader,
             reader_ask(reader, (uint32_t)action->length_bytes, &feeding->batch, now(feeding)));
        follow_worker(feeding, reader);
}

/* Whether modules must be loaded is looked up only for a source that is about to be asked: it takes
 * reading a long file. */
static RequestAction next_action(Feeding *feeding) {
        RequestFacts facts = gather_facts(feeding);
        RequestAction action = request_next(&feeding->request, &facts);

        if (action.step != REQUEST_ASK || !request_spares_modules(&feeding->request, &facts) ||
            !reader_must_load(&feeding->readers[action.source]))
                return action;
        facts.sources[action.source].must_load = true;
        return request_next(&feeding->request, &facts);
}

static void follow(Feeding *feeding, const RequestAction *action) {
        const Request *request = &feeding->request;
        const FeedingHooks *hooks = &feeding->hooks;
        const bool over = action->step != REQUEST_WAIT;

        set_timer(feeding, &feeding->deadline_source, earliest_deadline_usec(feeding), on_deadline);
        set_timer(feeding, &feeding->next_source, over ? UINT64_MAX : action->until_usec, on_next);
        if (over || action->settled)
                tell_no_credit(feeding);
        if (over || action->settled)
                hooks->settled(hooks->userdata, request->got_bits, request->reseeded);
        if (over)
                hooks->over(hooks->userdata, action->step == REQUEST_NO_SOURCE);
}

void feeding_run(Feeding *feeding) {
        RequestAction action = { .step = REQUEST_ASK };

        if (feeding->running)
                return;
        if (!feeding->request.active) {
                /* A late answer came in: nothing has to wake up for its deadline any more. */
                set_timer(
                        feeding,
                        &feeding->deadline_source,
                        earliest_deadline_usec(feeding),
                        on_deadline);
                return;
        }
        feeding->running = true;
        for (unsigned i = 0; action.step == REQUEST_ASK && i < STEPS_MAX; i++) {
                action = next_action(feeding);
                if (action.step == REQUEST_ASK)
                        ask(feeding, &action);
        }
        feeding->running = false;
        follow(feeding, &action);
}

void feeding_trigger(Feeding *feeding, Trigger trigger) {
        bool begins;

        feeding->triggers[trigger]++;
        log_debug("Trigger: %s", trigger_to_string(trigger));
        (void)feeding_probe(feeding);
        begins = request_add(&feeding->request, trigger, clock_boottime_usec());

        /* Before the kernel is ready it takes such bytes at their word itself, but for a known copy. */
        if (begins && (feeding->ready || trigger_is_copy(trigger)))
                for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                        reader_expect_stale(&feeding->readers[id]);
        feeding_run(feeding);
}

/* ---- life ---- */

/* Whether something new is there; what came and what went is logged. */
static bool look_at(Feeding *feeding, Reader *reader) {
        const SourceProbe before = reader->probe;
        const ReaderState state_before = reader->state;
        bool appeared;

        reader_probe(reader);
        follow_worker(feeding, reader);
        appeared =
                reader->state == READER_IDLE && state_before != READER_DISABLED &&
                (state_before != READER_IDLE || strcmp(before.detail, reader->probe.detail) != 0);
        if (appeared)
                log_notice("%s: %s is there", source_name(reader->id), reader_detail(reader));
        else if (
                state_before != READER_ABSENT && state_before != READER_DISABLED &&
                reader->state == READER_ABSENT)
                log_notice(
                        "%s: %s is gone; waiting for a new one",
                        source_name(reader->id),
                        before.detail);
        return appeared;
}

bool feeding_probe(Feeding *feeding) {
        bool appeared = false;

        hwrng_choice_prefer(
                feeding->readers[SOURCE_HWRNG].root,
                feeding->settings->sources[SOURCE_HWRNG].device);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                appeared |= look_at(feeding, &feeding->readers[id]);
        return appeared;
}

static void configure(Feeding *feeding, SourceId id) {
        const ReaderSettings settings = source_settings_for_reader(&feeding->settings->sources[id]);

        reader_configure(&feeding->readers[id], &settings);
}

void feeding_configure(Feeding *feeding) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                configure(feeding, id);
                follow_worker(feeding, &feeding->readers[id]);
        }
        (void)feeding_probe(feeding);
}

void feeding_forget_hwrng(Feeding *feeding) {
        hwrng_choice_forget(&feeding->hwrng_choice);
        reader_forget(&feeding->readers[SOURCE_HWRNG]);
}

void feeding_reaped(Feeding *feeding, pid_t pid) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                Reader *reader = &feeding->readers[id];

                if (reader->worker.pid != pid)
                        continue;
                if (reader_reaped(reader, pid, now(feeding)) == READER_E_FAILED)
                        take_failure(feeding, reader);
                follow_worker(feeding, reader);
                feeding_run(feeding);
                return;
        }
}

void feeding_set_kernel(Feeding *feeding, RandomModel model, uint32_t pool_bits, bool ready) {
        feeding->model = model;
        feeding->pool_bits = pool_bits;
        feeding->ready = ready;
        feeding->kernel_jitter = random_makes_jitter();
}

static void say_for_worker(SourceId source, const char *text) {
        log_notice("%s: %s", source_name(source), text);
}

int feeding_init(
        Feeding *feeding,
        sd_event *event,
        const RootDir *root,
        KernelRandom *random,
        const Settings *settings,
        const FeedingHooks *hooks) {
        *feeding = (Feeding){
                .hooks = *hooks,
                .event = event,
                .random = random,
                .settings = settings,
                .confidential = confidential_guest(root),
                .runtime_fd = -1,
                .feeder = { .random = random, .counters = &feeding->counters },
                .worker_news = { .say = say_for_worker },
        };
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                reader_init(&feeding->readers[id], id, root, feeding->confidential);
                feeding->readers[id].news = &feeding->worker_news;
                feeding->readers[id].before_close = unwatch_worker;
                feeding->readers[id].userdata = feeding;
                configure(feeding, id);
        }
        return batch_init(&feeding->batch);
}

void feeding_deinit(Feeding *feeding) {
        if (!feeding->event) /* it never was there */
                return;
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                feeding->answers[id] = sd_event_source_disable_unref(feeding->answers[id]);
                (void)reader_stop(&feeding->readers[id]);
        }
        feeding->deadline_source = sd_event_source_disable_unref(feeding->deadline_source);
        feeding->next_source = sd_event_source_disable_unref(feeding->next_source);
        batch_deinit(&feeding->batch);
}

void feeding_set_runtime(Feeding *feeding, int runtime_fd) {
        feeding->runtime_fd = runtime_fd;
}
