/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "lib/kernel/clock.h"
#include "rngd/manager.h"

/* Those that answer later are asked first, so that they work while the others are read. */
static const SourceId asking_order[] = {
        SOURCE_METADATA, SOURCE_HWRNG, SOURCE_TPM, SOURCE_EGD,
        SOURCE_FILE,     SOURCE_EXEC,  SOURCE_CPU, SOURCE_JITTER,
};
_Static_assert(ELEMENTSOF(asking_order) == _SOURCE_LIVE_MAX, "every source has its turn");

/* A want is the refill policy's want of the same place. */
_Static_assert(
        WANT_BIT(WANT_START) == REFILL_WANT_START && WANT_BIT(WANT_LEVEL) == REFILL_WANT_LEVEL &&
                WANT_BIT(WANT_FORK) == REFILL_WANT_FORK &&
                WANT_BIT(WANT_PLUG) == REFILL_WANT_PLUG &&
                WANT_BIT(WANT_RESUME) == REFILL_WANT_RESUME &&
                WANT_BIT(WANT_CLOCK) == REFILL_WANT_CLOCK &&
                WANT_BIT(WANT_TIMER) == REFILL_WANT_TIMER &&
                WANT_BIT(WANT_SIGNAL) == REFILL_WANT_SIGNAL,
        "Want and RefillWant go together");

const char *want_to_string(Want want) {
        static const char *const names[_WANT_MAX] = {
                [WANT_START] = "start", [WANT_LEVEL] = "level",   [WANT_FORK] = "fork",
                [WANT_PLUG] = "plug",   [WANT_RESUME] = "resume", [WANT_CLOCK] = "clock",
                [WANT_TIMER] = "timer", [WANT_SIGNAL] = "signal",
        };

        return names[want];
}

bool want_is_any_of(const Need *need, uint32_t wants) {
        return need->wants & wants;
}

static RefillPlan plan_for(const Manager *manager, const Asker *asker) {
        const CreditInput credit = asker_credit_input(asker);
        RefillState state = {
                .model = manager->model,
                .ready = manager->ready,
                .pool_bits = manager->pool_bits,
                .wants = manager->need.wants,
                .rounds_done = asker->rounds,
                .credited_bits = manager->need.got_bits,
                .source_per_1024 = credit_per_1024(&credit),
                .batch_max_bytes = manager->settings.random_step_bytes,
        };

        (void)random_level_bits(&manager->random, &state.level_bits);
        return refill_plan(&state);
}

static void start_rounds(Manager *manager) {
        manager->need.got_credit = false;
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                manager->askers[id].rounds = 0;
}

static bool any_asked(const Manager *manager) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (manager->askers[id].state == ASKER_ASKED)
                        return true;
        return false;
}

static void end_need(Manager *manager) {
        Need *need = &manager->need;

        if (need->retry_source)
                (void)sd_event_source_set_enabled(need->retry_source, SD_EVENT_OFF);
        if (manager->fork.pending)
                fork_done(manager, need->got_bits, need->reseeded);
        need->active = false;
        need->wants = 0;
        watch_level(manager);
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        start_rounds(manager);
        want_pursue(manager);
        return 0;
}

static void retry_after(Manager *manager, uint64_t delay_usec) {
        Need *need = &manager->need;
        int r;

        if (!need->retry_source)
                r = sd_event_add_time_relative(
                        manager->event,
                        &need->retry_source,
                        CLOCK_BOOTTIME,
                        delay_usec,
                        delay_usec / 10,
                        on_retry,
                        manager);
        else {
                r = sd_event_source_set_time_relative(need->retry_source, delay_usec);
                if (r >= 0)
                        r = sd_event_source_set_enabled(need->retry_source, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot set the timer for the next try, ignoring");
}

/* When the first of those that failed may be asked again; false if there is none. */
static bool earliest_retry(const Manager *manager, uint64_t *ret_delay_usec) {
        uint64_t now_usec = manager_now_usec(manager), earliest_usec = UINT64_MAX;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (manager->askers[id].state == ASKER_WAITING)
                        earliest_usec = MIN(earliest_usec, manager->askers[id].retry_usec);
        if (earliest_usec == UINT64_MAX)
                return false;

        *ret_delay_usec = earliest_usec > now_usec ? earliest_usec - now_usec : 1;
        return true;
}

/* Whether /dev/random still says that it has room. Somebody else may have filled it. */
static bool kernel_asks(const Manager *manager) {
        uint32_t mask = POLLOUT; /* in doubt it does */

        if (manager->model != RANDOM_MODEL_COUNTING)
                return false;
        (void)random_poll(&manager->random, &mask);
        return mask & POLLOUT;
}

static bool follow_plan(Manager *manager, Asker *asker);

/*
 * A source that costs the guest its own time is asked only when every other one has answered,
 * failed or is not there, and nothing that came could be credited. True if there is now an answer
 * to wait for, or nothing left to do.
 */
static bool ask_last_resort(Manager *manager) {
        for (size_t i = 0; i < ELEMENTSOF(asking_order); i++) {
                Asker *asker = &manager->askers[asking_order[i]];

                if (!source_ops(asker->id)->last_resort || manager->need.got_credit ||
                    !asker_can_be_asked(asker, manager_now_usec(manager)))
                        continue;
                if (!follow_plan(manager, asker) || asker->state == ASKER_ASKED)
                        return true;
        }
        return false;
}

/*
 * Nobody owes an answer and the need is not met. What failed is tried again; what merely could
 * not be credited is tried again only where the kernel still waits for bits.
 */
static void settle(Manager *manager) {
        Need *need = &manager->need;
        uint64_t delay_usec;

        if (!need->active || any_asked(manager) || ask_last_resort(manager))
                return;

        if (!manager_has_source(manager)) {
                end_need(manager);
                if (manager->settings.require_source)
                        (void)sd_event_exit(manager->event, EX_UNAVAILABLE);
                return;
        }

        if (earliest_retry(manager, &delay_usec)) {
                if (manager->fork.pending)
                        fork_done(manager, need->got_bits, need->reseeded);
        } else if (
                !manager->ready ||
                (want_is_any_of(need, WANT_BIT(WANT_LEVEL)) && kernel_asks(manager))) {
                delay_usec = backoff_next_usec(&need->backoff);
                log_debug("No progress; next try in %.0f s", (double)delay_usec / 1e6);
        } else {
                end_need(manager);
                return;
        }
        retry_after(manager, delay_usec);
}

/* What the plan for one source says is done; false when the need was met. */
static bool follow_plan(Manager *manager, Asker *asker) {
        const RefillPlan plan = plan_for(manager, asker);

        /* Its back-off is over, also if it is not asked now: nobody need wait for that again. */
        if (asker->state == ASKER_WAITING)
                asker->state = ASKER_IDLE;

        switch (plan.action) {
        case REFILL_ASK:
                if (plan.pause_usec > 0) {
                        retry_after(manager, plan.pause_usec);
                        return true;
                }
                asker->reseed = plan.reseed;
                asker_ask(asker, (uint32_t)plan.length_bytes, manager->need.discard_stale);
                return true;
        case REFILL_NO_PROGRESS:
                return true;
        case REFILL_DONE:
        default:
                backoff_reset(&manager->need.backoff);
                end_need(manager);
                return false;
        }
}

void want_pursue(Manager *manager) {
        for (size_t i = 0; i < ELEMENTSOF(asking_order); i++) {
                Asker *asker = &manager->askers[asking_order[i]];

                if (!manager->need.active)
                        return;
                if (!source_ops(asker->id)->last_resort &&
                    asker_can_be_asked(asker, manager_now_usec(manager)) &&
                    !follow_plan(manager, asker))
                        return;
        }
        settle(manager);
}

void want_add(Manager *manager, Want want) {
        Asker *hwrng = &manager->askers[SOURCE_HWRNG];
        Need *need = &manager->need;

        manager->wakes[want]++;
        log_debug("Wanted: %s", want_to_string(want));
        if (hwrng->state == ASKER_ABSENT)
                asker_look(hwrng); /* who chose one in rng_current told nobody */

        if (!need->active || want == WANT_FORK) {
                need->active = true;
                need->since_usec = manager_now_usec(manager);
                need->got_bits = 0;
                need->reseeded = false;
                start_rounds(manager);
        }
        if (want == WANT_FORK) {
                need->fresh_usec = clock_boottime_usec();
                need->discard_stale = true;
        }
        need->wants |= WANT_BIT(want);
        want_pursue(manager);
}

static void report_feed(Manager *manager, const Asker *asker, const FeedReport *report) {
        const Batch *batch = &manager->batch;
        uint32_t level_bits = 0;

        if (!log_enabled(LOG_INFO))
                return;
        (void)random_level_bits(&manager->random, &level_bits);
        log_info(
                "%s: %zu B%s, +%u bits (level %u)%s, %.1f ms",
                source_name(asker->id),
                report->n_bytes,
                report->credited_bits == 0 ? " mixed in without credit" : "",
                report->credited_bits,
                level_bits,
                report->reseeded ? ", reseeded" : "",
                (double)(batch->arrived_usec - batch->asked_usec) / 1000);
}

/* The batch is wiped by now; only its verdict is left. */
static void take_report(Manager *manager, Asker *asker, int fed, const FeedReport *report) {
        const char *name = source_name(asker->id);

        if (fed == 0 || fed == FEED_E_UNTESTED) {
                asker_succeeded(asker);
                manager->need.got_bits += report->credited_bits;
                manager->need.got_credit |= report->credited_bits > 0;
                manager->need.reseeded |= report->reseeded;
                if (asker->reseed && report->reseed_error < 0 && manager->ready)
                        (void)log_errno(LOG_DEBUG, report->reseed_error, "RNDRESEEDCRNG, ignoring");
                report_feed(manager, asker, report);
        } else if (fed == FEED_E_UNHEALTHY || fed == FEED_E_BROKEN) {
                log_warning(
                        "%s (%s): dropped a batch; %s",
                        name,
                        asker_detail(asker),
                        manager->ledger.entries[asker->id].last_error);
                if (fed == FEED_E_BROKEN)
                        asker_stop(asker);
                asker_failed(asker, fed == FEED_E_BROKEN);
        } else {
                char text[LEDGER_ERROR_MAX];

                (void)snprintf(text, sizeof(text), "RNDADDENTROPY failed: %s", strerror(-fed));
                ledger_failure(&manager->ledger, asker->id, text);
                log_warning("%s: %s", name, text);
                asker_failed(asker, false);
        }
}

void want_batch(Manager *manager, Asker *asker) {
        CreditInput credit = asker_credit_input(asker);
        Need *need = &manager->need;
        FeedReport report = {};
        int fed;

        if (manager->batch.asked_usec < need->fresh_usec) {
                /* Read, at least in part, before the machine was cloned: its twins have it, too. */
                secret_wipe(manager->batch.secret);
                log_debug("%s: dropped a batch from before the fork", source_name(asker->id));
                want_pursue(manager);
                return;
        }

        asker->rounds++;
        credit.fresh = credit.fresh && !manager->batch.replay;
        fed = feeder_feed(
                &manager->feeder,
                &asker->health,
                &manager->batch,
                credit,
                asker->reseed,
                &report);
        take_report(manager, asker, fed, &report);
        manager_note_ready(manager);

        if (!need->active)
                return;
        if (asker->state == ASKER_IDLE && !follow_plan(manager, asker))
                return;
        settle(manager);
}

void want_failed(Manager *manager, Asker *asker, const char *error) {
        bool absent = asker->state == ASKER_ABSENT;

        ledger_failure(&manager->ledger, asker->id, error);
        log_message(
                absent ? LOG_NOTICE : LOG_WARNING,
                "%s (%s): %s",
                source_name(asker->id),
                asker_detail(asker),
                error);
        if (!absent)
                asker_failed(asker, false);
        else if (!manager_has_source(manager))
                manager_tell_no_source(); /* that was the last one */
        settle(manager);
}

void want_deinit(Need *need) {
        need->retry_source = sd_event_source_disable_unref(need->retry_source);
}
