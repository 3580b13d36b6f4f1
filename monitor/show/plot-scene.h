/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The layout of a plot: the range of time, the phases of the boot, the marks with a row for each
 * label so that none covers another, the rows of blocked processes. plot-panel.c draws it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/show/analysis.h"
#include "monitor/show/recording.h"

#define SCENE_MAX_MARKS  512U
#define SCENE_MAX_ROWS   5U
#define SCENE_MAX_LANES  64U
#define SCENE_MAX_PHASES 3U
#define SCENE_LABEL_MAX  64U

#define SCENE_WIDTH       1100.0
#define SCENE_LABEL_WIDTH 7.0 /* of one character of a mark's label, generously */

typedef enum MarkClass {
        MARK_NEUTRAL,
        MARK_GOOD, /* ready, credited bits */
        MARK_BAD,  /* uninitialized urandom reads */
} MarkClass;

typedef struct Mark {
        uint64_t at_usec;
        MarkClass mark_class;
        unsigned int priority; /* lower ones get their labels first */
        int row;               /* of its label; -1: no label */
        bool to_the_left;      /* the label ends at the mark */
        double from_x, to_x;   /* of the label */
        char label[SCENE_LABEL_MAX];
} Mark;

typedef enum PhaseKind {
        PHASE_KERNEL,
        PHASE_INITRAMFS,
        PHASE_USERSPACE,
        PHASE_RUNNING_SYSTEM, /* a recording that began later */
        _PHASE_MAX,
} PhaseKind;

typedef struct Span {
        uint64_t from_usec, to_usec;
} Span;

typedef struct Phase {
        PhaseKind kind;
        Span span;
} Phase;

typedef struct Lane {
        const BlockedSpan *span;
        size_t row;
} Lane;

typedef struct Scene {
        const Recording *recording;
        Analysis analysis;
        uint64_t from_usec, to_usec; /* the picture's range; to > from */
        uint64_t zero_usec;          /* what the axis calls 0 */
        uint64_t top_bits;           /* of the level's axis */
        size_t n_phases;
        Phase phases[SCENE_MAX_PHASES];
        size_t n_marks, n_rows;
        Mark marks[SCENE_MAX_MARKS];           /* by priority */
        size_t n_lanes, n_lane_rows, n_hidden; /* hidden: blocked, but no row left */
        Lane lanes[SCENE_MAX_LANES * 8];
} Scene;

/* max_lanes: at most SCENE_MAX_LANES rows of blocked processes. */
void scene_make(const Recording *recording, size_t max_lanes, Scene *ret_scene);

const char *phase_to_string(PhaseKind kind);

/* Where a time is, from 0 to SCENE_WIDTH. */
double scene_x(const Scene *scene, uint64_t at_usec);

/* The distance of the axis' marks: 1, 2 or 5 times a power of ten, at most n of them. */
uint64_t scene_time_step(const Scene *scene, unsigned int n);
