/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who knows each byte string, when it was made, and where it was credited: the five promises are
 * judged here and nowhere else.
 *
 *   I1  no 32 bytes are credited twice, in this machine or a copy of it
 *   I2  what an attacker knows is not credited
 *   I3  what was made before the machine may have been copied is not credited afterwards
 *   I4  each zero has its reason in the report, and the report says what the kernel got
 *   I5  with an honest source the kernel does not wait
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lifetimes/machine.h"

typedef enum Promise {
        PROMISE_NONE,
        PROMISE_ONCE,    /* I1 */
        PROMISE_SECRET,  /* I2 */
        PROMISE_FRESH,   /* I3 */
        PROMISE_REASON,  /* I4 */
        PROMISE_NO_WAIT, /* I5 */
        _PROMISE_MAX,
} Promise;

/* What is outside of I1 and I3, since nothing tells the machine of it: counted. */
typedef enum Outside {
        OUTSIDE_SAVED_COPY, /* a disk, or the kernel that a seed is saved from, was copied; no sign */
        OUTSIDE_SEED_ROLLBACK, /* the disk forgot that a seed was used; no sign */
        OUTSIDE_UNREADY_COPY,  /* the kernel was not ready and no fork was told: it credits, too */
        OUTSIDE_IN_FLIGHT,     /* asked for before a copy that has no sign, and answered after it */
        OUTSIDE_SERVER, /* a server repeated what it had sent in a boot whose memory does not last */
        _OUTSIDE_MAX,
} Outside;

typedef enum MadeBy {
        MADE_LIVE,   /* by a source, when it was asked or before */
        MADE_STATIC, /* once, by whoever set up the machine */
        MADE_KERNEL, /* by the guest's own RNG */
} MadeBy;

typedef struct Made {
        MadeBy by;
        bool host_made;
        bool known;        /* to the attacker */
        bool by_server;    /* sent over the network by one that may repeat itself */
        uint32_t per_1024; /* at most so much credit; 0: no limit but the length */
        const char *what;  /* for the message */
} Made;

void witness_begin(void);

/* The first broken promise of this life, and one line about it. */
Promise witness_broken(void);
const char *witness_message(void);
uint64_t witness_outside(Outside kind);
uint64_t witness_credits(void);
const char *outside_to_string(Outside kind);

__attribute__((format(printf, 2, 3))) void witness_break(Promise promise, const char *format, ...);

/* Time as the witness counts it: each making and each copy is later than the one before. */
uint64_t witness_now(void);

void witness_made(const uint8_t *bytes, size_t n, Made made);

/* RNDADDENTROPY with bits. */
void witness_credited(Machine *machine, const uint8_t *bytes, size_t n, uint32_t bits);

/* Whether a seed was credited in any life. */
bool witness_was_credited(const uint8_t *bytes, size_t n);
