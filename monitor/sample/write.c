/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/printbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "monitor/documents.h"
#include "monitor/sample/write.h"

static void put_head(Json *document, const Sampler *sampler, RecordingEnd end) {
        struct utsname kernel = {};
        char boot_id[64] = "";

        (void)uname(&kernel);
        (void)!io_read_text_at(
                sampler->views.proc_fd,
                "sys/kernel/random/boot_id",
                boot_id,
                sizeof(boot_id));
        json_put_string(document, "format", RECORDING_FORMAT);
        json_put_number(document, "version", RECORDING_VERSION);
        json_put_string(document, "program", PACKAGE_VERSION);
        json_put_string(document, "kernel", kernel.release);
        json_put_string(document, "machine", kernel.machine);
        json_put_string(document, "boot_id", boot_id);
        json_put_bool(document, "first_process", sampler->as_pid1);
        json_put_string(document, "end", recording_end_to_string(end));
        json_put_number(document, "started_usec", sampler->trace.started_usec);
        json_put_number(document, "ended_usec", sampler->ended_usec);
}

static Json *rng_object(const Sampler *sampler) {
        const char *hwrng = sampler->events.hwrng;
        Json *rng = json_new();

        json_put_number(rng, "pool_bits", sampler->pool_bits);
        json_put_number(rng, "threshold_bits", sampler->first_threshold_bits);
        json_put_bool(rng, "ready_at_start", sampler->ready_at_start);
        if (sampler->ready && !sampler->ready_at_start)
                json_put_number(rng, "ready_usec", sampler->ready_usec);
        else
                json_put(rng, "ready_usec", NULL);
        json_put_string(rng, "hwrng", hwrng[0] ? hwrng : NULL);
        return rng;
}

typedef enum ColumnKind {
        COLUMN_AT_USEC,
        COLUMN_MINIMUM_BITS,
        COLUMN_MAXIMUM_BITS,
        COLUMN_EXECS,
        COLUMN_FORKS,
} ColumnKind;

typedef struct Column {
        const TraceBuffer *trace;
        ColumnKind kind;
} Column;

/* Of equal samples in a row, the first and the last are enough. */
static bool is_needed(const TraceBuffer *trace, size_t i) {
        const Sample *s = &trace->map->samples[i];

        return i == 0 || i + 1 == trace->n_samples || s->minimum_bits != s->maximum_bits ||
               s->minimum_bits != s[-1].maximum_bits || s[-1].minimum_bits != s->minimum_bits ||
               s->minimum_bits != s[1].maximum_bits || s[1].minimum_bits != s->minimum_bits;
}

static uint64_t column_value(const Column *column, size_t i) {
        const TraceMap *map = column->trace->map;

        switch (column->kind) {
        case COLUMN_AT_USEC:
                return column->trace->started_usec + map->samples[i].at_ticks * RECORDING_TICK_USEC;
        case COLUMN_MINIMUM_BITS:
                return map->samples[i].minimum_bits;
        case COLUMN_MAXIMUM_BITS:
                return map->samples[i].maximum_bits;
        case COLUMN_EXECS:
                return map->bins[i].execs;
        case COLUMN_FORKS:
        default:
                return map->bins[i].forks;
        }
}

static int print_column(Json *array, struct printbuf *out, int level, int flags) {
        const Column *column = json_object_get_userdata(array);
        const bool of_starts = column->kind >= COLUMN_EXECS;
        const size_t n = of_starts ? column->trace->n_bins : column->trace->n_samples;
        const char *separator = "";

        printbuf_strappend(out, "[");
        for (size_t i = 0; i < n; i++) {
                if (!of_starts && !is_needed(column->trace, i))
                        continue;
                if (sprintbuf(out, "%s%" PRIu64, separator, column_value(column, i)) < 0)
                        return -1;
                separator = ",";
        }
        return printbuf_strappend(out, "]");
}

/*
 * json-c needs some 60 bytes for a number. A trace buffer holds up to a million of them, too many
 * for a small guest that is booting, so they become text only when the document does.
 */
static void put_column(Json *object, const char *key, const TraceBuffer *trace, ColumnKind kind) {
        Json *array = json_object_new_array();
        Column *column = malloc(sizeof(*column));

        json_put(object, key, array);
        if (!array || !column) {
                free(column);
                return;
        }
        *column = (Column){ trace, kind };
        json_object_set_serializer(array, print_column, column, json_object_free_userdata);
}

static Json *samples_object(const TraceBuffer *trace) {
        Json *samples = json_new();

        json_put_number(samples, "interval_usec", trace->interval_usec);
        json_put_number(samples, "taken", trace->n_samples);
        json_put_number(samples, "thinnings", trace->thinnings);
        put_column(samples, "at_usec", trace, COLUMN_AT_USEC);
        put_column(samples, "minimum_bits", trace, COLUMN_MINIMUM_BITS);
        put_column(samples, "maximum_bits", trace, COLUMN_MAXIMUM_BITS);
        return samples;
}

static Json *starts_object(const Sampler *sampler) {
        const TraceBuffer *trace = &sampler->trace;
        const char *source = sampler->events.starts_fd >= 0 ? STARTS_SOURCE_CONNECTOR
                             : sampler->events.stat_fd >= 0 ? STARTS_SOURCE_STAT
                                                            : STARTS_SOURCE_NONE;
        Json *starts = json_new();

        json_put_number(starts, "from_usec", trace->started_usec);
        json_put_number(starts, "interval_usec", trace->bin_usec);
        json_put_string(starts, "source", source);
        put_column(starts, "execs", trace, COLUMN_EXECS);
        put_column(starts, "forks", trace, COLUMN_FORKS);
        return starts;
}

static Json *blocked_array(const TraceBuffer *trace) {
        Json *array = json_object_new_array();

        for (size_t i = 0; i < trace->n_spans; i++) {
                const BlockedSpan *span = &trace->map->spans[i];
                Json *object = json_new();

                json_put_number(object, "pid", (uint64_t)span->pid);
                json_put_number(object, "tid", (uint64_t)span->tid);
                json_put_number(object, "from_usec", span->from_usec);
                json_put_number(object, "to_usec", span->to_usec);
                json_put_bool(object, "jitter", span->jitter);
                json_put_bool(object, "open", span->open);
                json_put_string(object, "name", span->name);
                (void)json_object_array_add(array, object);
        }
        return array;
}

static Json *events_array(const TraceBuffer *trace) {
        Json *array = json_object_new_array();

        for (size_t i = 0; i < trace->n_events; i++) {
                const Event *event = &trace->map->events[i];
                Json *object = json_new();

                json_put_number(object, "at_usec", event->at_usec);
                json_put_string(object, "kind", event_kind_to_string(event->kind));
                json_put_string(object, "text", event->text);
                (void)json_object_array_add(array, object);
        }
        return array;
}

static Json *reports_object(const char *directory) {
        Json *reports = json_new();

        for (DocumentId id = 0; id < _DOCUMENT_MAX; id++) {
                _cleanup_json_ Json *document = NULL;
                char name[DOCUMENT_NAME_MAX];

                if (document_read(directory, id, &document) < 0)
                        continue;
                document_name(id, name);
                json_put(reports, name, document_public(document));
        }
        return reports;
}

static uint64_t cpu_usec(const struct rusage *usage) {
        return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
               (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static uint64_t page_faults(const struct rusage *usage) {
        return (uint64_t)(usage->ru_minflt + usage->ru_majflt);
}

static Json *monitor_object(const Sampler *sampler) {
        const struct rusage *before = &sampler->usage_at_start, *after = &sampler->usage;
        const TraceBuffer *trace = &sampler->trace;
        Json *monitor = json_new(), *lost = json_new();

        json_put_number(monitor, "cpu_usec", cpu_usec(after) - cpu_usec(before));
        json_put_number(monitor, "page_faults", page_faults(after) - page_faults(before));
        json_put_number(monitor, "wakes", sampler->wakes);
        json_put_number(monitor, "late_samples", sampler->late_samples);
        json_put_number(monitor, "memory_bytes", trace->map_bytes);
        json_put_bool(monitor, "locked", trace->locked);
        json_put_string(monitor, "log", log_seen_to_string(trace->log_seen));
        json_put(
                monitor,
                "log_offset_usec",
                json_object_new_int64(sampler->events.log_offset_usec));
        json_put_number(lost, "events", trace->lost_events);
        json_put_number(lost, "blocked", trace->lost_spans);
        json_put_number(lost, "starts", sampler->events.lost_starts);
        json_put(monitor, "lost", lost);
        return monitor;
}

static int open_nameless(int dirfd, const char *path) {
        char directory[SETTINGS_OUTPUT_MAX];
        char *slash;

        (void)snprintf(directory, sizeof(directory), "%s", path);
        slash = strrchr(directory, '/');
        if (slash)
                slash[slash == directory] = '\0';
        return openat(dirfd, slash ? directory : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);
}

/* Leaves nothing behind if killed. -EOPNOTSUPP if the file system has no unnamed files. */
static int write_nameless(int proc_fd, int dirfd, const char *path, const char *text) {
        _cleanup_close_ int fd = open_nameless(dirfd, path);
        char temporary[SETTINGS_OUTPUT_MAX + 8], link[32];
        int r;

        if (fd < 0)
                return -EOPNOTSUPP;
        r = io_write_full(fd, text, strlen(text));
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return negative_errno();
        (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
        (void)snprintf(link, sizeof(link), "self/fd/%d", fd);
        (void)unlinkat(dirfd, temporary, 0);
        if (linkat(proc_fd, link, dirfd, temporary, AT_SYMLINK_FOLLOW) < 0)
                return -EOPNOTSUPP;
        if (renameat(dirfd, temporary, dirfd, path) >= 0)
                return 0;
        r = negative_errno();
        (void)unlinkat(dirfd, temporary, 0);
        return r;
}

int write_recording(
        const Sampler *sampler,
        RecordingEnd end,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        _cleanup_json_ Json *document = json_new();
        _cleanup_free_ char *text = NULL;
        int r;

        if (!document)
                return -ENOMEM;
        put_head(document, sampler, end);
        json_put(document, "rng", rng_object(sampler));
        json_put(document, "samples", samples_object(&sampler->trace));
        json_put(document, "starts", starts_object(sampler));
        json_put(document, "blocked", blocked_array(&sampler->trace));
        json_put(document, "events", events_array(&sampler->trace));
        json_put(document, "reports", reports_object(documents_directory));
        json_put(document, "monitor", monitor_object(sampler));
        r = json_to_text(document, &text);
        if (r < 0)
                return r;
        r = write_nameless(sampler->views.proc_fd, dirfd, path, text);
        return r != -EOPNOTSUPP ? r : io_write_atomic_at(dirfd, path, 0644, text, strlen(text));
}
