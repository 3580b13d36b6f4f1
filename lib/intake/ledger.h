/* SPDX-License-Identifier: MIT */
#pragma once

/* What was fed, from where, and what went wrong: counters per source and the last feed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sources/source.h"

#define LEDGER_ERROR_MAX 160U

typedef struct LedgerEntry {
        uint64_t batches; /* that reached the kernel */
        uint64_t bytes;   /* read from the source, the dropped ones included */
        uint64_t credited_bits;
        uint64_t failures;                 /* no bytes: errors, time-outs, dead workers */
        uint64_t health_failures;          /* bytes that were dropped */
        uint64_t busy_usec;                /* between asking and the answer */
        char last_error[LEDGER_ERROR_MAX]; /* empty: none */
        CreditReason reason;               /* of the last batch that reached the kernel */
} LedgerEntry;

typedef struct LedgerFeed {
        bool any;
        SourceId source;
        size_t n_bytes;
        uint32_t credited_bits;
        CreditReason reason;
        uint64_t at_usec; /* CLOCK_BOOTTIME */
        bool reseeded;
} LedgerFeed;

typedef struct Ledger {
        LedgerEntry entries[_SOURCE_MAX];
        LedgerFeed last_feed;
} Ledger;

void ledger_bytes(Ledger *ledger, SourceId source, size_t n_bytes, uint64_t busy_usec);
void ledger_feed(Ledger *ledger, const LedgerFeed *feed);
void ledger_failure(Ledger *ledger, SourceId source, const char *error);
void ledger_health_failure(Ledger *ledger, SourceId source, const char *error);

/* Bytes per second while it was asked; 0 before the first answer. */
uint64_t ledger_rate_bytes_per_sec(const LedgerEntry *entry);
