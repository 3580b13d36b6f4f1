/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/json.h"
#include "seeder/state/run-report.h"

static RunReportLine *find_line(RunReport *run_report, const char *name) {
        for (size_t i = 0; i < run_report->n_lines; i++)
                if (strcmp(run_report->lines[i].name, name) == 0)
                        return &run_report->lines[i];
        if (run_report->n_lines == RUN_REPORT_LINES_MAX)
                return NULL;
        run_report->lines[run_report->n_lines] = (RunReportLine){};
        (void)snprintf(
                run_report->lines[run_report->n_lines].name,
                sizeof(run_report->lines->name),
                "%s",
                name);
        return &run_report->lines[run_report->n_lines++];
}

void run_report_add(RunReport *run_report, const RunReportLine *line) {
        RunReportLine *target = find_line(run_report, line->name);

        if (!target)
                return;
        target->n_bytes += line->n_bytes;
        target->credited_bits += line->credited_bits;
        if (line->at_usec > 0)
                target->at_usec = line->at_usec;
        if (line->note[0])
                (void)snprintf(target->note, sizeof(target->note), "%s", line->note);
}

/* ---- the line for the kernel's log ---- */

static void append(char *text, size_t size, const char *format, ...) _printf_(3, 4);

static void append(char *text, size_t size, const char *format, ...) {
        size_t length = strlen(text);
        va_list args;

        va_start(args, format);
        /* clang 14 does not see va_start(). NOLINTNEXTLINE(clang-analyzer-valist.*) */
        (void)vsnprintf(text + length, size - length, format, args);
        va_end(args);
}

static double seconds(uint64_t usec) {
        return (double)usec / 1e6;
}

static void append_line(const RunReportLine *line, char *text, size_t size) {
        append(text, size, "; %s", line->name);
        if (line->n_bytes > 0)
                append(text, size, " %zu B", line->n_bytes);
        if (line->credited_bits > 0)
                append(text, size, " +%u bits", line->credited_bits);
        else if (line->n_bytes > 0)
                append(text, size, " mixed");
        if (line->at_usec > 0)
                append(text, size, " at %.3f s", seconds(line->at_usec));
        if (line->note[0])
                append(text, size, "%s %s", line->n_bytes > 0 ? "," : ":", line->note);
}

void run_report_summary(const RunReport *run_report, char *text, size_t size) {
        text[0] = '\0';
        if (run_report->dry_run)
                append(text, size, "dry run: ");
        if (run_report->ready_usec > 0)
                append(text, size, "kernel RNG ready at %.3f s", seconds(run_report->ready_usec));
        else
                append(text, size, "kernel RNG %s", run_report->ready ? "was ready" : "not ready");
        for (size_t i = 0; i < run_report->n_lines; i++)
                append_line(&run_report->lines[i], text, size);
        if (run_report->n_lines == 0)
                append(text, size, "; no source");
}

/* ---- JSON ---- */

static Json *line_to_json(const RunReportLine *line) {
        Json *object = json_new();

        json_put_string(object, "name", line->name);
        json_put_number(object, "bytes", line->n_bytes);
        json_put_number(object, "credited_bits", line->credited_bits);
        json_put_number(object, "at_usec", line->at_usec);
        json_put_string(object, "note", line->note[0] ? line->note : NULL);
        return object;
}

static Json *seeds_to_json(const RunReport *run_report) {
        char hex[2 * SEEN_DIGEST_BYTES + 1];
        Json *list = json_object_new_array();

        for (size_t i = 0; i < run_report->seeds.n; i++) {
                hex_encode(run_report->seeds.digests[i], SEEN_DIGEST_BYTES, hex);
                (void)json_object_array_add(list, json_object_new_string(hex));
        }
        return list;
}

static Json *document(const RunReport *run_report) {
        char hex[2 * sizeof(run_report->seeds.salt) + 1];
        Json *object = json_new(), *lines = json_object_new_array();

        json_put_string(object, "version", PACKAGE_VERSION);
        json_put_string(object, "phase", phase_to_string(run_report->phase));
        json_put_string(object, "model", refill_model_to_string(run_report->model));
        json_put_bool(object, "ready", run_report->ready);
        json_put_number(object, "started_usec", run_report->started_usec);
        json_put_number(object, "ready_usec", run_report->ready_usec);
        json_put_number(object, "ended_usec", run_report->ended_usec);
        json_put_string(object, "ended_why", run_report->ended_why);
        for (size_t i = 0; i < run_report->n_lines; i++)
                (void)json_object_array_add(lines, line_to_json(&run_report->lines[i]));
        json_put(object, "sources", lines);

        hex_encode(run_report->seeds.salt, sizeof(run_report->seeds.salt), hex);
        json_put_string(object, "salt", hex);
        json_put(object, "credited_seeds", seeds_to_json(run_report));
        return object;
}

int run_report_to_json(const RunReport *run_report, char **ret_text) {
        _cleanup_json_ Json *object = document(run_report);

        return json_to_text(object, ret_text);
}

static int take_seeds(Json *object, RunReportSeeds *seeds) {
        const char *salt = json_string(object, "salt");
        Json *list;
        size_t n = json_array(object, "credited_seeds", &list);

        if (!list || !salt || !hex_decode(salt, seeds->salt, sizeof(seeds->salt)))
                return -EBADMSG;

        seeds->n = MIN(n, (size_t)RUN_REPORT_LINES_MAX);
        for (size_t i = 0; i < seeds->n; i++) {
                Json *digest = json_object_array_get_idx(list, i);

                if (!json_object_is_type(digest, json_type_string) ||
                    !hex_decode(
                            json_object_get_string(digest),
                            seeds->digests[i],
                            SEEN_DIGEST_BYTES))
                        return -EBADMSG;
        }
        return 0;
}

int run_report_seeds_from_json(const char *text, RunReportSeeds *ret_seeds) {
        _cleanup_json_ Json *object = NULL;
        RunReportSeeds seeds = {};
        int r;

        r = json_parse(text, strlen(text), &object);
        if (r < 0)
                return r;
        r = take_seeds(object, &seeds);
        if (r >= 0)
                *ret_seeds = seeds;
        return r;
}
