/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/documents.h"
#include "monitor/show/verdict.h"
#include "monitor/status/seeded.h"
#include "monitor/status/status-facts.h"
#include "monitor/status/status.h"

typedef struct Answer {
        Seeded seeded;
        uint64_t since_usec;
        char by[SEEDED_TEXT_MAX];
} Answer;

static void line(const char *label, const char *text) {
        (void)printf("%-10s%s\n", label, text);
}

static void print_text(const SeededFacts *facts, const Answer *answer) {
        static const char *const sentences[] = {
                [SEEDED_YES] = "Safely seeded, by",
                [SEEDED_JITTER] = "Ready, but seeded by",
                [SEEDED_NOT_READY] = "NOT READY: getrandom() waits. Credited so far:",
                [SEEDED_UNKNOWN] = "Cannot tell by what it was seeded:",
        };
        char text[256], at[FORMAT_USEC_MAX];

        format_usec(answer->since_usec, at);
        (void)printf(
                "%s %s%s%s\n",
                sentences[answer->seeded],
                answer->by,
                answer->since_usec > 0 ? ", ready at " : "",
                answer->since_usec > 0 ? at : "");
        (void)snprintf(
                text,
                sizeof(text),
                "%s, level %u of %u bits, threshold %u",
                refill_model_to_string(facts->model),
                facts->level_bits,
                facts->pool_bits,
                facts->threshold_bits);
        line("kernel", text);
        (void)snprintf(
                text,
                sizeof(text),
                "%.100s%s",
                facts->hwrng[0] ? facts->hwrng : "none",
                facts->hwrng[0] && facts->hwrng_credited ? ", credited by the kernel" : "");
        line("hwrng", text);
        (void)snprintf(
                text,
                sizeof(text),
                "%" PRIu64 " bits credited%s%.100s",
                facts->seeder_bits,
                facts->seeder_source[0] ? ", most by " : "",
                facts->seeder_source);
        line("seeder", text);
        (void)snprintf(
                text,
                sizeof(text),
                "%" PRIu64 " bits credited%s%.100s, %" PRIu64 " VM forks",
                facts->rngd_bits,
                facts->rngd_source[0] ? ", most by " : "",
                facts->rngd_source,
                facts->forks);
        line("rngd", facts->rngd_answers ? text : "does not run, or does not answer");
}

static void add(Json *object, const char *key, Json *value) {
        if (json_object_object_add(object, key, value) < 0)
                (void)json_object_put(value);
}

static Json *number_or_null(bool known, uint64_t value) {
        return known ? json_object_new_uint64(value) : NULL;
}

static Json *kernel_object(const SeededFacts *facts) {
        Json *kernel = json_object_new_object();

        add(kernel, "model", json_object_new_string(refill_model_to_string(facts->model)));
        add(kernel, "pool_bits", json_object_new_uint64(facts->pool_bits));
        add(kernel, "level_bits", number_or_null(facts->level_known, facts->level_bits));
        add(kernel, "threshold_bits", json_object_new_uint64(facts->threshold_bits));
        add(kernel, "hwrng", facts->hwrng[0] ? json_object_new_string(facts->hwrng) : NULL);
        add(kernel, "hwrng_credited", json_object_new_boolean(facts->hwrng_credited));
        return kernel;
}

static void print_json(const SeededFacts *facts, const Answer *answer) {
        _cleanup_json_ Json *object = json_object_new_object();

        add(object, "status", json_object_new_string(seeded_to_string(answer->seeded)));
        add(object, "code", json_object_new_int((int)answer->seeded));
        add(object, "ready", facts->ready_known ? json_object_new_boolean(facts->ready) : NULL);
        add(object, "by", json_object_new_string(answer->by));
        add(object, "since_usec", number_or_null(answer->since_usec > 0, answer->since_usec));
        add(object, "kernel", kernel_object(facts));
        add(object, "seeder_credited_bits", json_object_new_uint64(facts->seeder_bits));
        add(object, "rngd_running", json_object_new_boolean(facts->rngd_answers));
        add(object, "rngd_credited_bits", json_object_new_uint64(facts->rngd_bits));
        add(object,
            "last_feed_usec",
            number_or_null(facts->last_feed_usec > 0, facts->last_feed_usec));
        add(object, "vm_forks", json_object_new_uint64(facts->forks));
        (void)puts(json_object_to_json_string_ext(
                object,
                JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                        JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void metric(const char *name, const char *type, const char *help, uint64_t value) {
        (void)printf(
                "# HELP guest_entropy_%s %s\n# TYPE guest_entropy_%s %s\n"
                "guest_entropy_%s %" PRIu64 "\n",
                name,
                help,
                name,
                type,
                name,
                value);
}

/* For node_exporter's textfile collector. */
static void print_prometheus(const SeededFacts *facts, const Answer *answer) {
        metric("status",
               "gauge",
               "0 seeded by a credited source, 1 by the kernel's jitter only, 2 not ready, "
               "3 unknown.",
               (uint64_t)answer->seeded);
        if (facts->ready_known)
                metric("ready", "gauge", "Whether getrandom() returns at once.", facts->ready);
        if (facts->level_known)
                metric("level_bits", "gauge", "entropy_avail.", facts->level_bits);
        metric("pool_bits", "gauge", "Size of the kernel's pool.", facts->pool_bits);
        metric("hwrng_present", "gauge", "Whether the kernel has an hwrng.", facts->hwrng[0] != 0);
        metric("rngd_up", "gauge", "Whether rngd answers.", facts->rngd_answers);
        metric("rngd_credited_bits_total", "counter", "Bits that rngd credited.", facts->rngd_bits);
        metric("seeder_credited_bits",
               "gauge",
               "Bits that entropy-seeder credited in this boot.",
               facts->seeder_bits);
        metric("vm_forks_total", "counter", "VM forks that rngd saw.", facts->forks);
        if (answer->since_usec > 0)
                (void)printf(
                        "# HELP guest_entropy_ready_seconds Time from boot to ready.\n"
                        "# TYPE guest_entropy_ready_seconds gauge\n"
                        "guest_entropy_ready_seconds %.6f\n",
                        (double)answer->since_usec / 1e6);
}

int status_main(int argc, char *argv[]) {
        static const struct option long_options[] = {
                { "json", no_argument, NULL, 'j' },
                { "prometheus", no_argument, NULL, 'p' },
                {},
        };
        const char *directory = getenv("RUNTIME_DIRECTORY");
        int letter, format = 't';
        SeededFacts facts;
        Answer answer;

        while ((letter = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
                if (letter == '?')
                        return EX_USAGE;
                format = letter;
        }
        if (optind < argc) {
                log_error("status takes no argument but options, see entropy-monitor(8)");
                return EX_USAGE;
        }
        status_facts(directory && directory[0] == '/' ? directory : DOCUMENTS_DIRECTORY, &facts);
        answer.seeded = seeded_judge(&facts, answer.by, &answer.since_usec);
        if (format == 'j')
                print_json(&facts, &answer);
        else if (format == 'p')
                print_prometheus(&facts, &answer);
        else
                print_text(&facts, &answer);
        return fflush(stdout) == 0 ? (int)answer.seeded : EX_IOERR;
}
