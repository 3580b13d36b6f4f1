/* SPDX-License-Identifier: MIT */
#pragma once

/* All that can happen in a life; README.md says what each of them means. */

#include <stddef.h>
#include <stdint.h>

#include "tests/lifetimes/life.h"

enum {
        EVENT_KINDS_MAX = 64,
};

typedef struct EventKind {
        const char *name;
        void (*happen)(const uint8_t *arguments);
        uint32_t weight; /* how often, among all */
        size_t n_arguments;
        uint8_t limits[LIFE_ARGUMENTS]; /* each argument is below it */
} EventKind;

extern const EventKind events[];
extern const size_t events_n;

/* One machine, installed and off. */
void events_begin(void);

/* Whether the machines that are left on have what they need. */
void events_end(void);
