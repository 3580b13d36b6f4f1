/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/log.h"
#include "lib/kernel/confidential.h"
#include "rngd/event-timer.h"
#include "rngd/reader-set.h"

bool reader_set_is_usable(const ReaderSet *set) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (reader_is_usable(&set->readers[id]))
                        return true;
        return false;
}

bool reader_set_is_waiting(const ReaderSet *set) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (set->readers[id].state == READER_ASKED)
                        return true;
        return false;
}

/* ---- the event loop ---- */

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata);
static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata);

/*
 * While the socket is open: a child that was just forked for another worker has a copy of it, so epoll
 * would go on watching, and hand out an event source that is freed.
 */
static void unwatch(void *userdata, SourceId id) {
        ReaderSet *set = userdata;

        set->answers[id] = sd_event_source_disable_unref(set->answers[id]);
        set->answer_pids[id] = 0;
}

/* The socket of a worker is watched from its start. */
static void watch_worker(ReaderSet *set, const Reader *reader) {
        sd_event_source **answer = &set->answers[reader->id];
        int r;

        if (reader->worker.pid == set->answer_pids[reader->id])
                return;
        unwatch(set, reader->id);
        if (reader->worker.pid == 0)
                return;
        set->answer_pids[reader->id] = reader->worker.pid;
        r = sd_event_add_io(set->event, answer, reader->worker.fd, EPOLLIN, on_answer, set);
        if (r < 0) /* its deadline ends it */
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "%s: cannot wait for its worker",
                        source_name(reader->id));
        else
                (void)sd_event_source_set_description(*answer, source_name(reader->id));
}

/* Called after whatever may have started a worker, or have changed who owes an answer. */
static void follow(ReaderSet *set, const Reader *reader) {
        uint64_t earliest_usec = UINT64_MAX;

        watch_worker(set, reader);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (set->readers[id].state == READER_ASKED)
                        earliest_usec = MIN(earliest_usec, set->readers[id].deadline_usec);
        event_timer_set(set->event, &set->deadline_source, earliest_usec, on_deadline, set);
}

static void take(ReaderSet *set, Reader *reader, int r) {
        follow(set, reader);
        if (r == 0 || r == READER_E_FAILED)
                set->hooks.result(set->hooks.userdata, reader, r);
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        ReaderSet *set = userdata;
        Reader *reader = NULL;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (set->answers[id] == s)
                        reader = &set->readers[id];
        if (!reader)
                return 0;
        set->hooks.before_answer(set->hooks.userdata);
        if (reader->worker.pid == 0) /* stopped by what was just seen */
                return 0;
        take(set, reader, reader_receive(reader, &set->batch, event_now_usec(set->event)));
        set->hooks.changed(set->hooks.userdata);
        return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        ReaderSet *set = userdata;

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                Reader *reader = &set->readers[id];
                const uint64_t now_usec = event_now_usec(set->event);

                if (reader->state == READER_ASKED && now_usec >= reader->deadline_usec)
                        take(set, reader, reader_late(reader, now_usec));
        }
        set->hooks.changed(set->hooks.userdata);
        return 0;
}

void reader_set_ask(ReaderSet *set, SourceId id, uint32_t n_bytes) {
        Reader *reader = &set->readers[id];

        take(set, reader, reader_ask(reader, n_bytes, &set->batch, event_now_usec(set->event)));
}

void reader_set_reaped(ReaderSet *set, pid_t pid) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                Reader *reader = &set->readers[id];
                int r;

                if (reader->worker.pid != pid)
                        continue;
                r = reader_reaped(reader, pid, event_now_usec(set->event));
                take(set, reader, r == 0 ? READER_E_AGAIN : r);
                set->hooks.changed(set->hooks.userdata);
                return;
        }
}

/* ---- devices ---- */

/* Whether something new is there; what came and what went is logged. */
static bool look_at(ReaderSet *set, Reader *reader) {
        const SourceProbe before = reader->probe;
        const ReaderState state_before = reader->state;
        bool appeared;

        reader_probe(reader);
        follow(set, reader);
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

bool reader_set_probe(ReaderSet *set) {
        const Reader *hwrng = &set->readers[SOURCE_HWRNG];
        bool appeared = false;

        hwrng_choice_prefer(hwrng->root, hwrng->settings.config.device);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                appeared |= look_at(set, &set->readers[id]);
        return appeared;
}

void reader_set_expect_stale(ReaderSet *set) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                reader_expect_stale(&set->readers[id]);
}

void reader_set_leave_hwrng(ReaderSet *set) {
        Reader *hwrng = &set->readers[SOURCE_HWRNG];

        if (hwrng->settings.config.device || !hwrng_choice_leave(&set->hwrng_choice, hwrng->root))
                return;
        log_notice("hwrng: %s is left for another one that is there", reader_detail(hwrng));
        (void)look_at(set, hwrng);
}

void reader_set_forget_hwrng(ReaderSet *set) {
        hwrng_choice_forget(&set->hwrng_choice);
        reader_forget(&set->readers[SOURCE_HWRNG]);
}

/* ---- life ---- */

void reader_set_configure(ReaderSet *set, const SourceSettings sources[static _SOURCE_LIVE_MAX]) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const ReaderSettings settings = source_settings_for_reader(&sources[id]);

                reader_configure(&set->readers[id], &settings);
                follow(set, &set->readers[id]);
        }
}

static void say_for_worker(SourceId source, const char *text) {
        log_notice("%s: %s", source_name(source), text);
}

int reader_set_init(
        ReaderSet *set,
        sd_event *event,
        const RootDir *root,
        const ReaderSetHooks *hooks) {
        *set = (ReaderSet){
                .hooks = *hooks,
                .event = event,
                .news = { .say = say_for_worker },
                .confidential = confidential_guest(root),
        };
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                reader_init(&set->readers[id], id, root, set->confidential);
                set->readers[id].news = &set->news;
                set->readers[id].before_close = unwatch;
                set->readers[id].userdata = set;
        }
        return batch_init(&set->batch);
}

void reader_set_deinit(ReaderSet *set) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                unwatch(set, id);
                (void)reader_stop(&set->readers[id]);
        }
        set->deadline_source = sd_event_source_disable_unref(set->deadline_source);
        batch_deinit(&set->batch);
}
