/* SPDX-License-Identifier: MIT */
/* Any bytes as a recording. What is accepted is looked at as report, check and plot do: numbers stay
 * within the recording, pictures have no text that could be a tag. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "monitor/show/plot-document.h"
#include "monitor/show/rules.h"
#include "monitor/show/verdict.h"

static void check(bool right) {
        if (!right)
                abort();
}

static void check_analysis(const Recording *recording) {
        const Rules rules = { true, true, true, true, 1, 1, 1 };
        RuleResult results[RULES_MAX];
        char verdict[VERDICT_MAX];
        Analysis analysis;

        analysis_make(recording, &analysis);
        check(analysis.idle.fill_bits >= 0 && analysis.loaded.drain_bits >= 0);
        check(analysis.n_credits <= ANALYSIS_MAX_CREDITS);
        check(rules_apply(&rules, recording, &analysis, results) == RULES_MAX);
        (void)verdict_of(recording, &analysis, verdict);
        check(strlen(verdict) > 0);
}

static void check_picture(const Recording *recording, bool html) {
        char *text = NULL;
        size_t length = 0, n_ends = 0;
        FILE *stream = open_memstream(&text, &length);

        check(stream != NULL);
        check((html ? plot_html(recording, 1, PLOT_THEME_AUTO, stream)
                    : plot_svg(recording, 1, PLOT_THEME_AUTO, stream)) == 0);
        check(fclose(stream) == 0);
        for (const char *p = strstr(text, "</script"); p; p = strstr(p + 1, "</script"))
                n_ends++;
        check(n_ends == (html ? 1 : 0));
        check(html || !strstr(text, "\"nan"));
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_recording_ Recording recording = {};
        char error[RECORDING_ERROR_MAX] = "";

        json_avoid_random();
        if (recording_parse((const char *)data, size, &recording, error) < 0) {
                check(strlen(error) > 0);
                return 0;
        }
        check_analysis(&recording);
        check_picture(&recording, false);
        check_picture(&recording, true);
        return 0;
}
