/* SPDX-License-Identifier: MIT */
#include "rngd/feed-log.h"
#include "lib/base/log.h"

void feed_log_sources(const Reader readers[static _SOURCE_LIVE_MAX]) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const char *detail = reader_detail(&readers[id]);

                log_info(
                        "Source %s: %s%s%s%s",
                        source_name(id),
                        reader_state_to_string(readers[id].state),
                        detail[0] ? " (" : "",
                        detail,
                        detail[0] ? ")" : "");
        }
}

void feed_log_batch(
        const Reader *reader,
        const Batch *batch,
        const FeedReport *report,
        uint32_t level_bits) {
        log_info(
                "%s: %zu B%s%s%s, +%u bits (level %u)%s, %.1f ms",
                source_name(reader->id),
                report->n_bytes,
                report->credited_bits == 0 ? " mixed in without credit (" : "",
                report->credited_bits == 0 ? credit_reason_to_string(report->reason) : "",
                report->credited_bits == 0 ? ")" : "",
                report->credited_bits,
                level_bits,
                report->reseeded ? ", reseeded" : "",
                (double)(batch->arrived_usec - batch->asked_usec) / 1000);
}

void feed_log_dropped(const Reader *reader, const char *why) {
        log_warning(
                "%s (%s): dropped a batch; %s",
                source_name(reader->id),
                reader_detail(reader),
                why);
}

void feed_log_stale(const Reader *reader) {
        log_notice(
                "%s (%s): not credited, since what writes to it may have made its bytes before this "
                "machine was copied; [%s] trust=always vouches for it",
                source_name(reader->id),
                reader_detail(reader),
                source_name(reader->id));
}

void feed_log_no_credit(const Reader readers[static _SOURCE_LIVE_MAX]) {
        log_notice("The kernel's RNG waits, and no source here is credited: it will not become "
                   "ready by rngd");
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                CreditInput credit = reader_credit_input(&readers[id]);

                if (!reader_is_usable(&readers[id]))
                        continue;
                credit.healthy = true;
                credit.length_bytes = HEALTH_MIN_BATCH_BYTES;
                log_notice(
                        "%s (%s): %s%s",
                        source_name(id),
                        reader_detail(&readers[id]),
                        credit_reason_to_string(credit_judge(&credit).reason),
                        credit.source_class == SOURCE_CLASS_CONFIGURED
                                ? "; what its bytes are worth is said by credit= or by -e"
                                : "");
        }
}
