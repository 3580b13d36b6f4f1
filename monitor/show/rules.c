/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "monitor/show/rules.h"
#include "monitor/show/verdict.h"

static void check_ready(const Rules *rules, const Analysis *analysis, RuleResult *result) {
        char at[FORMAT_USEC_MAX], limit[FORMAT_USEC_MAX];

        *result = (RuleResult){ .name = "max-ready" };
        format_usec(rules->max_ready_usec, limit);
        format_usec(analysis->ready_usec, at);
        result->passed = analysis->ready && analysis->ready_time_known &&
                         analysis->ready_usec <= rules->max_ready_usec;
        if (!analysis->ready)
                (void)snprintf(
                        result->message,
                        sizeof(result->message),
                        "not ready within the recording; the limit is %s",
                        limit);
        else if (!analysis->ready_time_known)
                (void)snprintf(
                        result->message,
                        sizeof(result->message),
                        "ready before the recording began, at a time it does not know");
        else
                (void)snprintf(
                        result->message,
                        sizeof(result->message),
                        "ready at %s; the limit is %s",
                        at,
                        limit);
}

static void check_blocked(
        const Rules *rules,
        const Recording *recording,
        const Analysis *analysis,
        RuleResult *result) {
        char longest[FORMAT_USEC_MAX], limit[FORMAT_USEC_MAX];
        const BlockedSpan *wait = analysis_longest_wait(recording);

        *result = (RuleResult){ .name = "max-blocked" };
        format_usec(analysis->longest_blocked_usec, longest);
        format_usec(rules->max_blocked_usec, limit);
        result->passed = analysis->longest_blocked_usec <= rules->max_blocked_usec;
        (void)snprintf(
                result->message,
                sizeof(result->message),
                "%s waited %s; the limit is %s",
                wait ? wait->name : "nobody",
                longest,
                limit);
}

static void check_level(const Rules *rules, const Analysis *analysis, RuleResult *result) {
        *result = (RuleResult){ .name = "min-level" };
        result->passed = analysis->any_lowest && analysis->ready &&
                         analysis->lowest_bits >= rules->min_level_bits;
        if (!analysis->any_lowest)
                (void)snprintf(
                        result->message,
                        sizeof(result->message),
                        "the recording has no level");
        else
                (void)snprintf(
                        result->message,
                        sizeof(result->message),
                        "%u bits%s; the limit is %u",
                        analysis->lowest_bits,
                        analysis->ready ? " once ready" : " and never ready",
                        rules->min_level_bits);
}

/* That the log has no such line says something only where all of it was seen. */
static void check_reads(const Recording *recording, const Analysis *analysis, RuleResult *result) {
        static const char *const doubts[] = {
                [LOG_SEEN_NONE] = ", but the kernel's log was not read",
                [LOG_SEEN_CUT] = ", but lines are missing in the kernel's log",
                [LOG_SEEN_WHOLE] = "",
        };

        *result = (RuleResult){ .name = "no-uninitialized-reads" };
        result->passed = analysis->n_uninitialized_reads == 0 &&
                         recording->log_seen == LOG_SEEN_WHOLE && recording->lost == 0;
        (void)snprintf(
                result->message,
                sizeof(result->message),
                "%zu reads of /dev/urandom before ready%s%s",
                analysis->n_uninitialized_reads,
                doubts[recording->log_seen],
                recording->lost > 0 ? "; the recording lost some events" : "");
}

size_t rules_apply(
        const Rules *rules,
        const Recording *recording,
        const Analysis *analysis,
        RuleResult ret_results[static RULES_MAX]) {
        size_t n = 0;

        if (rules->any_max_ready)
                check_ready(rules, analysis, &ret_results[n++]);
        if (rules->any_max_blocked)
                check_blocked(rules, recording, analysis, &ret_results[n++]);
        if (rules->any_min_level)
                check_level(rules, analysis, &ret_results[n++]);
        if (rules->no_uninitialized_reads)
                check_reads(recording, analysis, &ret_results[n++]);
        return n;
}
