/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "monitor/show/recording.h"

#define FILE_MAX_BYTES (64U * 1024U * 1024U)
#define TIME_MAX_USEC  UINT64_C(1000000000000000) /* 31 years */
#define COLUMN_MAX     (4U * 1024U * 1024U)
#define LEVEL_MAX_BITS UINT32_C(1000000)
#define INTERVAL_MAX   UINT64_C(3600000000)

/* Keeps the first error. */
typedef struct Reader {
        char *error;
        bool failed;
} Reader;

static void fail(Reader *reader, const char *key, const char *what) {
        if (!reader->failed)
                (void)snprintf(reader->error, RECORDING_ERROR_MAX, "\"%s\" %s", key, what);
        reader->failed = true;
}

static Json *member(Reader *reader, Json *object, const char *key, json_type type) {
        Json *value = object ? json_object_object_get(object, key) : NULL;

        if (!reader->failed && !value)
                fail(reader, key, "is missing");
        else if (!reader->failed && !json_object_is_type(value, type))
                fail(reader, key, "is not of the right kind");
        return reader->failed ? NULL : value;
}

static uint64_t number_of(Reader *reader, Json *value, const char *key, uint64_t maximum) {
        int64_t number;

        if (!value || !json_object_is_type(value, json_type_int)) {
                fail(reader, key, "is not a whole number");
                return 0;
        }
        number = json_object_get_int64(value);
        if (number < 0 || (uint64_t)number > maximum) {
                fail(reader, key, "is out of range");
                return 0;
        }
        return (uint64_t)number;
}

static uint64_t number(Reader *reader, Json *object, const char *key, uint64_t maximum) {
        Json *value = member(reader, object, key, json_type_int);

        return value ? number_of(reader, value, key, maximum) : 0;
}

static bool boolean(Reader *reader, Json *object, const char *key) {
        Json *value = member(reader, object, key, json_type_boolean);

        return value && json_object_get_boolean(value);
}

/* Plain text, truncated to fit. */
static void text(Reader *reader, Json *object, const char *key, char *buffer, size_t size) {
        Json *value = member(reader, object, key, json_type_string);

        (void)snprintf(buffer, size, "%s", value ? json_object_get_string(value) : "");
        text_make_plain(buffer);
}

/* The array, and memory for its values. 0 if the recording is invalid. */
static size_t array_of(
        Reader *reader,
        Json *object,
        const char *key,
        size_t value_size,
        Json **ret_array,
        void **ret_values) {
        Json *array = member(reader, object, key, json_type_array);
        size_t n = array ? json_object_array_length(array) : 0;

        if (n > COLUMN_MAX)
                fail(reader, key, "is too long");
        if (reader->failed)
                return 0;
        *ret_values = calloc(n + 1, value_size);
        if (!*ret_values) {
                fail(reader, key, "does not fit into memory");
                return 0;
        }
        *ret_array = array;
        return n;
}

static size_t column(
        Reader *reader,
        Json *object,
        const char *key,
        uint64_t maximum,
        uint64_t **ret_values) {
        Json *array = NULL;
        void *room = NULL;
        size_t n = array_of(reader, object, key, sizeof(uint64_t), &array, &room);

        *ret_values = room;
        for (size_t i = 0; i < n; i++)
                (*ret_values)[i] =
                        number_of(reader, json_object_array_get_idx(array, i), key, maximum);
        return n;
}

/* NULL if it is not an object, or the recording is invalid. */
static Json *entry_of(Reader *reader, Json *array, size_t i, const char *key) {
        Json *entry = json_object_array_get_idx(array, i);

        if (!json_object_is_type(entry, json_type_object))
                fail(reader, key, "holds something else than objects");
        return reader->failed ? NULL : entry;
}

static void read_head(Reader *reader, Json *document, Recording *recording) {
        text(reader, document, "program", recording->program, sizeof(recording->program));
        text(reader, document, "kernel", recording->kernel, sizeof(recording->kernel));
        text(reader, document, "machine", recording->machine, sizeof(recording->machine));
        text(reader, document, "boot_id", recording->boot_id, sizeof(recording->boot_id));
        text(reader, document, "end", recording->end, sizeof(recording->end));
        recording->first_process = boolean(reader, document, "first_process");
        recording->started_usec = number(reader, document, "started_usec", TIME_MAX_USEC);
        recording->ended_usec = number(reader, document, "ended_usec", TIME_MAX_USEC);
        if (recording->ended_usec < recording->started_usec)
                fail(reader, "ended_usec", "is before started_usec");
}

static void read_rng(Reader *reader, Json *document, Recording *recording) {
        Json *rng = member(reader, document, "rng", json_type_object);

        recording->pool_bits = (uint32_t)number(reader, rng, "pool_bits", LEVEL_MAX_BITS);
        recording->threshold_bits = (uint32_t)number(reader, rng, "threshold_bits", LEVEL_MAX_BITS);
        recording->ready_at_start = boolean(reader, rng, "ready_at_start");
        if (reader->failed)
                return;
        recording->ready = recording->ready_at_start;
        if (json_object_object_get(rng, "ready_usec")) {
                recording->ready = true;
                recording->ready_usec = number(reader, rng, "ready_usec", TIME_MAX_USEC);
        }
        if (json_object_object_get(rng, "hwrng"))
                text(reader, rng, "hwrng", recording->hwrng, sizeof(recording->hwrng));
        recording->model = refill_guess_model(recording->pool_bits, 0, 0);
}

static void read_samples(Reader *reader, Json *document, Recording *recording) {
        Json *samples = member(reader, document, "samples", json_type_object);
        size_t n_minimum, n_maximum;

        recording->interval_usec = number(reader, samples, "interval_usec", INTERVAL_MAX);
        recording->thinnings = (uint32_t)number(reader, samples, "thinnings", 64);
        recording->n_samples =
                column(reader, samples, "at_usec", TIME_MAX_USEC, &recording->at_usec);
        n_minimum =
                column(reader, samples, "minimum_bits", LEVEL_MAX_BITS, &recording->minimum_bits);
        n_maximum =
                column(reader, samples, "maximum_bits", LEVEL_MAX_BITS, &recording->maximum_bits);
        if (n_minimum != recording->n_samples || n_maximum != recording->n_samples)
                fail(reader, "samples", "has columns of different lengths");
        for (size_t i = 0; !reader->failed && i < recording->n_samples; i++) {
                if (i > 0 && recording->at_usec[i] < recording->at_usec[i - 1])
                        fail(reader, "at_usec", "does not ascend");
                if (recording->minimum_bits[i] > recording->maximum_bits[i])
                        fail(reader, "minimum_bits", "exceeds maximum_bits");
        }
}

static void read_starts(Reader *reader, Json *document, Recording *recording) {
        Json *starts = member(reader, document, "starts", json_type_object);
        size_t n_forks;

        recording->starts_from_usec = number(reader, starts, "from_usec", TIME_MAX_USEC);
        recording->starts_interval_usec = number(reader, starts, "interval_usec", INTERVAL_MAX);
        text(reader, starts, "source", recording->starts_source, sizeof(recording->starts_source));
        if (recording->starts_interval_usec == 0)
                fail(reader, "interval_usec", "is zero");
        recording->n_starts = column(reader, starts, "execs", UINT32_MAX, &recording->execs);
        n_forks = column(reader, starts, "forks", UINT32_MAX, &recording->forks);
        if (n_forks != recording->n_starts)
                fail(reader, "starts", "has columns of different lengths");
}

static void read_blocked(Reader *reader, Json *document, Recording *recording) {
        Json *array = NULL, *entry;
        void *room = NULL;
        size_t n = array_of(reader, document, "blocked", sizeof(BlockedSpan), &array, &room);

        recording->blocked = room;
        for (size_t i = 0; i < n && (entry = entry_of(reader, array, i, "blocked")); i++) {
                BlockedSpan *span = &recording->blocked[recording->n_blocked++];

                span->pid = (pid_t)number(reader, entry, "pid", INT32_MAX);
                span->tid = (pid_t)number(reader, entry, "tid", INT32_MAX);
                span->from_usec = number(reader, entry, "from_usec", TIME_MAX_USEC);
                span->to_usec = number(reader, entry, "to_usec", TIME_MAX_USEC);
                span->jitter = boolean(reader, entry, "jitter");
                span->open = boolean(reader, entry, "open");
                text(reader, entry, "name", span->name, sizeof(span->name));
                if (span->to_usec < span->from_usec)
                        fail(reader, "to_usec", "is before from_usec");
        }
}

static int by_time(const void *a, const void *b) {
        const Event *left = a, *right = b;

        return (left->at_usec > right->at_usec) - (left->at_usec < right->at_usec);
}

static void read_events(Reader *reader, Json *document, Recording *recording) {
        Json *array = NULL, *entry;
        void *room = NULL;
        size_t n = array_of(reader, document, "events", sizeof(Event), &array, &room);
        char kind[RECORDING_MAX_TEXT];

        recording->events = room;
        for (size_t i = 0; i < n && (entry = entry_of(reader, array, i, "events")); i++) {
                Event *event = &recording->events[recording->n_events];

                event->at_usec = number(reader, entry, "at_usec", TIME_MAX_USEC);
                text(reader, entry, "text", event->text, sizeof(event->text));
                text(reader, entry, "kind", kind, sizeof(kind));
                /* Later versions may have more kinds. */
                if (event_kind_from_string(kind, &event->kind) >= 0)
                        recording->n_events++;
        }
        if (recording->events)
                qsort(recording->events, recording->n_events, sizeof(Event), by_time);
}

/* LOG_SEEN_NONE if the recording does not say. */
static LogSeen read_log_seen(Json *monitor) {
        const char *word = json_string(monitor, "log");

        for (LogSeen seen = LOG_SEEN_NONE; word && seen < _LOG_SEEN_MAX; seen++)
                if (strcmp(word, log_seen_to_string(seen)) == 0)
                        return seen;
        return LOG_SEEN_NONE;
}

static void read_rest(Reader *reader, Json *document, Recording *recording) {
        Json *monitor = member(reader, document, "monitor", json_type_object);
        Json *lost = member(reader, monitor, "lost", json_type_object);

        recording->log_seen = read_log_seen(monitor);
        recording->cpu_usec = number(reader, monitor, "cpu_usec", TIME_MAX_USEC);
        recording->page_faults = number(reader, monitor, "page_faults", TIME_MAX_USEC);
        recording->memory_bytes = number(reader, monitor, "memory_bytes", TIME_MAX_USEC);
        recording->lost = number(reader, lost, "events", TIME_MAX_USEC) +
                          number(reader, lost, "blocked", TIME_MAX_USEC) +
                          number(reader, lost, "starts", TIME_MAX_USEC);
        recording->reports = member(reader, document, "reports", json_type_object);
}

/* Reports an error of the whole document. */
static int refuse(char *error, int r, const char *why) {
        (void)snprintf(error, RECORDING_ERROR_MAX, "%s", why);
        return r;
}

static int parse_document(const char *bytes, size_t length, char *error, Json **ret_document) {
        struct json_tokener *tokener = json_tokener_new();
        enum json_tokener_error why;

        if (!tokener || length > INT32_MAX) {
                if (tokener)
                        json_tokener_free(tokener);
                return refuse(error, -ENOMEM, "it does not fit into memory");
        }
        *ret_document = json_tokener_parse_ex(tokener, bytes, (int)length);
        why = json_tokener_get_error(tokener);
        json_tokener_free(tokener);
        if (*ret_document)
                return 0;
        return refuse(
                error,
                -EBADMSG,
                why == json_tokener_continue ? "it ends in the middle" : "it is not JSON");
}

static int check_format(Json *document, char *error) {
        const char *format = json_string(document, "format");

        _Static_assert(RECORDING_VERSION == 1, "what the sentence says");
        if (!format || strcmp(format, RECORDING_FORMAT) != 0)
                return refuse(error, -EBADMSG, "it is JSON, but not a recording");
        if (json_number(document, "version") != RECORDING_VERSION)
                return refuse(error, -EBADMSG, "its version is not 1, the one this program knows");
        return 0;
}

int recording_parse(
        const char *bytes,
        size_t length,
        Recording *ret_recording,
        char ret_error[static RECORDING_ERROR_MAX]) {
        Recording recording = {};
        Reader reader = { .error = ret_error };
        int r;

        r = parse_document(bytes, length, ret_error, &recording.document);
        if (r < 0)
                return r;
        r = check_format(recording.document, ret_error);
        if (r < 0) {
                recording_free(&recording);
                return r;
        }
        read_head(&reader, recording.document, &recording);
        read_rng(&reader, recording.document, &recording);
        read_samples(&reader, recording.document, &recording);
        read_starts(&reader, recording.document, &recording);
        read_blocked(&reader, recording.document, &recording);
        read_events(&reader, recording.document, &recording);
        read_rest(&reader, recording.document, &recording);
        if (reader.failed) {
                recording_free(&recording);
                return -EBADMSG;
        }
        *ret_recording = recording;
        return 0;
}

static int read_file(const char *path, char **ret_bytes, size_t *ret_length) {
        _cleanup_close_ int fd = -1;

        fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? negative_errno() : io_read_all(fd, FILE_MAX_BYTES, ret_bytes, ret_length);
}

int recording_read(
        const char *path,
        Recording *ret_recording,
        char ret_error[static RECORDING_ERROR_MAX]) {
        _cleanup_free_ char *bytes = NULL;
        size_t length;
        int r;

        r = read_file(path, &bytes, &length);
        if (r < 0) {
                (void)snprintf(ret_error, RECORDING_ERROR_MAX, "%s", strerror(-r));
                return r;
        }
        r = recording_parse(bytes, length, ret_recording, ret_error);
        if (r >= 0)
                ret_recording->path = path;
        return r;
}

void recording_free(Recording *recording) {
        free(recording->at_usec);
        free(recording->minimum_bits);
        free(recording->maximum_bits);
        free(recording->execs);
        free(recording->forks);
        free(recording->blocked);
        free(recording->events);
        (void)json_object_put(recording->document);
        *recording = (Recording){};
}
