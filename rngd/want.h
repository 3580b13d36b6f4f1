/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is wanted and whether it was got. Each event is a want; wants that overlap are one need.
 * A need asks every source that can be asked, in parallel; the first good answers end it, the
 * others are mixed in as they come.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/intake/batch.h"
#include "lib/policy/backoff.h"

typedef struct Manager Manager;
typedef struct Asker Asker;

typedef enum Want {
        WANT_START,
        WANT_LEVEL,  /* /dev/random says POLLOUT */
        WANT_FORK,   /* this machine is a clone, or was restored */
        WANT_PLUG,   /* an RNG appeared */
        WANT_RESUME, /* from suspend */
        WANT_CLOCK,  /* somebody set the clock: perhaps a restore */
        WANT_TIMER,  /* reseed-interval */
        WANT_SIGNAL, /* SIGUSR1 */
        _WANT_MAX,
} Want;

typedef struct Need {
        bool active;
        uint32_t wants; /* bits of 1 << Want, for the log and the decisions */
        uint64_t since_usec;
        uint64_t fresh_usec; /* answers asked for before this are older than a fork: dropped */
        bool discard_stale;  /* since the fork: what the kernel had buffered is older, too */
        uint32_t got_bits;   /* credited since since_usec */
        bool got_credit;     /* any, since the sources were asked the last time */
        bool reseeded;
        Backoff backoff; /* for a need that its sources answered but could not end */
        sd_event_source *retry_source;
} Need;

void want_add(Manager *manager, Want want);

/* An answer: manager->batch holds it. */
void want_batch(Manager *manager, Asker *asker);

/* No answer; error is one line for the status. */
void want_failed(Manager *manager, Asker *asker, const char *error);

/* Sources changed: asks those that the present need has not asked yet. */
void want_pursue(Manager *manager);

bool want_is_any_of(const Need *need, uint32_t wants);
const char *want_to_string(Want want);
void want_deinit(Need *need);

#define WANT_BIT(want) (UINT32_C(1) << (want))
