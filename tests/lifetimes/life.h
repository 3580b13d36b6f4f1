/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A life: a list of events that happen to a few machines. The list alone says what happens, so that a
 * part of it is a life, too: what cannot happen (a restore without a snapshot) is passed over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lifetimes/chance.h"
#include "tests/lifetimes/witness.h"

enum {
        LIFE_EVENTS_MAX = 48,
        LIFE_ARGUMENTS = 3,
        LIFE_TEXT_BYTES = 4096,
};

typedef struct Event {
        uint8_t kind;
        uint8_t arguments[LIFE_ARGUMENTS];
} Event;

typedef struct Life {
        uint64_t seed; /* of the bytes, and of what a power cut spares */
        size_t n_events;
        Event events[LIFE_EVENTS_MAX];
} Life;

/* Of the life that runs: its bytes, and its other chances. */
extern Chance life_bytes, life_chance;

void life_make(Life *life, uint64_t seed);

/* From its beginning to the first broken promise or to its end. */
Promise life_run(const Life *life);

/* Removes every event without which the same promise is broken all the same. */
void life_shrink(Life *life);

/* "boot 0; snapshot 0 1; ...", and back: -EINVAL with the word that is none. A text may have one
 * event a line, and comments behind #. */
void life_print(const Life *life, char text[static LIFE_TEXT_BYTES]);
int life_parse(const char *text, Life *ret_life, const char **ret_word);
