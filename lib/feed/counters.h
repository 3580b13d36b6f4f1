/* SPDX-License-Identifier: MIT */
#pragma once

/* What was fed, from where, and what went wrong: counters per source and the last feed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sources/source.h"

#define COUNTERS_ERROR_MAX 160U

typedef struct SourceCounters {
        uint64_t batches; /* that reached the kernel */
        uint64_t bytes;   /* read from the source, the dropped ones included */
        uint64_t credited_bits;
        uint64_t failures;                   /* no bytes: errors, time-outs, dead workers */
        uint64_t health_failures;            /* bytes that were dropped */
        uint64_t busy_usec;                  /* between asking and the answer */
        char last_error[COUNTERS_ERROR_MAX]; /* empty: none */
        CreditReason reason;                 /* of the last batch that reached the kernel */
} SourceCounters;

typedef struct LastFeed {
        bool any;
        SourceId source;
        size_t n_bytes;
        uint32_t credited_bits;
        CreditReason reason;
        uint64_t at_usec; /* CLOCK_BOOTTIME */
        bool reseeded;
} LastFeed;

typedef struct Counters {
        SourceCounters entries[_SOURCE_MAX];
        LastFeed last_feed;
} Counters;

void counters_bytes(Counters *counters, SourceId source, size_t n_bytes, uint64_t busy_usec);
void counters_feed(Counters *counters, const LastFeed *feed);
void counters_failure(Counters *counters, SourceId source, const char *error);
void counters_health_failure(Counters *counters, SourceId source, const char *error);

/* Bytes per second while it was asked; 0 before the first answer. */
uint64_t counters_rate_bytes_per_sec(const SourceCounters *entry);
