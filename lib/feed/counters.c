/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/base/parse.h"
#include "lib/feed/counters.h"

void counters_bytes(Counters *counters, SourceId source, size_t n_bytes, uint64_t busy_usec) {
        counters->entries[source].bytes += n_bytes;
        counters->entries[source].busy_usec += busy_usec;
}

void counters_feed(Counters *counters, const LastFeed *feed) {
        SourceCounters *entry = &counters->entries[feed->source];

        entry->batches++;
        entry->credited_bits += feed->credited_bits;
        entry->reason = feed->reason;
        counters->last_feed = *feed;
        counters->last_feed.any = true;
}

static void set_error(SourceCounters *entry, const char *error) {
        (void)snprintf(entry->last_error, sizeof(entry->last_error), "%s", error);
}

void counters_failure(Counters *counters, SourceId source, const char *error) {
        counters->entries[source].failures++;
        set_error(&counters->entries[source], error);
}

void counters_health_failure(Counters *counters, SourceId source, const char *error) {
        counters->entries[source].health_failures++;
        set_error(&counters->entries[source], error);
}

uint64_t counters_rate_bytes_per_sec(const SourceCounters *entry) {
        uint64_t whole, rest;

        if (entry->busy_usec == 0)
                return 0;
        /* In two parts, since the product of bytes and 10^6 may be too large for 64 bits. */
        whole = entry->bytes / entry->busy_usec;
        rest = entry->bytes % entry->busy_usec;
        return whole * USEC_PER_SEC +
               (uint64_t)((double)rest * USEC_PER_SEC / (double)entry->busy_usec);
}
