/* SPDX-License-Identifier: MIT */
#include "rngd/status-document.h"
#include "lib/base/json.h"
#include "lib/kernel/clock.h"

static Json *kernel_object(const StatusFacts *facts) {
        Json *object = json_new();
        uint32_t level_bits = 0;

        (void)random_level_bits(facts->random, &level_bits);
        json_put_string(object, "model", refill_model_to_string(facts->model));
        json_put_number(object, "pool_bits", facts->pool_bits);
        json_put_number(object, "level_bits", level_bits);
        json_put_bool(object, "ready", facts->ready);
        json_put(
                object,
                "ready_since_usec",
                facts->ready_since_usec > 0 ? json_object_new_uint64(facts->ready_since_usec)
                                            : NULL);
        json_put(
                object,
                "threshold_bits",
                facts->threshold_bits > 0 ? json_object_new_uint64(facts->threshold_bits) : NULL);
        return object;
}

static Json *source_object(const StatusFacts *facts, SourceId id) {
        const SourceCounters *entry = &facts->counters->entries[id];
        const Reader *reader = &facts->readers[id];
        Json *object = json_new();

        json_put_string(object, "name", source_name(id));
        json_put_string(object, "class", source_class_to_string(reader->probe.source_class));
        json_put_string(object, "detail", reader_detail(reader));
        json_put_string(object, "state", reader_state_to_string(reader->state));
        json_put_number(object, "batches", entry->batches);
        json_put_number(object, "bytes", entry->bytes);
        json_put_number(object, "credited_bits", entry->credited_bits);
        json_put_number(object, "failures", entry->failures);
        json_put_number(object, "health_failures", entry->health_failures);
        json_put_string(
                object,
                "last_verdict",
                entry->batches > 0 ? credit_reason_to_string(entry->reason) : NULL);
        json_put_string(object, "last_error", entry->last_error[0] ? entry->last_error : NULL);
        json_put_number(object, "rate_bytes_per_sec", counters_rate_bytes_per_sec(entry));
        return object;
}

static Json *last_feed_object(const StatusFacts *facts) {
        const LastFeed *feed = &facts->counters->last_feed;
        Json *object;

        if (!feed->any)
                return NULL;
        object = json_new();
        json_put_string(object, "source", source_name(feed->source));
        json_put_number(object, "bytes", feed->n_bytes);
        json_put_number(object, "credited_bits", feed->credited_bits);
        json_put_number(object, "at_usec", feed->at_usec);
        json_put_bool(object, "reseeded", feed->reseeded);
        return object;
}

static void put_lists(const StatusFacts *facts, Json *document) {
        Json *sources = json_object_new_array(), *wakes = json_new();

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                (void)json_object_array_add(sources, source_object(facts, id));
        for (Trigger trigger = 0; trigger < _TRIGGER_MAX; trigger++)
                json_put_number(wakes, trigger_to_string(trigger), facts->triggers[trigger]);

        json_put(document, "sources", sources);
        json_put_number(document, "forks", facts->vmforks);
        json_put_number(document, "generation", facts->generation);
        json_put(document, "wakes", wakes);
        json_put(document, "last_feed", last_feed_object(facts));
}

int status_document(const StatusFacts *facts, const char *line, char **ret_text) {
        _cleanup_json_ Json *document = NULL;

        document = json_new();
        if (!document)
                return -ENOMEM;
        json_put_string(document, "version", PACKAGE_VERSION);
        json_put_number(document, "pid", (uint64_t)getpid());
        json_put_number(document, "uptime_usec", clock_boottime_usec() - facts->started_usec);
        json_put_string(document, "status", line);
        json_put(document, "kernel", kernel_object(facts));
        put_lists(facts, document);

        return json_to_text(document, ret_text);
}
