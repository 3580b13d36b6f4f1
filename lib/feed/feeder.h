/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one way of a batch into the kernel: health, credit, RNDADDENTROPY,
 * RNDRESEEDCRNG, counters. Every failure on it lowers the credit to nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/feed/batch.h"
#include "lib/feed/counters.h"
#include "lib/kernel/random.h"
#include "lib/policy/credit.h"
#include "lib/policy/health.h"

typedef struct Feeder {
        KernelRandom *random;
        Counters *counters;
} Feeder;

typedef struct FeedReport {
        size_t n_bytes; /* that reached the kernel */
        uint32_t credited_bits;
        CreditReason reason; /* why no bits */
        bool reseeded;
        int reseed_error; /* why not, if that was asked for: -ENODATA before ready */
} FeedReport;

enum {
        FEED_E_UNHEALTHY = 1, /* dropped; the source may be asked again */
        FEED_E_BROKEN,        /* dropped; the source must not be asked again */
        FEED_E_UNTESTED,      /* too short to be judged: mixed in without credit */
};

/* How many bytes of the batch may be credited at all: those behind the stale ones, or none. */
size_t feeder_length_to_credit(const Batch *batch);

/*
 * Feeds and wipes the batch. credit says where the bytes came from; healthy and length_bytes are
 * set here. A batch without credit is mixed in all the same, unless it is unhealthy. With
 * FEED_E_UNTESTED the report is written too. batch->stale_bytes at its beginning are mixed in without
 * credit, and the whole of it if fewer than HEALTH_MIN_BATCH_BYTES are left. Negative: the kernel refused, nothing was credited.
 */
_must_check_ int feeder_feed(
        const Feeder *feeder,
        Health *health,
        Batch *batch,
        CreditInput credit,
        bool reseed,
        FeedReport *ret_report);
