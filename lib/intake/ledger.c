/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/intake/ledger.h"

void ledger_bytes(Ledger *ledger, SourceId source, size_t n_bytes, uint64_t busy_usec) {
        ledger->entries[source].bytes += n_bytes;
        ledger->entries[source].busy_usec += busy_usec;
}

void ledger_feed(Ledger *ledger, const LedgerFeed *feed) {
        LedgerEntry *entry = &ledger->entries[feed->source];

        entry->batches++;
        entry->credited_bits += feed->credited_bits;
        entry->reason = feed->reason;
        ledger->last_feed = *feed;
        ledger->last_feed.any = true;
}

static void set_error(LedgerEntry *entry, const char *error) {
        (void)snprintf(entry->last_error, sizeof(entry->last_error), "%s", error);
}

void ledger_failure(Ledger *ledger, SourceId source, const char *error) {
        ledger->entries[source].failures++;
        set_error(&ledger->entries[source], error);
}

void ledger_health_failure(Ledger *ledger, SourceId source, const char *error) {
        ledger->entries[source].health_failures++;
        set_error(&ledger->entries[source], error);
}

uint64_t ledger_rate_bytes_per_sec(const LedgerEntry *entry) {
        if (entry->busy_usec == 0)
                return 0;
        return (uint64_t)((unsigned __int128)entry->bytes * 1000000 / entry->busy_usec);
}
