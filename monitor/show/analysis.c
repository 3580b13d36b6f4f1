/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "monitor/show/analysis.h"

/* At least this many process starts within one second count as load. */
#define LOAD_STARTS_PER_SEC 5U
/* Events this close to the time of readiness may be its cause: seeder and rngd take the time
 * before or after the ioctl, and an hwrng is seen after it was read. */
#define CAUSE_USEC (100 * USEC_PER_MSEC)

const uint64_t *analysis_starts(const Recording *recording) {
        return strcmp(recording->starts_source, STARTS_SOURCE_CONNECTOR) == 0 ? recording->execs
                                                                              : recording->forks;
}

uint64_t blocked_usec(const BlockedSpan *span) {
        return span->to_usec - span->from_usec;
}

const BlockedSpan *analysis_longest_wait(const Recording *recording) {
        const BlockedSpan *longest = NULL;

        for (size_t i = 0; i < recording->n_blocked; i++)
                if (!longest || blocked_usec(&recording->blocked[i]) > blocked_usec(longest))
                        longest = &recording->blocked[i];
        return longest;
}

uint64_t analysis_starts_between(const Recording *recording, uint64_t from_usec, uint64_t to_usec) {
        const uint64_t *starts = analysis_starts(recording);
        uint64_t interval = recording->starts_interval_usec, begin = recording->starts_from_usec;
        uint64_t first, last, n = 0;

        if (to_usec <= begin)
                return 0;
        first = from_usec > begin ? (from_usec - begin + interval - 1) / interval : 0;
        last = (to_usec - begin + interval - 1) / interval;
        for (uint64_t i = first; i < last && i < recording->n_starts; i++)
                n += starts[i];
        return n;
}

static void count_starts(const Recording *recording, Analysis *analysis) {
        const uint64_t *starts = analysis_starts(recording);
        uint64_t window = MAX(USEC_PER_SEC / recording->starts_interval_usec, UINT64_C(1));
        uint64_t in_window = 0, most = 0;

        for (size_t i = 0; i < recording->n_starts; i++) {
                analysis->n_starts += starts[i];
                in_window += starts[i];
                if (i >= window)
                        in_window -= starts[i - window];
                most = MAX(most, in_window);
        }
        analysis->starts_per_sec = rate_of((double)analysis->n_starts, analysis->recorded_usec);
        analysis->most_starts_per_sec =
                rate_of((double)most, window * recording->starts_interval_usec);
}

/* Assumes that the nearer extreme of a thinned sample came first. */
static void add_step(Rates *rates, uint64_t *level, uint64_t minimum, uint64_t maximum) {
        uint64_t to_minimum = *level > minimum ? *level - minimum : minimum - *level;
        uint64_t to_maximum = *level > maximum ? *level - maximum : maximum - *level;
        const uint64_t path[] = {
                to_minimum < to_maximum ? minimum : maximum,
                to_minimum < to_maximum ? maximum : minimum,
        };

        for (size_t i = 0; i < ELEMENTSOF(path); i++) {
                if (path[i] > *level)
                        rates->fill_bits += (double)(path[i] - *level);
                else
                        rates->drain_bits += (double)(*level - path[i]);
                *level = path[i];
        }
}

/* The threshold at that time; rngd raises it. */
static uint32_t threshold_at(const Recording *recording, uint64_t at_usec) {
        uint32_t bits = recording->threshold_bits, changed;

        for (size_t i = 0; i < recording->n_events; i++)
                if (recording->events[i].kind == EVENT_THRESHOLD &&
                    recording->events[i].at_usec <= at_usec &&
                    parse_u32(recording->events[i].text, 0, UINT32_MAX, &changed) >= 0)
                        bits = changed;
        return bits;
}

static void note_lowest(const Recording *recording, size_t i, Analysis *analysis) {
        /* The sample that was taken when it became ready is rounded down to a tick. */
        if (analysis->ready && recording->at_usec[i] + RECORDING_TICK_USEC <= analysis->ready_usec)
                return;
        if (analysis->any_lowest && recording->minimum_bits[i] >= analysis->lowest_bits)
                return;
        analysis->lowest_bits = (uint32_t)recording->minimum_bits[i];
        analysis->lowest_at_usec = recording->at_usec[i];
        analysis->any_lowest = true;
}

static void follow_sample(
        const Recording *recording,
        size_t i,
        uint64_t *level,
        Analysis *analysis) {
        uint64_t at = recording->at_usec[i];
        uint64_t next = i + 1 < recording->n_samples ? recording->at_usec[i + 1] : at;
        uint64_t starts = analysis_starts_between(recording, at - MIN(at, USEC_PER_SEC), at + 1);
        Rates *rates = starts >= LOAD_STARTS_PER_SEC ? &analysis->loaded : &analysis->idle;

        add_step(rates, level, recording->minimum_bits[i], recording->maximum_bits[i]);
        rates->usec += next - at;
        if (recording->model == RANDOM_MODEL_COUNTING &&
            recording->minimum_bits[i] < threshold_at(recording, at))
                analysis->below_usec += next - at;
        note_lowest(recording, i, analysis);
}

static void follow_level(const Recording *recording, Analysis *analysis) {
        uint64_t level = recording->n_samples > 0 ? recording->minimum_bits[0] : 0;
        uint64_t until_usec = analysis->ready ? analysis->ready_usec : recording->ended_usec;

        for (size_t i = 0; i < recording->n_samples; i++)
                follow_sample(recording, i, &level, analysis);
        if (recording->n_samples > 0) {
                analysis->any_level = true;
                analysis->first_bits = (uint32_t)recording->minimum_bits[0];
                analysis->last_bits = (uint32_t)recording->minimum_bits[recording->n_samples - 1];
        }
        if (recording->model != RANDOM_MODEL_COUNTING && !recording->ready_at_start)
                analysis->below_usec = until_usec - MIN(recording->started_usec, until_usec);
}

static void set_once(uint64_t *time_usec, uint64_t at_usec) {
        if (*time_usec == 0)
                *time_usec = at_usec;
}

static void go_through_events(const Recording *recording, Analysis *analysis) {
        for (size_t i = 0; i < recording->n_events; i++) {
                const Event *event = &recording->events[i];

                if (event->kind == EVENT_UNINITIALIZED_READ)
                        analysis->n_uninitialized_reads++;
                if (event->kind == EVENT_VM_FORK)
                        analysis->n_vm_forks++;
                if (event->kind == EVENT_INIT_STARTED)
                        set_once(&analysis->init_usec, event->at_usec);
                if (event->kind == EVENT_SWITCH_ROOT)
                        set_once(&analysis->switch_root_usec, event->at_usec);
                if (event->kind == EVENT_BOOT_FINISHED)
                        set_once(&analysis->boot_finished_usec, event->at_usec);
                /* Ready before the recording began: the kernel log has the time. */
                if (event->kind == EVENT_LOG_READY && recording->ready_at_start &&
                    !analysis->ready_time_known) {
                        analysis->ready_usec = event->at_usec;
                        analysis->ready_time_known = true;
                }
        }
}

static void add_credit(Analysis *analysis, const char *report, Json *entry) {
        const char *name = json_string(entry, "name");
        Credit *credit;

        if (!name)
                name = json_string(entry, "source");
        if (!name || json_number(entry, "bytes") == 0 ||
            analysis->n_credits == ANALYSIS_MAX_CREDITS)
                return;
        credit = &analysis->credits[analysis->n_credits++];
        credit->at_usec = json_number(entry, "at_usec");
        credit->bytes = json_number(entry, "bytes");
        credit->bits = json_number(entry, "credited_bits");
        (void)snprintf(credit->who, sizeof(credit->who), "%s %s", report, name);
        text_make_plain(credit->who);
}

/* Both run reports list their sources; rngd's has the time of the last feed beside the list. */
static void go_through_reports(const Recording *recording, Analysis *analysis) {
        if (!recording->reports)
                return;
        for (DocumentId id = 0; id < _DOCUMENT_MAX; id++) {
                char name[DOCUMENT_NAME_MAX];
                Json *report, *list;
                size_t n;

                document_name(id, name);
                report = json_object_object_get(recording->reports, name);
                n = json_array(report, "sources", &list);
                for (size_t i = 0; i < n; i++)
                        add_credit(analysis, name, json_object_array_get_idx(list, i));
                add_credit(analysis, "rngd, last:", json_object_object_get(report, "last_feed"));
        }
}

static bool is_near(uint64_t at_usec, uint64_t ready_usec) {
        return at_usec + CAUSE_USEC >= ready_usec && at_usec <= ready_usec + CAUSE_USEC;
}

static ReadyCause cause_by_credit(const Analysis *analysis) {
        for (size_t i = 0; i < analysis->n_credits; i++)
                if (analysis->credits[i].bits > 0 &&
                    is_near(analysis->credits[i].at_usec, analysis->ready_usec))
                        return strncmp(analysis->credits[i].who, "rngd", 4) == 0
                                       ? READY_CAUSE_RNGD
                                       : READY_CAUSE_SEEDER;
        return READY_CAUSE_UNKNOWN;
}

static ReadyCause find_cause(const Recording *recording, const Analysis *analysis) {
        ReadyCause cause;

        if (!analysis->ready)
                return READY_CAUSE_NOT_READY;
        if (!analysis->ready_time_known)
                return READY_CAUSE_UNKNOWN;
        if (analysis->init_usec > 0 && analysis->ready_usec < analysis->init_usec)
                return READY_CAUSE_KERNEL;
        cause = cause_by_credit(analysis);
        if (cause != READY_CAUSE_UNKNOWN)
                return cause;
        for (size_t i = 0; i < recording->n_events; i++)
                if (recording->events[i].kind == EVENT_HWRNG &&
                    strcmp(recording->events[i].text, "none") != 0 &&
                    is_near(recording->events[i].at_usec, analysis->ready_usec))
                        return READY_CAUSE_HWRNG;
        for (size_t i = 0; i < recording->n_blocked; i++)
                if (recording->blocked[i].jitter)
                        return READY_CAUSE_JITTER;
        return READY_CAUSE_UNKNOWN;
}

void analysis_make(const Recording *recording, Analysis *ret_analysis) {
        Analysis *analysis = ret_analysis;
        const BlockedSpan *longest;

        *analysis = (Analysis){
                .recorded_usec = recording->ended_usec - recording->started_usec,
                .ready = recording->ready,
                .ready_time_known = recording->ready && !recording->ready_at_start,
                .ready_usec = recording->ready_at_start ? 0 : recording->ready_usec,
                .n_blocked = recording->n_blocked,
        };
        go_through_events(recording, analysis);
        go_through_reports(recording, analysis);
        follow_level(recording, analysis);
        count_starts(recording, analysis);
        longest = analysis_longest_wait(recording);
        analysis->longest_blocked_usec = longest ? blocked_usec(longest) : 0;
        analysis->cause = find_cause(recording, analysis);
}

const char *ready_cause_to_string(ReadyCause cause) {
        static const char *const texts[] = {
                [READY_CAUSE_UNKNOWN] = "the recording does not tell by what",
                [READY_CAUSE_NOT_READY] = "not ready",
                [READY_CAUSE_KERNEL] = "the CPU or the boot loader, before the first process",
                [READY_CAUSE_SEEDER] = "entropy-seeder",
                [READY_CAUSE_RNGD] = "rngd",
                [READY_CAUSE_HWRNG] = "a hardware RNG that appeared",
                [READY_CAUSE_JITTER] = "the kernel's own jitter loop",
        };

        return texts[cause];
}
