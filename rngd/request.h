/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request for fresh bytes, and the next step towards its end. Each event is a trigger; triggers that
 * overlap are one request. It asks every source that can be asked, in parallel; the first good answers end it, the
 * others are mixed in as they come.
 *
 * Nothing here reads a clock, opens a file or logs: the caller says what is the case and does what
 * request_next() answers, until that says to wait or that it is over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/policy/backoff.h"
#include "lib/policy/refill.h"
#include "lib/sources/source.h"

/* While the kernel is not ready nothing is put off for longer. */
#define REQUEST_UNREADY_RETRY_USEC UINT64_C(15000000)

/* What a source can do now. */
typedef enum RequestSourceState {
        REQUEST_SOURCE_NONE, /* disabled, absent or retired */
        REQUEST_SOURCE_IDLE,
        REQUEST_SOURCE_ASKED,   /* owes an answer */
        REQUEST_SOURCE_WAITING, /* failed: not before retry_usec */
} RequestSourceState;

typedef struct RequestFacts {
        RandomModel model;
        bool ready;
        bool kernel_asks;   /* counting kernels: /dev/random still says POLLOUT */
        bool kernel_jitter; /* it makes itself ready from its own jitter when somebody waits */
        uint32_t pool_bits;
        uint32_t level_bits;
        uint32_t batch_max_bytes; /* 0: no limit of the administrator's */
        uint64_t now_usec;        /* CLOCK_BOOTTIME, as all times here */
        struct {
                RequestSourceState state;
                uint64_t retry_usec;
                uint32_t per_1024; /* what its bytes are credited with */
                bool last_resort;  /* asked only when no other source gave credit */
                bool must_load;    /* asking it loads kernel modules */
        } sources[_SOURCE_LIVE_MAX];
} RequestFacts;

typedef struct Request {
        bool active;
        uint32_t triggers; /* bits of TRIGGER_BIT() */
        uint64_t began_usec;
        uint64_t copied_usec; /* answers asked for before this may be older than a copy */
        uint32_t got_bits;    /* credited since it began, or since the copy in it */
        bool got_credit;      /* any, since the sources were asked the last time */
        bool reseeded;
        Backoff backoff;     /* for one that its sources answered but could not end */
        uint64_t retry_usec; /* when all sources are asked again; 0: that is not planned */
        uint32_t rounds[_SOURCE_LIVE_MAX];     /* answers of each source in these tries */
        uint64_t pause_usec[_SOURCE_LIVE_MAX]; /* not to be asked before; 0: at once */
} Request;

typedef enum RequestStep {
        REQUEST_ASK,       /* action.source for action.length_bytes, then call again */
        REQUEST_WAIT,      /* for answers, and at most until action.until_usec */
        REQUEST_MET,       /* nothing is missing any more; the request is over */
        REQUEST_GIVEN_UP,  /* nothing is left that could be done about it; the request is over */
        REQUEST_NO_SOURCE, /* the same, because no source works here */
} RequestStep;

typedef struct RequestAction {
        RequestStep step;
        SourceId source;
        size_t length_bytes;
        bool reseed;         /* RNDRESEEDCRNG after what was asked for */
        uint64_t until_usec; /* UINT64_MAX: for an answer alone */
        bool settled; /* with REQUEST_WAIT: nobody owes an answer, so what came by now is all */
} RequestAction;

/* Whether this machine may have been copied: what was asked for before counts no more. */
bool trigger_is_copy(Trigger trigger);

/*
 * Whether the request leaves alone what would load kernel modules, which takes a boot that waits for
 * nothing else tens of milliseconds: the kernel makes itself ready from jitter as soon as somebody waits.
 * One that is not ready by REQUEST_UNREADY_RETRY_USEC cannot, or nobody waits.
 */
bool request_spares_modules(const Request *request, const RequestFacts *facts);

/* Returns whether a new request began: with the first trigger, and with each that may be a copy. */
bool request_add(Request *request, Trigger trigger, uint64_t now_usec);

RequestAction request_next(Request *request, const RequestFacts *facts);

/* An answer of a source was fed, or failed the health tests (0 bits then). */
void request_count(Request *request, SourceId source, uint32_t credited_bits, bool reseeded);

/* Whether an answer was asked for before this machine was, or may have been, copied. */
bool request_is_older_than_copy(const Request *request, uint64_t asked_usec);

const char *trigger_to_string(Trigger trigger);
