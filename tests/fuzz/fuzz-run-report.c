/* SPDX-License-Identifier: MIT */
/* Any text as a run report that an earlier run left in /run. What is taken over is written again, and
 * means the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/state/run-report.h"

static void check(bool right) {
        if (!right)
                abort();
}

static bool is_equal(const RunReportSeeds *a, const RunReportSeeds *b) {
        return a->n == b->n && memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
               memcmp(a->digests, b->digests, a->n * sizeof(a->digests[0])) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = malloc(size + 1), *again = NULL;
        _cleanup_free_ RunReport *run_report = calloc(1, sizeof(*run_report));
        RunReportSeeds seeds = {};
        int r;

        check(text && run_report);
        memcpy(text, data, size);
        text[size] = '\0';

        r = run_report_seeds_from_json(text, &run_report->seeds);
        if (r < 0) {
                check(r == -EBADMSG && run_report->seeds.n == 0);
                return 0;
        }
        check(run_report->seeds.n <= RUN_REPORT_LINES_MAX);
        check(run_report_to_json(run_report, &again) == 0);
        check(run_report_seeds_from_json(again, &seeds) == 0);
        check(is_equal(&run_report->seeds, &seeds));
        return 0;
}
