/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "monitor/documents.h"
#include "monitor/sample/write.h"

#define COLUMN_WRAP 24U

typedef struct Writer {
        int fd;
        int error;
        size_t n;
        char buffer[65536]; /* static, see write_all() */
} Writer;

static void flush(Writer *writer) {
        int r;

        if (writer->error == 0) {
                r = io_write_full(writer->fd, writer->buffer, writer->n);
                if (r < 0)
                        writer->error = r;
        }
        writer->n = 0;
}

static void put(Writer *writer, const char *text) {
        for (size_t left = strlen(text); left > 0;) {
                size_t n = MIN(left, sizeof(writer->buffer) - writer->n);

                memcpy(writer->buffer + writer->n, text, n);
                writer->n += n;
                text += n;
                left -= n;
                if (writer->n == sizeof(writer->buffer))
                        flush(writer);
        }
}

static void put_format(Writer *writer, const char *format, ...) _printf_(2, 3);

static void put_format(Writer *writer, const char *format, ...) {
        char text[512];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args); // NOLINT(clang-analyzer-valist.*)
        va_end(args);
        put(writer, text);
}

/* A process may give itself any name: what is not plain ASCII is escaped byte by byte. */
static void put_string(Writer *writer, const char *text) {
        put(writer, "\"");
        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char)*p;

                if (c == '"' || c == '\\')
                        put_format(writer, "\\%c", c);
                else if (!text_is_plain(*p))
                        put_format(writer, "\\u%04x", c);
                else
                        put_format(writer, "%c", c);
        }
        put(writer, "\"");
}

static void put_key_string(Writer *writer, const char *key, const char *value) {
        put_format(writer, "  \"%s\": ", key);
        put_string(writer, value);
        put(writer, ",\n");
}

static void put_separator(Writer *writer, size_t i) {
        if (i > 0)
                put(writer, i % COLUMN_WRAP == 0 ? ",\n      " : ",");
}

static void put_head(Writer *writer, const Sampler *sampler, RecordingEnd end_why) {
        const TraceBuffer *trace = &sampler->trace;
        struct utsname kernel = {};
        char boot_id[64] = "";

        (void)uname(&kernel);
        (void)!io_read_text_at(
                sampler->views.proc_fd,
                "sys/kernel/random/boot_id",
                boot_id,
                sizeof(boot_id));
        put(writer, "{\n");
        put_key_string(writer, "format", RECORDING_FORMAT);
        put_format(writer, "  \"version\": %u,\n", RECORDING_VERSION);
        put_key_string(writer, "program", PACKAGE_VERSION);
        put_key_string(writer, "kernel", kernel.release);
        put_key_string(writer, "machine", kernel.machine);
        put_key_string(writer, "boot_id", boot_id);
        put_format(
                writer,
                "  \"first_process\": %s,\n  \"end\": \"%s\",\n"
                "  \"started_usec\": %" PRIu64 ",\n  \"ended_usec\": %" PRIu64 ",\n",
                sampler->as_pid1 ? "true" : "false",
                recording_end_to_string(end_why),
                trace->started_usec,
                sampler->ended_usec);
}

static void put_rng(Writer *writer, const Sampler *sampler) {
        put_format(
                writer,
                "  \"rng\": {\n    \"pool_bits\": %u,\n    \"threshold_bits\": %u,\n"
                "    \"ready_at_start\": %s,\n    \"ready_usec\": ",
                sampler->pool_bits,
                sampler->first_threshold_bits,
                sampler->ready_at_start ? "true" : "false");
        if (sampler->ready && !sampler->ready_at_start)
                put_format(writer, "%" PRIu64, sampler->ready_usec);
        else
                put(writer, "null");
        put(writer, ",\n    \"hwrng\": ");
        if (sampler->events.hwrng[0])
                put_string(writer, sampler->events.hwrng);
        else
                put(writer, "null");
        put(writer, "\n  },\n");
}

/* Of a level that stays, the first sample and the last say everything. */
static bool is_needed(const TraceBuffer *trace, size_t i) {
        const Sample *s = &trace->samples[i];

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
        const char *name,
        Column column) {
        size_t written = 0;

        put_format(writer, "    \"%s\": [", name);
        for (size_t i = 0; i < trace->n_samples; i++) {
                const Sample *s = &trace->samples[i];

                if (!is_needed(trace, i))
                        continue;
                put_separator(writer, written++);
                if (column == COLUMN_AT)
                        put_format(
                                writer,
                                "%" PRIu64,
                                trace->started_usec + s->at_ticks * RECORDING_TICK_USEC);
                else
                        put_format(
                                writer,
                                "%d",
                                column == COLUMN_MINIMUM ? s->minimum_bits : s->maximum_bits);
        }
        put(writer, "]");
}

static void put_samples(Writer *writer, const TraceBuffer *trace) {
        put_format(
                writer,
                "  \"samples\": {\n    \"interval_usec\": %" PRIu64 ",\n    \"taken\": %zu,\n"
                "    \"thinnings\": %u,\n",
                trace->interval_usec,
                trace->n_samples,
                trace->thinnings);
        put_sample_column(writer, trace, "at_usec", COLUMN_AT);
        put(writer, ",\n");
        put_sample_column(writer, trace, "minimum_bits", COLUMN_MINIMUM);
        put(writer, ",\n");
        put_sample_column(writer, trace, "maximum_bits", COLUMN_MAXIMUM);
        put(writer, "\n  },\n");
}

static bool counts_execs(const Sampler *sampler) {
        return sampler->events.starts_fd >= 0;
}

static void put_starts(Writer *writer, const Sampler *sampler) {
        const TraceBuffer *trace = &sampler->trace;

        put_format(
                writer,
                "  \"starts\": {\n    \"from_usec\": %" PRIu64 ",\n    \"interval_usec\": %" PRIu64
                ",\n    \"source\": \"%s\",\n    \"execs\": [",
                trace->started_usec,
                trace->bin_usec,
                counts_execs(sampler)          ? STARTS_SOURCE_CONNECTOR
                : sampler->events.stat_fd >= 0 ? STARTS_SOURCE_STAT
                                               : STARTS_SOURCE_NONE);
        for (size_t i = 0; i < trace->n_bins; i++) {
                put_separator(writer, i);
                put_format(writer, "%u", trace->bins[i].execs);
        }
        put(writer, "],\n    \"forks\": [");
        for (size_t i = 0; i < trace->n_bins; i++) {
                put_separator(writer, i);
                put_format(writer, "%u", trace->bins[i].forks);
        }
        put(writer, "]\n  },\n");
}

static void put_blocked(Writer *writer, const TraceBuffer *trace) {
        put(writer, "  \"blocked\": [");
        for (size_t i = 0; i < trace->n_spans; i++) {
                const BlockedSpan *span = &trace->spans[i];

                put_format(
                        writer,
                        "%s\n    { \"pid\": %d, \"tid\": %d, \"from_usec\": %" PRIu64
                        ", \"to_usec\": %" PRIu64 ", \"jitter\": %s, \"open\": %s, \"name\": ",
                        i > 0 ? "," : "",
                        (int)span->pid,
                        (int)span->tid,
                        span->from_usec,
                        span->to_usec,
                        span->jitter ? "true" : "false",
                        span->open ? "true" : "false");
                put_string(writer, span->name);
                put(writer, " }");
        }
        put(writer, trace->n_spans > 0 ? "\n  ],\n" : "],\n");
}

static void put_events(Writer *writer, const TraceBuffer *trace) {
        put(writer, "  \"events\": [");
        for (size_t i = 0; i < trace->n_events; i++) {
                put_format(
                        writer,
                        "%s\n    { \"at_usec\": %" PRIu64 ", \"kind\": \"%s\", \"text\": ",
                        i > 0 ? "," : "",
                        trace->events[i].at_usec,
                        event_kind_to_string(trace->events[i].kind));
                put_string(writer, trace->events[i].text);
                put(writer, " }");
        }
        put(writer, "\n  ],\n");
}

static void put_reports(Writer *writer, const char *directory) {
        const char *separator = "\n";

        put(writer, "  \"reports\": {");
        for (DocumentId id = 0; id < _DOCUMENT_MAX; id++) {
                _cleanup_json_ Json *document = NULL, *shown = NULL;
                char name[DOCUMENT_NAME_MAX];

                if (document_read(directory, id, &document) < 0)
                        continue;
                shown = document_public(document);
                if (!shown)
                        continue;
                document_name(id, name);
                put_format(writer, "%s    \"%s\": ", separator, name);
                put(writer, json_object_to_json_string_ext(shown, JSON_C_TO_STRING_PLAIN));
                separator = ",\n";
        }
        put(writer, "\n  },\n");
}

static uint64_t cpu_usec(const struct rusage *usage) {
        return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
               (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static void put_monitor(Writer *writer, const Sampler *sampler) {
        const struct rusage *before = &sampler->usage_at_start, *after = &sampler->usage;

        put_format(
                writer,
                "  \"monitor\": {\n    \"cpu_usec\": %" PRIu64
                ",\n    \"page_faults\": %ld,\n    \"wakes\": %" PRIu64
                ",\n    \"late_samples\": %" PRIu64
                ",\n    \"memory_bytes\": %zu,\n    \"locked\": %s,\n",
                cpu_usec(after) - cpu_usec(before),
                after->ru_minflt + after->ru_majflt - before->ru_minflt - before->ru_majflt,
                sampler->wakes,
                sampler->late_samples,
                sampler->trace.map_bytes,
                sampler->trace.locked ? "true" : "false");
        put_format(
                writer,
                "    \"log\": \"%s\",\n    \"log_offset_usec\": %" PRId64
                ",\n    \"lost\": { \"events\": %" PRIu64 ", \"blocked\": %" PRIu64
                ", \"starts\": %" PRIu64 " }\n  }\n}\n",
                log_seen_to_string(sampler->trace.log_seen),
                sampler->events.log_offset_usec,
                sampler->trace.lost_events,
                sampler->trace.lost_spans,
                sampler->events.lost_starts);
}

static int write_all(
        int fd,
        const Sampler *sampler,
        RecordingEnd end_why,
        const char *documents_directory) {
        static Writer writer; /* large, and one recording is written at a time */

        writer.fd = fd;
        writer.error = 0;
        writer.n = 0;
        put_head(&writer, sampler, end_why);
        put_rng(&writer, sampler);
        put_samples(&writer, &sampler->trace);
        put_starts(&writer, sampler);
        put_blocked(&writer, &sampler->trace);
        put_events(&writer, &sampler->trace);
        put_reports(&writer, documents_directory);
        put_monitor(&writer, sampler);
        flush(&writer);
        return writer.error;
}

static int fill(
        int fd,
        const Sampler *sampler,
        RecordingEnd end_why,
        const char *documents_directory) {
        int r;

        r = write_all(fd, sampler, end_why, documents_directory);
        if (r < 0)
                return r;
        return fsync(fd) < 0 && errno != EINVAL ? negative_errno() : 0;
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

/* Who is killed meanwhile leaves nothing. -EOPNOTSUPP where such a file cannot be had. */
static int write_nameless(
        const Sampler *sampler,
        RecordingEnd end_why,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        _cleanup_close_ int fd = -1;
        char link[32];
        int r;

        fd = open_nameless(dirfd, path);
        if (fd < 0)
                return -EOPNOTSUPP;
        r = fill(fd, sampler, end_why, documents_directory);
        if (r < 0)
                return r;
        (void)snprintf(link, sizeof(link), "self/fd/%d", fd);
        (void)unlinkat(dirfd, path, 0);
        if (linkat(sampler->views.proc_fd, link, dirfd, path, AT_SYMLINK_FOLLOW) < 0)
                return -EOPNOTSUPP;
        return 0;
}

static int write_named(
        const Sampler *sampler,
        RecordingEnd end_why,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return negative_errno();
        r = fill(fd, sampler, end_why, documents_directory);
        if (r >= 0 && close(TAKE_FD(fd)) < 0)
                r = negative_errno();
        return r;
}

int write_recording(
        const Sampler *sampler,
        RecordingEnd end_why,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        char temporary[SETTINGS_OUTPUT_MAX + 8];
        int r;

        (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
        r = write_nameless(sampler, end_why, dirfd, temporary, documents_directory);
        if (r == -EOPNOTSUPP)
                r = write_named(sampler, end_why, dirfd, temporary, documents_directory);
        if (r >= 0 && renameat(dirfd, temporary, dirfd, path) < 0)
                r = negative_errno();
        if (r < 0)
                (void)unlinkat(dirfd, temporary, 0);
        return r;
}
