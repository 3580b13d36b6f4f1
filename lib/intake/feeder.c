/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/intake/conditioner.h"
#include "lib/intake/feeder.h"
#include "lib/kernel/clock.h"

static int drop(const Feeder *feeder, Health *health, const Batch *batch, HealthVerdict verdict) {
        char text[LEDGER_ERROR_MAX];

        (void)snprintf(
                text,
                sizeof(text),
                "health test: %s%s",
                health_test_to_string(health_failed_test(health)),
                verdict == HEALTH_PERMANENT ? ", retired" : "");
        ledger_health_failure(feeder->ledger, batch->source, text);
        return verdict == HEALTH_PERMANENT ? FEED_E_BROKEN : FEED_E_UNHEALTHY;
}

/* Full entropy goes in as it is, no entropy as a mere addition; what is between is condensed. */
static int condition(Batch *batch, const CreditInput *credit, CreditVerdict *verdict) {
        int r;

        if (verdict->bits == 0 || credit_per_1024(credit) == CREDIT_PER_1024_MAX)
                return 0;
        if (verdict->bits < 8) {
                *verdict = (CreditVerdict){ .reason = CREDIT_NO_LENGTH };
                return 0;
        }
        r = conditioner_run(batch->secret, batch->length, verdict->bits, &batch->length);
        if (r < 0)
                return r;
        verdict->bits = (uint32_t)batch->length * 8;
        return 0;
}

static int add(
        const Feeder *feeder,
        Batch *batch,
        const CreditInput *credit,
        bool reseed,
        FeedReport *report) {
        CreditVerdict verdict = credit_judge(credit);
        int r;

        r = condition(batch, credit, &verdict);
        if (r < 0)
                return r;
        r = random_add(feeder->random, batch->secret->bytes, batch->length, verdict.bits);
        if (r < 0)
                return r;

        *report = (FeedReport){
                .n_bytes = batch->length,
                .credited_bits = verdict.bits,
                .reason = verdict.reason,
        };
        if (reseed) {
                report->reseed_error = random_reseed(feeder->random);
                report->reseeded = report->reseed_error == 0;
        }
        ledger_feed(
                feeder->ledger,
                &(LedgerFeed){
                        .source = batch->source,
                        .n_bytes = batch->length,
                        .credited_bits = verdict.bits,
                        .at_usec = clock_boottime_usec(),
                        .reseeded = report->reseeded,
                });
        return 0;
}

int feeder_feed(
        const Feeder *feeder,
        Health *health,
        Batch *batch,
        CreditInput credit,
        bool reseed,
        FeedReport *ret_report) {
        FeedReport report = {};
        HealthVerdict verdict;
        int r;

        ledger_bytes(
                feeder->ledger,
                batch->source,
                batch->length,
                batch->arrived_usec - batch->asked_usec);
        verdict = health_test(health, batch->secret->bytes, batch->length);
        if (verdict == HEALTH_INTERMITTENT || verdict == HEALTH_PERMANENT) {
                secret_wipe(batch->secret);
                return drop(feeder, health, batch, verdict);
        }

        credit.healthy = verdict == HEALTH_PASS;
        credit.length_bytes = batch->length;
        r = add(feeder, batch, &credit, reseed, &report);
        secret_wipe(batch->secret);
        if (r < 0)
                return r;

        *ret_report = report;
        return verdict == HEALTH_TOO_SHORT ? FEED_E_UNTESTED : 0;
}
