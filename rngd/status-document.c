/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/kernel/clock.h"
#include "rngd/manager.h"
#include "rngd/status-document.h"

typedef struct json_object Json;

static void cleanup_json(Json **object) {
        (void)json_object_put(*object);
}

/* Takes value over; NULL is JSON's null. Failures (no memory) leave the field out. */
static void put(Json *object, const char *key, Json *value) {
        if (json_object_object_add(object, key, value) < 0)
                (void)json_object_put(value);
}

static void put_number(Json *object, const char *key, uint64_t value) {
        put(object, key, json_object_new_uint64(value));
}

static void put_bool(Json *object, const char *key, bool value) {
        put(object, key, json_object_new_boolean(value));
}

/* How many bytes the UTF-8 character at text has (RFC 3629, 4); 0 if there is none. */
static size_t utf8_length(const uint8_t *text) {
        size_t n = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

        if (n > 1 && (text[0] < 0xc2 || text[0] > 0xf4))
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return 0;

        /* longer than need be, the surrogates of UTF-16, beyond U+10FFFF */
        if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
            (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
                return 0;
        return n;
}

/* A path may hold any bytes, but JSON is UTF-8. */
static Json *new_string(const char *value) {
        _cleanup_free_ char *text = strdup(value);

        if (!text)
                return NULL;
        for (uint8_t *p = (uint8_t *)text; *p;) {
                size_t n = utf8_length(p);

                if (n == 0)
                        *p = '?';
                p += MAX(n, 1U);
        }
        return json_object_new_string(text);
}

static void put_string(Json *object, const char *key, const char *value) {
        put(object, key, new_string(value));
}

static Json *kernel_object(const Manager *manager) {
        Json *object = json_object_new_object();
        uint32_t level_bits = 0;

        (void)random_level_bits(&manager->random, &level_bits);
        put_string(object, "model", refill_model_to_string(manager->feeding.model));
        put_number(object, "pool_bits", manager->feeding.pool_bits);
        put_number(object, "level_bits", level_bits);
        put_bool(object, "ready", manager->feeding.ready);
        put(object,
            "ready_since_usec",
            manager->ready_since_usec > 0 ? json_object_new_uint64(manager->ready_since_usec)
                                          : NULL);
        put(object,
            "threshold_bits",
            manager->threshold_bits > 0 ? json_object_new_uint64(manager->threshold_bits) : NULL);
        return object;
}

static Json *source_object(const Manager *manager, SourceId id) {
        const SourceCounters *entry = &manager->feeding.counters.entries[id];
        const Reader *reader = &manager->feeding.readers[id];
        Json *object = json_object_new_object();

        put_string(object, "name", source_name(id));
        put_string(object, "class", source_class_to_string(reader->probe.source_class));
        put_string(object, "detail", reader_detail(reader));
        put_string(object, "state", reader_state_to_string(reader->state));
        put_number(object, "batches", entry->batches);
        put_number(object, "bytes", entry->bytes);
        put_number(object, "credited_bits", entry->credited_bits);
        put_number(object, "failures", entry->failures);
        put_number(object, "health_failures", entry->health_failures);
        put(object,
            "last_verdict",
            entry->batches > 0 ? new_string(credit_reason_to_string(entry->reason)) : NULL);
        put(object, "last_error", entry->last_error[0] ? new_string(entry->last_error) : NULL);
        put_number(object, "rate_bytes_per_sec", counters_rate_bytes_per_sec(entry));
        return object;
}

static Json *last_feed_object(const Manager *manager) {
        const LastFeed *feed = &manager->feeding.counters.last_feed;
        Json *object;

        if (!feed->any)
                return NULL;
        object = json_object_new_object();
        put_string(object, "source", source_name(feed->source));
        put_number(object, "bytes", feed->n_bytes);
        put_number(object, "credited_bits", feed->credited_bits);
        put_number(object, "at_usec", feed->at_usec);
        put_bool(object, "reseeded", feed->reseeded);
        return object;
}

static void put_lists(const Manager *manager, Json *document) {
        Json *sources = json_object_new_array(), *wakes = json_object_new_object();

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                (void)json_object_array_add(sources, source_object(manager, id));
        for (Trigger trigger = 0; trigger < _TRIGGER_MAX; trigger++)
                put_number(wakes, trigger_to_string(trigger), manager->feeding.triggers[trigger]);

        put(document, "sources", sources);
        put_number(document, "forks", manager->fork.forks);
        put_number(document, "generation", manager->fork.generation);
        put(document, "wakes", wakes);
        put(document, "last_feed", last_feed_object(manager));
}

int status_document(const Manager *manager, char **ret_text) {
        _cleanup_(cleanup_json) Json *document = NULL;

        json_avoid_random();

        document = json_object_new_object();
        if (!document)
                return -ENOMEM;
        put_string(document, "version", PACKAGE_VERSION);
        put_number(document, "pid", (uint64_t)getpid());
        put_number(document, "uptime_usec", clock_boottime_usec() - manager->started_usec);
        put_string(document, "status", manager->status.line);
        put(document, "kernel", kernel_object(manager));
        put_lists(manager, document);

        return json_to_text(document, ret_text);
}
