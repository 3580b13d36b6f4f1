/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/feed/feeder.h"
#include "lib/kernel/clock.h"

static int drop(const Feeder *feeder, Health *health, const Batch *batch, HealthVerdict verdict) {
        char text[COUNTERS_ERROR_MAX];

        (void)snprintf(
                text,
                sizeof(text),
                "health test: %s%s",
                health_test_to_string(health_failed_test(health)),
                verdict == HEALTH_PERMANENT ? ", retired" : "");
        counters_health_failure(feeder->counters, batch->source, text);
        return verdict == HEALTH_PERMANENT ? FEED_E_BROKEN : FEED_E_UNHEALTHY;
}

/*
 * The kernel hashes what it gets and takes bytes and bits apart, so bytes of less than full entropy go
 * in as they are, with fewer bits. Those that may be older than a copy of this machine go first, and
 * with none: what is credited is then behind them.
 */
static int add(const Feeder *feeder, Batch *batch, const CreditInput *credit, uint32_t *ret_bits) {
        const uint8_t *bytes = batch->secret->bytes;
        const size_t stale = batch->length - credit->length_bytes;
        const uint32_t bits = credit_judge(credit).bits;
        int r;

        if (stale > 0) {
                r = random_add(feeder->random, bytes, stale, 0);
                if (r < 0)
                        return r;
        }
        if (credit->length_bytes > 0) {
                r = random_add(feeder->random, bytes + stale, credit->length_bytes, bits);
                if (r < 0)
                        return r;
        }
        *ret_bits = bits;
        return 0;
}

static FeedReport finish(
        const Feeder *feeder,
        const Batch *batch,
        const CreditInput *credit,
        uint32_t bits,
        bool reseed) {
        FeedReport report = {
                .n_bytes = batch->length,
                .credited_bits = bits,
                .reason = credit_judge(credit).reason,
        };

        if (reseed) {
                report.reseed_error = random_reseed(feeder->random);
                report.reseeded = report.reseed_error == 0;
        }
        counters_feed(
                feeder->counters,
                &(LastFeed){
                        .source = batch->source,
                        .n_bytes = batch->length,
                        .credited_bits = bits,
                        .reason = report.reason,
                        .at_usec = clock_boottime_usec(),
                        .reseeded = report.reseeded,
                });
        return report;
}

/* What is left behind the stale bytes must be enough to be judged by itself. */
size_t feeder_length_to_credit(const Batch *batch) {
        if (batch->stale_bytes == 0)
                return batch->length;
        if (batch->stale_bytes + HEALTH_MIN_BATCH_BYTES > batch->length)
                return 0;
        return batch->length - batch->stale_bytes;
}

int feeder_feed(
        const Feeder *feeder,
        Health *health,
        Batch *batch,
        CreditInput credit,
        bool reseed,
        FeedReport *ret_report) {
        HealthVerdict verdict;
        uint32_t bits = 0;
        int r;

        counters_bytes(
                feeder->counters,
                batch->source,
                batch->length,
                batch->arrived_usec - batch->asked_usec);
        verdict = health_test(health, batch->secret->bytes, batch->length);
        if (verdict == HEALTH_INTERMITTENT || verdict == HEALTH_PERMANENT) {
                secret_wipe(batch->secret);
                return drop(feeder, health, batch, verdict);
        }

        credit.healthy = verdict == HEALTH_PASS;
        credit.length_bytes = feeder_length_to_credit(batch);
        credit.maybe_stale = credit.maybe_stale || credit.length_bytes == 0;
        r = add(feeder, batch, &credit, &bits);
        secret_wipe(batch->secret);
        if (r < 0)
                return r;

        *ret_report = finish(feeder, batch, &credit, bits, reseed);
        return verdict == HEALTH_TOO_SHORT ? FEED_E_UNTESTED : 0;
}
