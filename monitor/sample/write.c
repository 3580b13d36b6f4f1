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

static const char *boolean(bool value) {
        return value ? "true" : "false";
}

/* A process may give itself any name: what is not plain ASCII is escaped byte by byte. */
static void put_string(FILE *out, const char *text) {
        (void)fputc('"', out);
        for (; *text; text++)
                if (*text == '"' || *text == '\\')
                        (void)fprintf(out, "\\%c", *text);
                else if (text_is_plain(*text))
                        (void)fputc(*text, out);
                else
                        (void)fprintf(out, "\\u%04x", (unsigned char)*text);
        (void)fputc('"', out);
}

static void put_key_string(FILE *out, const char *key, const char *value) {
        (void)fprintf(out, "  \"%s\": ", key);
        put_string(out, value);
        (void)fputs(",\n", out);
}

static void put_separator(FILE *out, size_t i) {
        if (i > 0)
                (void)fputs(i % COLUMN_WRAP == 0 ? ",\n      " : ",", out);
}

static void put_head(FILE *out, const Job *job) {
        const Sampler *sampler = job->sampler;
        struct utsname kernel = {};
        char boot_id[64] = "";

        (void)uname(&kernel);
        (void)!io_read_text_at(
                sampler->views.proc_fd,
                "sys/kernel/random/boot_id",
                boot_id,
                sizeof(boot_id));
        (void)fputs("{\n", out);
        put_key_string(out, "format", RECORDING_FORMAT);
        (void)fprintf(out, "  \"version\": %u,\n", RECORDING_VERSION);
        put_key_string(out, "program", PACKAGE_VERSION);
        put_key_string(out, "kernel", kernel.release);
        put_key_string(out, "machine", kernel.machine);
        put_key_string(out, "boot_id", boot_id);
        put_key_string(out, "end", recording_end_to_string(job->end));
        (void)fprintf(
                out,
                "  \"first_process\": %s,\n"
                "  \"started_usec\": %" PRIu64 ",\n  \"ended_usec\": %" PRIu64 ",\n",
                boolean(sampler->as_pid1),
                sampler->trace.started_usec,
                sampler->ended_usec);
}

static void put_rng(FILE *out, const Sampler *sampler) {
        (void)fprintf(
                out,
                "  \"rng\": {\n    \"pool_bits\": %u,\n    \"threshold_bits\": %u,\n"
                "    \"ready_at_start\": %s,\n    \"ready_usec\": ",
                sampler->pool_bits,
                sampler->first_threshold_bits,
                boolean(sampler->ready_at_start));
        if (sampler->ready && !sampler->ready_at_start)
                (void)fprintf(out, "%" PRIu64, sampler->ready_usec);
        else
                (void)fputs("null", out);
        (void)fputs(",\n    \"hwrng\": ", out);
        if (sampler->events.hwrng[0])
                put_string(out, sampler->events.hwrng);
        else
                (void)fputs("null", out);
        (void)fputs("\n  },\n", out);
}

/* Of a level that stays, the first sample and the last say everything. */
static bool is_needed(const TraceBuffer *trace, size_t i) {
        const Sample *s = &trace->map->samples[i];

        return i == 0 || i + 1 == trace->n_samples || s->minimum_bits != s->maximum_bits ||
               s->minimum_bits != s[-1].maximum_bits || s[-1].minimum_bits != s->minimum_bits ||
               s->minimum_bits != s[1].maximum_bits || s[1].minimum_bits != s->minimum_bits;
}

static uint64_t at_usec(const TraceBuffer *trace, size_t i) {
        return trace->started_usec + trace->map->samples[i].at_ticks * RECORDING_TICK_USEC;
}

static uint64_t minimum_bits(const TraceBuffer *trace, size_t i) {
        return trace->map->samples[i].minimum_bits;
}

static uint64_t maximum_bits(const TraceBuffer *trace, size_t i) {
        return trace->map->samples[i].maximum_bits;
}

static void put_sample_column(
        FILE *out,
        const TraceBuffer *trace,
        const char *name,
        uint64_t (*value_of)(const TraceBuffer *trace, size_t i)) {
        size_t written = 0;

        (void)fprintf(out, ",\n    \"%s\": [", name);
        for (size_t i = 0; i < trace->n_samples; i++) {
                if (!is_needed(trace, i))
                        continue;
                put_separator(out, written++);
                (void)fprintf(out, "%" PRIu64, value_of(trace, i));
        }
        (void)fputc(']', out);
}

static void put_samples(FILE *out, const TraceBuffer *trace) {
        (void)fprintf(
                out,
                "  \"samples\": {\n    \"interval_usec\": %" PRIu64 ",\n    \"taken\": %zu,\n"
                "    \"thinnings\": %u",
                trace->interval_usec,
                trace->n_samples,
                trace->thinnings);
        put_sample_column(out, trace, "at_usec", at_usec);
        put_sample_column(out, trace, "minimum_bits", minimum_bits);
        put_sample_column(out, trace, "maximum_bits", maximum_bits);
        (void)fputs("\n  },\n", out);
}

static void put_starts(FILE *out, const Sampler *sampler) {
        const TraceBuffer *trace = &sampler->trace;
        const char *source = sampler->events.starts_fd >= 0 ? STARTS_SOURCE_CONNECTOR
                             : sampler->events.stat_fd >= 0 ? STARTS_SOURCE_STAT
                                                            : STARTS_SOURCE_NONE;

        (void)fprintf(
                out,
                "  \"starts\": {\n    \"from_usec\": %" PRIu64 ",\n    \"interval_usec\": %" PRIu64
                ",\n    \"source\": \"%s\",\n    \"execs\": [",
                trace->started_usec,
                trace->bin_usec,
                source);
        for (size_t i = 0; i < trace->n_bins; i++) {
                put_separator(out, i);
                (void)fprintf(out, "%u", trace->map->bins[i].execs);
        }
        (void)fputs("],\n    \"forks\": [", out);
        for (size_t i = 0; i < trace->n_bins; i++) {
                put_separator(out, i);
                (void)fprintf(out, "%u", trace->map->bins[i].forks);
        }
        (void)fputs("]\n  },\n", out);
}

static void put_blocked(FILE *out, const TraceBuffer *trace) {
        (void)fputs("  \"blocked\": [", out);
        for (size_t i = 0; i < trace->n_spans; i++) {
                const BlockedSpan *span = &trace->map->spans[i];

                (void)fprintf(
                        out,
                        "%s\n    { \"pid\": %d, \"tid\": %d, \"from_usec\": %" PRIu64
                        ", \"to_usec\": %" PRIu64 ", \"jitter\": %s, \"open\": %s, \"name\": ",
                        i > 0 ? "," : "",
                        (int)span->pid,
                        (int)span->tid,
                        span->from_usec,
                        span->to_usec,
                        boolean(span->jitter),
                        boolean(span->open));
                put_string(out, span->name);
                (void)fputs(" }", out);
        }
        (void)fputs(trace->n_spans > 0 ? "\n  ],\n" : "],\n", out);
}

static void put_events(FILE *out, const TraceBuffer *trace) {
        (void)fputs("  \"events\": [", out);
        for (size_t i = 0; i < trace->n_events; i++) {
                const Event *event = &trace->map->events[i];

                (void)fprintf(
                        out,
                        "%s\n    { \"at_usec\": %" PRIu64 ", \"kind\": \"%s\", \"text\": ",
                        i > 0 ? "," : "",
                        event->at_usec,
                        event_kind_to_string(event->kind));
                put_string(out, event->text);
                (void)fputs(" }", out);
        }
        (void)fputs("\n  ],\n", out);
}

static void put_reports(FILE *out, const char *directory) {
        const char *separator = "\n";

        (void)fputs("  \"reports\": {", out);
        for (DocumentId id = 0; id < _DOCUMENT_MAX; id++) {
                _cleanup_json_ Json *document = NULL, *shown = NULL;
                char name[DOCUMENT_NAME_MAX];

                if (document_read(directory, id, &document) < 0)
                        continue;
                shown = document_public(document);
                if (!shown)
                        continue;
                document_name(id, name);
                (void)fprintf(
                        out,
                        "%s    \"%s\": %s",
                        separator,
                        name,
                        json_object_to_json_string_ext(shown, JSON_C_TO_STRING_PLAIN));
                separator = ",\n";
        }
        (void)fputs("\n  },\n", out);
}

static uint64_t cpu_usec(const struct rusage *usage) {
        return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
               (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static void put_monitor(FILE *out, const Sampler *sampler) {
        const struct rusage *before = &sampler->usage_at_start, *after = &sampler->usage;

        (void)fprintf(
                out,
                "  \"monitor\": {\n    \"cpu_usec\": %" PRIu64
                ",\n    \"page_faults\": %ld,\n    \"wakes\": %" PRIu64
                ",\n    \"late_samples\": %" PRIu64
                ",\n    \"memory_bytes\": %zu,\n    \"locked\": %s,\n",
                cpu_usec(after) - cpu_usec(before),
                after->ru_minflt + after->ru_majflt - before->ru_minflt - before->ru_majflt,
                sampler->wakes,
                sampler->late_samples,
                sampler->trace.map_bytes,
                boolean(sampler->trace.locked));
        (void)fprintf(
                out,
                "    \"log\": \"%s\",\n    \"log_offset_usec\": %" PRId64
                ",\n    \"lost\": { \"events\": %" PRIu64 ", \"blocked\": %" PRIu64
                ", \"starts\": %" PRIu64 " }\n  }\n}\n",
                log_seen_to_string(sampler->trace.log_seen),
                sampler->events.log_offset_usec,
                sampler->trace.lost_events,
                sampler->trace.lost_spans,
                sampler->events.lost_starts);
}

/*
 * By hand and not by json-c, which the rest of the program writes with: a trace buffer holds up to a
 * million numbers, and json-c takes 60 bytes for each, which a guest that boots may not have.
 */
static int put_all(const Job *job, int fd) {
        FILE *out = fdopen(fd, "w");
        int r;

        if (!out) {
                r = negative_errno();
                (void)close(fd);
                return r;
        }
        put_head(out, job);
        put_rng(out, job->sampler);
        put_samples(out, &job->sampler->trace);
        put_starts(out, job->sampler);
        put_blocked(out, &job->sampler->trace);
        put_events(out, &job->sampler->trace);
        put_reports(out, job->documents_directory);
        put_monitor(out, job->sampler);
        r = fflush(out) != 0 ? negative_errno() : ferror(out) ? -EIO : 0;
        if (r == 0 && fsync(fd) < 0 && errno != EINVAL)
                r = negative_errno();
        if (fclose(out) != 0 && r == 0)
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

/* Who is killed meanwhile leaves nothing. -EOPNOTSUPP where such a file cannot be had. */
static int write_nameless(const Job *job, int dirfd, const char *path) {
        _cleanup_close_ int fd = open_nameless(dirfd, path);
        char link[32];
        int copy, r;

        copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return -EOPNOTSUPP;
        r = put_all(job, copy);
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

        return fd < 0 ? negative_errno() : put_all(job, fd);
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
