/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "monitor/documents.h"
#include "monitor/sample/write.h"

#define COLUMN_WRAP 24U

typedef struct Job {
        const Sampler *sampler;
        RecordingEnd end;
        const char *documents_directory;
} Job;

/*
 * JSON without json-c, which the rest of the program uses. A trace buffer holds up to a million
 * numbers, and json-c needs some 60 bytes for each: too much for a small guest that is booting.
 */
typedef struct Writer {
        FILE *out;
        unsigned int depth; /* of objects and arrays */
        bool first;         /* the innermost one is still empty */
} Writer;

/* Each value has its own line, except in small objects. */
static void put_gap(const Writer *writer, bool is_small) {
        if (is_small)
                (void)fputc(' ', writer->out);
        else
                (void)fprintf(writer->out, "\n%*s", (int)writer->depth * 2, "");
}

/* What precedes a value. key needs no escaping; NULL in an array. */
static void begin_value(Writer *writer, const char *key) {
        if (!writer->first)
                (void)fputc(',', writer->out);
        put_gap(writer, writer->depth > 2);
        if (key)
                (void)fprintf(writer->out, "\"%s\": ", key);
        writer->first = false;
}

static void put_word(Writer *writer, const char *key, const char *word) {
        begin_value(writer, key);
        (void)fputs(word, writer->out);
}

static void put_bool(Writer *writer, const char *key, bool value) {
        put_word(writer, key, value ? "true" : "false");
}

static void put_signed(Writer *writer, const char *key, int64_t value) {
        begin_value(writer, key);
        (void)fprintf(writer->out, "%" PRId64, value);
}

static void put_number(Writer *writer, const char *key, uint64_t value) {
        begin_value(writer, key);
        (void)fprintf(writer->out, "%" PRIu64, value);
}

/* A process may give itself any name: what is not plain ASCII is escaped byte by byte. */
static void put_string(Writer *writer, const char *key, const char *text) {
        put_word(writer, key, "\"");
        for (; *text; text++)
                if (*text == '"' || *text == '\\')
                        (void)fprintf(writer->out, "\\%c", *text);
                else if (text_is_plain(*text))
                        (void)fputc(*text, writer->out);
                else
                        (void)fprintf(writer->out, "\\u%04x", (unsigned char)*text);
        (void)fputc('"', writer->out);
}

static void begin(Writer *writer, const char *key, char bracket) {
        begin_value(writer, key);
        (void)fputc(bracket, writer->out);
        writer->depth++;
        writer->first = true;
}

static void end(Writer *writer, char bracket) {
        writer->depth--;
        if (!writer->first)
                put_gap(writer, writer->depth >= 2);
        (void)fputc(bracket, writer->out);
        writer->first = false;
}

/* One of many numbers. */
static void put_element(Writer *writer, size_t i, uint64_t value) {
        const char *separator = i == 0 ? "" : i % COLUMN_WRAP == 0 ? ",\n      " : ",";

        (void)fprintf(writer->out, "%s%" PRIu64, separator, value);
}

static void put_head(Writer *writer, const Job *job) {
        const Sampler *sampler = job->sampler;
        struct utsname kernel = {};
        char boot_id[64] = "";

        (void)uname(&kernel);
        (void)!io_read_text_at(
                sampler->views.proc_fd,
                "sys/kernel/random/boot_id",
                boot_id,
                sizeof(boot_id));
        put_string(writer, "format", RECORDING_FORMAT);
        put_number(writer, "version", RECORDING_VERSION);
        put_string(writer, "program", PACKAGE_VERSION);
        put_string(writer, "kernel", kernel.release);
        put_string(writer, "machine", kernel.machine);
        put_string(writer, "boot_id", boot_id);
        put_bool(writer, "first_process", sampler->as_pid1);
        put_string(writer, "end", recording_end_to_string(job->end));
        put_number(writer, "started_usec", sampler->trace.started_usec);
        put_number(writer, "ended_usec", sampler->ended_usec);
}

static void put_rng(Writer *writer, const Sampler *sampler) {
        begin(writer, "rng", '{');
        put_number(writer, "pool_bits", sampler->pool_bits);
        put_number(writer, "threshold_bits", sampler->first_threshold_bits);
        put_bool(writer, "ready_at_start", sampler->ready_at_start);
        if (sampler->ready && !sampler->ready_at_start)
                put_number(writer, "ready_usec", sampler->ready_usec);
        else
                put_word(writer, "ready_usec", "null");
        if (sampler->events.hwrng[0])
                put_string(writer, "hwrng", sampler->events.hwrng);
        else
                put_word(writer, "hwrng", "null");
        end(writer, '}');
}

/* Of equal samples in a row, the first and the last are enough. */
static bool is_needed(const TraceBuffer *trace, size_t i) {
        const Sample *s = &trace->map->samples[i];

        return i == 0 || i + 1 == trace->n_samples || s->minimum_bits != s->maximum_bits ||
               s->minimum_bits != s[-1].maximum_bits || s[-1].minimum_bits != s->minimum_bits ||
               s->minimum_bits != s[1].maximum_bits || s[1].minimum_bits != s->minimum_bits;
}

typedef enum Column {
        COLUMN_AT,
        COLUMN_MINIMUM,
        COLUMN_MAXIMUM,
} Column;

static void put_sample_column(
        Writer *writer,
        const TraceBuffer *trace,
        const char *key,
        Column column) {
        size_t written = 0;

        put_word(writer, key, "[");
        for (size_t i = 0; i < trace->n_samples; i++) {
                const Sample *s = &trace->map->samples[i];
                uint64_t at_usec = trace->started_usec + s->at_ticks * RECORDING_TICK_USEC;

                if (is_needed(trace, i))
                        put_element(
                                writer,
                                written++,
                                column == COLUMN_AT        ? at_usec
                                : column == COLUMN_MINIMUM ? s->minimum_bits
                                                           : s->maximum_bits);
        }
        (void)fputc(']', writer->out);
}

static void put_samples(Writer *writer, const TraceBuffer *trace) {
        begin(writer, "samples", '{');
        put_number(writer, "interval_usec", trace->interval_usec);
        put_number(writer, "taken", trace->n_samples);
        put_number(writer, "thinnings", trace->thinnings);
        put_sample_column(writer, trace, "at_usec", COLUMN_AT);
        put_sample_column(writer, trace, "minimum_bits", COLUMN_MINIMUM);
        put_sample_column(writer, trace, "maximum_bits", COLUMN_MAXIMUM);
        end(writer, '}');
}

static void put_starts(Writer *writer, const Sampler *sampler) {
        const TraceBuffer *trace = &sampler->trace;
        const char *source = sampler->events.starts_fd >= 0 ? STARTS_SOURCE_CONNECTOR
                             : sampler->events.stat_fd >= 0 ? STARTS_SOURCE_STAT
                                                            : STARTS_SOURCE_NONE;

        begin(writer, "starts", '{');
        put_number(writer, "from_usec", trace->started_usec);
        put_number(writer, "interval_usec", trace->bin_usec);
        put_string(writer, "source", source);
        put_word(writer, "execs", "[");
        for (size_t i = 0; i < trace->n_bins; i++)
                put_element(writer, i, trace->map->bins[i].execs);
        (void)fputc(']', writer->out);
        put_word(writer, "forks", "[");
        for (size_t i = 0; i < trace->n_bins; i++)
                put_element(writer, i, trace->map->bins[i].forks);
        (void)fputc(']', writer->out);
        end(writer, '}');
}

static void put_blocked(Writer *writer, const TraceBuffer *trace) {
        begin(writer, "blocked", '[');
        for (size_t i = 0; i < trace->n_spans; i++) {
                const BlockedSpan *span = &trace->map->spans[i];

                begin(writer, NULL, '{');
                put_signed(writer, "pid", span->pid);
                put_signed(writer, "tid", span->tid);
                put_number(writer, "from_usec", span->from_usec);
                put_number(writer, "to_usec", span->to_usec);
                put_bool(writer, "jitter", span->jitter);
                put_bool(writer, "open", span->open);
                put_string(writer, "name", span->name);
                end(writer, '}');
        }
        end(writer, ']');
}

static void put_events(Writer *writer, const TraceBuffer *trace) {
        begin(writer, "events", '[');
        for (size_t i = 0; i < trace->n_events; i++) {
                const Event *event = &trace->map->events[i];

                begin(writer, NULL, '{');
                put_number(writer, "at_usec", event->at_usec);
                put_string(writer, "kind", event_kind_to_string(event->kind));
                put_string(writer, "text", event->text);
                end(writer, '}');
        }
        end(writer, ']');
}

static void put_reports(Writer *writer, const char *directory) {
        begin(writer, "reports", '{');
        for (DocumentId id = 0; id < _DOCUMENT_MAX; id++) {
                _cleanup_json_ Json *document = NULL, *shown = NULL;
                char name[DOCUMENT_NAME_MAX];

                if (document_read(directory, id, &document) < 0)
                        continue;
                shown = document_public(document);
                if (!shown)
                        continue;
                document_name(id, name);
                put_word(
                        writer,
                        name,
                        json_object_to_json_string_ext(shown, JSON_C_TO_STRING_PLAIN));
        }
        end(writer, '}');
}

static uint64_t cpu_usec(const struct rusage *usage) {
        return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
               (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static uint64_t page_faults(const struct rusage *usage) {
        return (uint64_t)(usage->ru_minflt + usage->ru_majflt);
}

static void put_monitor(Writer *writer, const Sampler *sampler) {
        const struct rusage *before = &sampler->usage_at_start, *after = &sampler->usage;
        const TraceBuffer *trace = &sampler->trace;

        begin(writer, "monitor", '{');
        put_number(writer, "cpu_usec", cpu_usec(after) - cpu_usec(before));
        put_number(writer, "page_faults", page_faults(after) - page_faults(before));
        put_number(writer, "wakes", sampler->wakes);
        put_number(writer, "late_samples", sampler->late_samples);
        put_number(writer, "memory_bytes", trace->map_bytes);
        put_bool(writer, "locked", trace->locked);
        put_string(writer, "log", log_seen_to_string(trace->log_seen));
        put_signed(writer, "log_offset_usec", sampler->events.log_offset_usec);
        begin(writer, "lost", '{');
        put_number(writer, "events", trace->lost_events);
        put_number(writer, "blocked", trace->lost_spans);
        put_number(writer, "starts", sampler->events.lost_starts);
        end(writer, '}');
        end(writer, '}');
}

static void put_all(Writer *writer, const Job *job) {
        (void)fputc('{', writer->out);
        writer->depth++;
        writer->first = true;
        put_head(writer, job);
        put_rng(writer, job->sampler);
        put_samples(writer, &job->sampler->trace);
        put_starts(writer, job->sampler);
        put_blocked(writer, &job->sampler->trace);
        put_events(writer, &job->sampler->trace);
        put_reports(writer, job->documents_directory);
        put_monitor(writer, job->sampler);
        end(writer, '}');
        (void)fputc('\n', writer->out);
}

/* Takes the descriptor. */
static int fill(const Job *job, int fd) {
        Writer writer = { .out = fdopen(fd, "w") };
        int r;

        if (!writer.out) {
                r = negative_errno();
                (void)close(fd);
                return r;
        }
        put_all(&writer, job);
        r = fflush(writer.out) != 0 ? negative_errno() : ferror(writer.out) ? -EIO : 0;
        if (r == 0 && fsync(fd) < 0 && errno != EINVAL)
                r = negative_errno();
        if (fclose(writer.out) != 0 && r == 0)
                r = negative_errno();
        return r;
}

static int open_nameless(int dirfd, const char *path) {
        char directory[SETTINGS_OUTPUT_MAX + 8];
        char *slash;

        (void)snprintf(directory, sizeof(directory), "%s", path);
        slash = strrchr(directory, '/');
        if (slash)
                slash[slash == directory] = '\0';
        return openat(dirfd, slash ? directory : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);
}

/* Leaves nothing behind if killed. -EOPNOTSUPP if the file system has no unnamed files. */
static int write_nameless(const Job *job, int dirfd, const char *path) {
        _cleanup_close_ int fd = open_nameless(dirfd, path);
        char link[32];
        int copy, r;

        copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return -EOPNOTSUPP;
        r = fill(job, copy);
        if (r < 0)
                return r;
        (void)snprintf(link, sizeof(link), "self/fd/%d", fd);
        (void)unlinkat(dirfd, path, 0);
        if (linkat(job->sampler->views.proc_fd, link, dirfd, path, AT_SYMLINK_FOLLOW) < 0)
                return -EOPNOTSUPP;
        return 0;
}

static int write_named(const Job *job, int dirfd, const char *path) {
        int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

        return fd < 0 ? negative_errno() : fill(job, fd);
}

int write_recording(
        const Sampler *sampler,
        RecordingEnd end,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        const Job job = { sampler, end, documents_directory };
        char temporary[SETTINGS_OUTPUT_MAX + 8];
        int r;

        (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
        r = write_nameless(&job, dirfd, temporary);
        if (r == -EOPNOTSUPP)
                r = write_named(&job, dirfd, temporary);
        if (r >= 0 && renameat(dirfd, temporary, dirfd, path) < 0)
                r = negative_errno();
        if (r < 0)
                (void)unlinkat(dirfd, temporary, 0);
        return r;
}
