/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/feed/live-memory.h"
#include "lib/feed/seed-mark.h"
#include "lib/kernel/clock.h"
#include "rngd/event-timer.h"
#include "rngd/feed-log.h"
#include "rngd/feeding.h"

/* Within one request: how long bytes that were fetched ahead may have waited. */
#define READ_AHEAD_USEC USEC_PER_SEC

/* No request has so many steps: a bound against one that never ends. */
#define STEPS_MAX 1000U

void feeding_note_ready(Feeding *feeding) {
        if (feeding->ready || !random_is_ready(feeding->random))
                return;
        feeding->ready = true;
        log_notice("The kernel's RNG is ready");
        feeding_run(feeding); /* what was to help it become so is not waited for any more */
}

bool feeding_uses_source(const Feeding *feeding) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (reader_is_usable(&feeding->set.readers[id]) &&
                    !(feeding->spared && source_ops(id)->last_resort))
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
        if (feeding->told_no_credit || feeding->ready || !reader_set_is_usable(&feeding->set))
                return;
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const CreditInput credit = reader_credit_input(&feeding->set.readers[id]);

                if (reader_is_usable(&feeding->set.readers[id]) && credit_per_1024(&credit) > 0)
                        return;
        }
        feeding->told_no_credit = true;
        feed_log_no_credit(feeding->set.readers);
}

static void judge_live(const Feeding *feeding, CreditInput *credit) {
        const LiveMemory memory = {
                .state_directory = SEED_STATE_DIRECTORY,
                .boot_fd = feeding->runtime_fd,
        };
        int r;

        r = live_memory_judge(&memory, &feeding->set.batch, credit);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "%s: cannot record what it sent, so it is not credited",
                        source_name(feeding->set.batch.source));
}

/* feeding->set.batch holds the answer; it is wiped at the end, and only its verdict is left. */
static void take_batch(Feeding *feeding, Reader *reader) {
        CreditInput credit = reader_credit_input_of(reader, &feeding->set.batch);
        const Batch *batch = &feeding->set.batch;
        const bool reseed = feeding->reseed[reader->id];
        /* What only had to be passed over is no answer yet. */
        const bool is_answer = batch->stale_bytes == 0 ||
                               reader->probe.stale_bytes == SOURCE_STALE_ALWAYS ||
                               batch->length >= batch->stale_bytes + HEALTH_MIN_BATCH_BYTES;
        FeedReport report = {};
        uint32_t level_bits = 0;
        int fed;

        if (request_is_older_than_copy(&feeding->request, feeding->set.batch.asked_usec)) {
                /* Read, at least in part, before the machine was copied: its twins have it, too. */
                secret_wipe(feeding->set.batch.secret);
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
                &feeding->set.batch,
                credit,
                reseed,
                &report);
        reader_judged(reader, fed, event_now_usec(feeding->event));
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
                reader_set_leave_hwrng(&feeding->set);

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
        if (absent && !reader_set_is_usable(&feeding->set))
                feeding->hooks.no_source(feeding->hooks.userdata);
}

static void on_result(void *userdata, Reader *reader, int r) {
        Feeding *feeding = userdata;

        if (r == 0)
                take_batch(feeding, reader);
        else
                take_failure(feeding, reader);
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
                .now_usec = event_now_usec(feeding->event),
        };

        (void)random_level_bits(feeding->random, &facts.level_bits);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const Reader *reader = &feeding->set.readers[id];
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
        Reader *reader = &feeding->set.readers[action->source];

        /* What was fetched ahead is as old as the answer before. */
        if (feeding->ready && reader->worker.asked_bytes == 0 && reader->answered_usec > 0 &&
            event_now_usec(feeding->event) - reader->answered_usec > READ_AHEAD_USEC)
                reader_expect_stale(reader);
        if (source_ops(reader->id)->last_resort)
                feeding->spared = false;
        feeding->reseed[reader->id] = action->reseed;
        reader_set_ask(&feeding->set, reader->id, (uint32_t)action->length_bytes);
}

static int on_next(sd_event_source *s, uint64_t usec, void *userdata) {
        feeding_run(userdata);
        return 0;
}

static void spare(Feeding *feeding) {
        if (feeding->spared)
                return;
        feeding->spared = true;
        if (!feeding_uses_source(feeding))
                feeding->hooks.no_source(feeding->hooks.userdata);
}

/* Whether modules must be loaded is looked up only for a source that is about to be asked: it takes
 * reading a long file. */
static RequestAction next_action(Feeding *feeding) {
        RequestFacts facts = gather_facts(feeding);
        RequestAction action = request_next(&feeding->request, &facts);

        if (action.step != REQUEST_ASK || !request_spares_modules(&feeding->request, &facts) ||
            !reader_must_load(&feeding->set.readers[action.source]))
                return action;
        facts.sources[action.source].must_load = true;
        spare(feeding);
        return request_next(&feeding->request, &facts);
}

static void follow(Feeding *feeding, const RequestAction *action) {
        const Request *request = &feeding->request;
        const FeedingHooks *hooks = &feeding->hooks;
        const bool over = action->step != REQUEST_WAIT;

        event_timer_set(
                feeding->event,
                &feeding->next_source,
                over ? UINT64_MAX : action->until_usec,
                on_next,
                feeding);
        if (over || action->settled)
                tell_no_credit(feeding);
        if (over || action->settled)
                hooks->settled(hooks->userdata, request->got_bits, request->reseeded);
        if (over)
                hooks->over(hooks->userdata, action->step == REQUEST_NO_SOURCE);
}

void feeding_run(Feeding *feeding) {
        RequestAction action = { .step = REQUEST_ASK };

        if (feeding->running || !feeding->request.active)
                return;
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
        (void)reader_set_probe(&feeding->set);
        begins = request_add(&feeding->request, trigger, clock_boottime_usec());

        /* Before the kernel is ready it takes such bytes at their word itself, but for a known copy. */
        if (begins && (feeding->ready || trigger_is_copy(trigger)))
                reader_set_expect_stale(&feeding->set);
        feeding_run(feeding);
}

/* ---- life ---- */

void feeding_set_kernel(Feeding *feeding, RandomModel model, uint32_t pool_bits, bool ready) {
        feeding->model = model;
        feeding->pool_bits = pool_bits;
        feeding->ready = ready;
        feeding_take_settings(feeding);
}

void feeding_take_settings(Feeding *feeding) {
        /* Who requires a source is told at once whether there is one. */
        feeding->kernel_jitter = random_makes_jitter() && !feeding->settings->require_source;
        feeding->spared = false;
}

/* What the readers report. */
static void before_answer(void *userdata) {
        const Feeding *feeding = userdata;

        feeding->hooks.look_for_fork(feeding->hooks.userdata);
}

static void on_changed(void *userdata) {
        feeding_run(userdata);
}

int feeding_init(
        Feeding *feeding,
        sd_event *event,
        const RootDir *root,
        KernelRandom *random,
        const Settings *settings,
        const FeedingHooks *hooks) {
        const ReaderSetHooks for_set = { before_answer, on_result, on_changed, feeding };
        int r;

        *feeding = (Feeding){
                .hooks = *hooks,
                .event = event,
                .random = random,
                .settings = settings,
                .runtime_fd = -1,
                .feeder = { .random = random, .counters = &feeding->counters },
        };
        r = reader_set_init(&feeding->set, event, root, &for_set);
        reader_set_configure(&feeding->set, settings->sources);
        return r;
}

void feeding_deinit(Feeding *feeding) {
        if (!feeding->event) /* it never was there */
                return;
        reader_set_deinit(&feeding->set);
        feeding->next_source = sd_event_source_disable_unref(feeding->next_source);
}

void feeding_set_runtime(Feeding *feeding, int runtime_fd) {
        feeding->runtime_fd = runtime_fd;
}
