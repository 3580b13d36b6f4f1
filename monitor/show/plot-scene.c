/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "monitor/show/plot-scene.h"

#define LABEL_GAP       8.0
#define LOWEST_PRIORITY 9U
#define MERGE_FRACTION  150U /* equal labels closer than this part of the picture are one */

double scene_x(const Scene *scene, uint64_t at_usec) {
        uint64_t at = MIN(MAX(at_usec, scene->from_usec), scene->to_usec) - scene->from_usec;

        return (double)at / (double)(scene->to_usec - scene->from_usec) * SCENE_WIDTH;
}

uint64_t scene_time_step(const Scene *scene, unsigned int n) {
        static const uint64_t factors[] = { 1, 2, 5 };
        uint64_t range = scene->to_usec - scene->from_usec;

        for (uint64_t power = 1;; power *= 10)
                for (size_t i = 0; i < ELEMENTSOF(factors); i++)
                        if (range / (power * factors[i]) <= n)
                                return power * factors[i];
}

/* Nothing is sampled before the first process, so that time gets a fifth of the plot, unless the
 * RNG became ready in it. */
static void cut_kernel(Scene *scene) {
        const Analysis *analysis = &scene->analysis;
        uint64_t init_usec = analysis->init_usec, rest;

        if (!scene->recording->first_process || init_usec == 0 || init_usec > scene->to_usec ||
            (analysis->ready && analysis->ready_usec < init_usec))
                return;
        rest = scene->to_usec - init_usec;
        if (init_usec > rest / 4)
                scene->from_usec = init_usec - rest / 4;
}

/* A boot is shown from the kernel's start, a running system from the recording's. */
static void set_range(Scene *scene) {
        const Recording *recording = scene->recording;

        scene->from_usec = recording->first_process ? 0 : recording->started_usec;
        scene->zero_usec = scene->from_usec;
        scene->to_usec = MAX(recording->ended_usec, scene->from_usec + 1000);
        cut_kernel(scene);
        scene->top_bits = recording->pool_bits;
        for (size_t i = 0; i < recording->n_samples; i++)
                scene->top_bits = MAX(scene->top_bits, recording->maximum_bits[i]);
        scene->top_bits = MAX(scene->top_bits, UINT64_C(256));
}

const char *phase_to_string(PhaseKind kind) {
        static const char *const names[_PHASE_MAX] = {
                [PHASE_KERNEL] = "kernel",
                [PHASE_INITRAMFS] = "initramfs",
                [PHASE_USERSPACE] = "userspace",
                [PHASE_RUNNING_SYSTEM] = "running system",
        };

        return names[kind];
}

static void add_phase(Scene *scene, PhaseKind kind, uint64_t from_usec, uint64_t to_usec) {
        if (to_usec > from_usec)
                scene->phases[scene->n_phases++] = (Phase){ kind, { from_usec, to_usec } };
}

/* Whether the kernel ran the init of an initramfs and the monitor was that of the real root:
 * init=. */
static bool began_after_initramfs(const Recording *recording) {
        for (size_t i = 0; i < recording->n_events; i++)
                if (recording->events[i].kind == EVENT_INIT_STARTED)
                        return strcmp(recording->events[i].text, "/init") == 0;
        return false;
}

static void set_phases(Scene *scene) {
        const Analysis *analysis = &scene->analysis;
        uint64_t init_usec =
                analysis->init_usec > 0 ? analysis->init_usec : scene->recording->started_usec;
        uint64_t root_usec = analysis->switch_root_usec;

        if (!scene->recording->first_process) {
                add_phase(scene, PHASE_RUNNING_SYSTEM, scene->zero_usec, scene->to_usec);
                return;
        }
        if (root_usec == 0 && began_after_initramfs(scene->recording))
                root_usec = scene->recording->started_usec;
        add_phase(scene, PHASE_KERNEL, scene->zero_usec, init_usec);
        if (root_usec > init_usec)
                add_phase(scene, PHASE_INITRAMFS, init_usec, root_usec);
        add_phase(scene, PHASE_USERSPACE, MAX(init_usec, root_usec), scene->to_usec);
}

static void add_mark(
        Scene *scene,
        uint64_t at_usec,
        MarkClass mark_class,
        unsigned int priority,
        const char *label) {
        Mark *mark = &scene->marks[scene->n_marks];

        if (at_usec < scene->zero_usec || at_usec > scene->to_usec ||
            scene->n_marks == SCENE_MAX_MARKS)
                return;
        *mark = (Mark){ .at_usec = at_usec, .mark_class = mark_class, .priority = priority };
        (void)snprintf(
                mark->label,
                sizeof(mark->label),
                "%.*s",
                (int)sizeof(mark->label) - 1,
                label);
        scene->n_marks++;
}

/* The state at the start of the recording is not an event. */
static bool is_news(const Recording *recording, const Event *event) {
        if (event->kind == EVENT_READY)
                return !recording->ready_at_start;
        if (event->kind == EVENT_STARTED)
                return recording->first_process;
        return event->kind != EVENT_HWRNG || event->at_usec != recording->started_usec;
}

/* If it is of this priority. */
static void add_event(Scene *scene, unsigned int priority, const Event *event) {
        static const struct {
                MarkClass mark_class;
                unsigned int priority; /* 1 to LOWEST_PRIORITY; 0: not shown */
                const char *label;     /* the event's text follows a blank */
        } kinds[_EVENT_MAX] = {
                [EVENT_STARTED] = { MARK_NEUTRAL, 9, "monitor" },
                [EVENT_READY] = { MARK_GOOD, 1, "ready" },
                [EVENT_FAST_INIT] = { MARK_NEUTRAL, 5, "fast init" },
                [EVENT_UNINITIALIZED_READ] = { MARK_BAD, 2, "urandom read by " },
                [EVENT_VM_FORK] = { MARK_NEUTRAL, 3, "VM fork" },
                [EVENT_RESUME] = { MARK_NEUTRAL, 3, "resume" },
                [EVENT_SEEDER] = { MARK_GOOD, 3, "seeder: " },
                [EVENT_HWRNG] = { MARK_NEUTRAL, 3, "hwrng " },
                [EVENT_BLOCK_DEVICE] = { MARK_NEUTRAL, 8, "disk " },
                [EVENT_INIT_EXEC] = { MARK_NEUTRAL, 7, "PID 1 is " },
                [EVENT_SWITCH_ROOT] = { MARK_NEUTRAL, 4, "switch root" },
                [EVENT_THRESHOLD] = { MARK_NEUTRAL, 6, "threshold " },
                [EVENT_BOOT_FINISHED] = { MARK_NEUTRAL, 4, "boot finished" },
        };
        static const char rng[] = "kernel RNG ";
        MarkClass mark_class = kinds[event->kind].mark_class;
        const char *prefix = kinds[event->kind].label, *text = event->text;
        char label[SCENE_LABEL_MAX];
        size_t length = 24;

        if (kinds[event->kind].priority != priority || !is_news(scene->recording, event))
                return;
        /* "kernel RNG ready at 2.331 s; platform 64 B +512 bits": sources have their own marks. */
        if (event->kind == EVENT_SEEDER) {
                if (strncmp(text, rng, strlen(rng)) == 0)
                        text += strlen(rng);
                if (strncmp(text, "not ready", strlen("not ready")) == 0)
                        mark_class = MARK_NEUTRAL;
                length = MIN(length, strcspn(text, ";"));
        }
        if (prefix[strlen(prefix) - 1] != ' ')
                length = 0;
        (void)snprintf(label, sizeof(label), "%s%.*s", prefix, (int)length, text);
        add_mark(scene, event->at_usec, mark_class, priority, label);
}

static void add_credits(Scene *scene) {
        char label[SCENE_LABEL_MAX + ANALYSIS_NAME_MAX];
        MarkClass mark_class;

        for (size_t i = 0; i < scene->analysis.n_credits; i++) {
                const Credit *credit = &scene->analysis.credits[i];

                if (credit->at_usec == 0)
                        continue;
                mark_class = credit->bits > 0 ? MARK_GOOD : MARK_NEUTRAL;
                (void)snprintf(label, sizeof(label), "+%" PRIu64 " %s", credit->bits, credit->who);
                add_mark(scene, credit->at_usec, mark_class, 3, label);
        }
        /* Ready before the recording began, by the kernel log. */
        if (scene->recording->ready_at_start && scene->analysis.ready_time_known)
                add_mark(scene, scene->analysis.ready_usec, MARK_GOOD, 1, "ready");
}

static int by_priority(const void *a, const void *b) {
        const Mark *left = a, *right = b;

        if (left->priority != right->priority)
                return left->priority < right->priority ? -1 : 1;
        return (left->at_usec > right->at_usec) - (left->at_usec < right->at_usec);
}

/* Whether an earlier label is in the way in that row, or is the same and near. */
static bool is_taken(const Scene *scene, const Mark *mark, int row) {
        uint64_t near_usec = (scene->to_usec - scene->from_usec) / MERGE_FRACTION;

        for (const Mark *other = scene->marks; other < mark; other++) {
                /* Ten reads in a row share one label. */
                if (other->row >= 0 && strcmp(other->label, mark->label) == 0 &&
                    mark->at_usec - other->at_usec < near_usec)
                        return true;
                if (other->row == row && mark->from_x < other->to_x && mark->to_x > other->from_x)
                        return true;
        }
        return false;
}

/* The first row where the label covers no other. */
static void place_mark(Scene *scene, Mark *mark) {
        double x = scene_x(scene, mark->at_usec);
        double length = (double)strlen(mark->label) * SCENE_LABEL_WIDTH + LABEL_GAP;

        mark->to_the_left = x + length > SCENE_WIDTH;
        mark->from_x = mark->to_the_left ? x - length : x;
        mark->to_x = mark->from_x + length;
        mark->row = -1;
        if (mark->at_usec < scene->from_usec || mark->from_x < -LABEL_GAP)
                return;
        for (int row = 0; row < (int)SCENE_MAX_ROWS; row++)
                if (!is_taken(scene, mark, row)) {
                        mark->row = row;
                        scene->n_rows = MAX(scene->n_rows, (size_t)row + 1);
                        return;
                }
}

/* Spans that do not overlap in time share a row. */
static void set_lanes(Scene *scene, size_t max_lanes) {
        uint64_t busy_until[SCENE_MAX_LANES] = {};
        uint64_t gap = (scene->to_usec - scene->from_usec) / 6; /* room for the name */

        for (size_t i = 0; i < scene->recording->n_blocked; i++) {
                const BlockedSpan *span = &scene->recording->blocked[i];
                size_t row = 0;

                while (row < max_lanes && busy_until[row] > span->from_usec)
                        row++;
                if (row == max_lanes || scene->n_lanes == ELEMENTSOF(scene->lanes)) {
                        scene->n_hidden++;
                        continue;
                }
                busy_until[row] = span->to_usec + gap;
                scene->n_lane_rows = MAX(scene->n_lane_rows, row + 1);
                scene->lanes[scene->n_lanes++] = (Lane){ span, row };
        }
}

void scene_make(const Recording *recording, size_t max_lanes, Scene *ret_scene) {
        Scene *scene = ret_scene;

        *scene = (Scene){ .recording = recording };
        analysis_make(recording, &scene->analysis);
        set_range(scene);
        set_phases(scene);
        add_credits(scene);
        for (unsigned int priority = 1; priority <= LOWEST_PRIORITY; priority++)
                for (size_t i = 0; i < recording->n_events; i++)
                        add_event(scene, priority, &recording->events[i]);
        qsort(scene->marks, scene->n_marks, sizeof(scene->marks[0]), by_priority);
        for (size_t i = 0; i < scene->n_marks; i++)
                place_mark(scene, &scene->marks[i]);
        set_lanes(scene, max_lanes);
}
