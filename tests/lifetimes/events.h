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

/* ---- for event-sources.c ---- */

/* What rngd has for an event, until the next one. */
#define EVENTS_USEC UINT64_C(2000000)

/* The machine that an event happens to; it need not be there. */
Machine *events_machine(const uint8_t *arguments);

/* The host changes the generation ID, and the kernel and rngd see what they can. */
void events_new_generation(Machine *machine);
