/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/documents.h"
#include "monitor/options.h"
#include "monitor/show/verdict.h"
#include "monitor/status/seeded.h"
#include "monitor/status/status-facts.h"
#include "monitor/status/status.h"

typedef struct Answer {
        Seeded seeded;
        uint64_t since_usec;
        char by[SEEDED_TEXT_MAX];
} Answer;

static void print_text(const SeededFacts *facts, const Answer *answer) {
        static const char *const sentences[] = {
                [SEEDED_YES] = "Safely seeded, by",
                [SEEDED_JITTER] = "Ready, but seeded by",
                [SEEDED_NOT_READY] = "NOT READY: getrandom() waits. Credited so far:",
                [SEEDED_UNKNOWN] = "Cannot tell by what it was seeded:",
        };

        (void)printf(
                "%s %s%s%s\n",
                sentences[answer->seeded],
                answer->by,
                answer->since_usec > 0 ? ", ready at " : "",
                answer->since_usec > 0 ? FORMAT_USEC(answer->since_usec) : "");
        (void)printf(
                "kernel    %s, level %u of %u bits, threshold %u\n",
                refill_model_to_string(facts->model),
                facts->level_bits,
                facts->pool_bits,
                facts->threshold_bits);
        (void)printf(
                "hwrng     %s%s\n",
                facts->hwrng[0] ? facts->hwrng : "none",
                facts->hwrng[0] && facts->hwrng_credited ? ", credited by the kernel" : "");
        (void)printf(
                "seeder    %" PRIu64 " bits credited%s%s\n",
                facts->seeder_bits,
                facts->seeder_source[0] ? ", most by " : "",
                facts->seeder_source);
        if (facts->rngd_answers)
                (void)printf(
                        "rngd      %" PRIu64 " bits credited%s%s, %" PRIu64 " VM forks\n",
                        facts->rngd_bits,
                        facts->rngd_source[0] ? ", most by " : "",
                        facts->rngd_source,
                        facts->forks);
        else
                (void)puts("rngd      does not run, or does not answer");
}

/* null where it is not known */
static void put_known(Json *object, const char *key, bool known, uint64_t value) {
        json_put(object, key, known ? json_object_new_uint64(value) : NULL);
}

static Json *kernel_object(const SeededFacts *facts) {
        Json *kernel = json_new();

        json_put_string(kernel, "model", refill_model_to_string(facts->model));
        json_put_number(kernel, "pool_bits", facts->pool_bits);
        put_known(kernel, "level_bits", facts->level_known, facts->level_bits);
        json_put_number(kernel, "threshold_bits", facts->threshold_bits);
        json_put_string(kernel, "hwrng", facts->hwrng[0] ? facts->hwrng : NULL);
        json_put_bool(kernel, "hwrng_credited", facts->hwrng_credited);
        return kernel;
}

static bool print_json(const SeededFacts *facts, const Answer *answer) {
        _cleanup_json_ Json *object = json_new();
        _cleanup_free_ char *text = NULL;

        json_put_string(object, "status", seeded_to_string(answer->seeded));
        json_put_number(object, "code", answer->seeded);
        json_put(
                object,
                "ready",
                facts->ready_known ? json_object_new_boolean(facts->ready) : NULL);
        json_put_string(object, "by", answer->by);
        put_known(object, "since_usec", answer->since_usec > 0, answer->since_usec);
        json_put(object, "kernel", kernel_object(facts));
        json_put_number(object, "seeder_credited_bits", facts->seeder_bits);
        json_put_bool(object, "rngd_running", facts->rngd_answers);
        json_put_number(object, "rngd_credited_bits", facts->rngd_bits);
        put_known(object, "last_feed_usec", facts->last_feed_usec > 0, facts->last_feed_usec);
        json_put_number(object, "vm_forks", facts->forks);
        return json_to_text(object, &text) >= 0 && fputs(text, stdout) >= 0;
}

static void metric(const char *name, const char *type, const char *help, double value) {
        (void)printf(
                "# HELP guest_entropy_%s %s\n# TYPE guest_entropy_%s %s\n"
                "guest_entropy_%s %.15g\n",
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
               answer->seeded);
        if (facts->ready_known)
                metric("ready", "gauge", "Whether getrandom() returns at once.", facts->ready);
        if (facts->level_known)
                metric("level_bits", "gauge", "entropy_avail.", facts->level_bits);
        metric("pool_bits", "gauge", "Size of the kernel's pool.", facts->pool_bits);
        metric("hwrng_present", "gauge", "Whether the kernel has an hwrng.", facts->hwrng[0] != 0);
        metric("rngd_up", "gauge", "Whether rngd answers.", facts->rngd_answers);
        metric("rngd_credited_bits_total",
               "counter",
               "Bits that rngd credited.",
               (double)facts->rngd_bits);
        metric("seeder_credited_bits",
               "gauge",
               "Bits that entropy-seeder credited in this boot.",
               (double)facts->seeder_bits);
        metric("vm_forks_total", "counter", "VM forks that rngd saw.", (double)facts->forks);
        if (answer->since_usec > 0)
                metric("ready_seconds",
                       "gauge",
                       "Time from boot to ready.",
                       (double)answer->since_usec / 1e6);
}

typedef enum Format {
        FORMAT_TEXT,
        FORMAT_JSON,
        FORMAT_PROMETHEUS,
} Format;

typedef struct StatusOptions {
        Format format;
} StatusOptions;

#define FORMAT(_format) SETTING_AT(CHOICE, StatusOptions, format), .value = (_format)

static const Setting rows[] = {
        { "--json", "one JSON document", FORMAT(FORMAT_JSON) },
        { "--prometheus", "metrics for node_exporter", FORMAT(FORMAT_PROMETHEUS) },
        OPTIONS_HELP,
};

int status_main(int argc, char *argv[]) {
        const ConfigOptions table = { rows, ELEMENTSOF(rows) };
        const char *directory = getenv("RUNTIME_DIRECTORY");
        StatusOptions options = {};
        SeededFacts facts;
        Answer answer;
        int r;

        if (!options_read(&table, "status [--json|--prometheus]", argc, argv, &options, &r))
                return r;
        status_facts(directory && directory[0] == '/' ? directory : DOCUMENTS_DIRECTORY, &facts);
        answer.seeded = seeded_judge(&facts, answer.by, &answer.since_usec);
        if (options.format == FORMAT_JSON && !print_json(&facts, &answer))
                return EX_IOERR;
        if (options.format == FORMAT_TEXT)
                print_text(&facts, &answer);
        else if (options.format == FORMAT_PROMETHEUS)
                print_prometheus(&facts, &answer);
        return fflush(stdout) == 0 ? (int)answer.seeded : EX_IOERR;
}
