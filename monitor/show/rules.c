/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "monitor/show/rules.h"
#include "monitor/show/verdict.h"

static RuleResult result(const char *name, bool passed, const char *format, ...) _printf_(3, 4);

static RuleResult result(const char *name, bool passed, const char *format, ...) {
        RuleResult made = { .name = name, .passed = passed };
        va_list args;

        va_start(args, format);
        // NOLINTNEXTLINE(clang-analyzer-valist.*)
        (void)vsnprintf(made.message, sizeof(made.message), format, args);
        va_end(args);
        return made;
}

static RuleResult check_ready(uint64_t limit_usec, const Analysis *analysis) {
        const char *name = "max-ready", *limit = FORMAT_USEC(limit_usec);

        if (!analysis->ready)
                return result(
                        name,
                        false,
                        "not ready within the recording; the limit is %s",
                        limit);
        if (!analysis->ready_time_known)
                return result(
                        name,
                        false,
                        "ready before the recording began, at a time it does not know");
        return result(
                name,
                analysis->ready_usec <= limit_usec,
                "ready at %s; the limit is %s",
                FORMAT_USEC(analysis->ready_usec),
                limit);
}

static RuleResult check_blocked(
        uint64_t limit_usec,
        const Recording *recording,
        const Analysis *analysis) {
        const BlockedSpan *wait = analysis_longest_wait(recording);

        return result(
                "max-blocked",
                analysis->longest_blocked_usec <= limit_usec,
                "%s waited %s; the limit is %s",
                wait ? wait->name : "nobody",
                FORMAT_USEC(analysis->longest_blocked_usec),
                FORMAT_USEC(limit_usec));
}

static RuleResult check_level(uint32_t limit_bits, const Analysis *analysis) {
        if (!analysis->any_lowest)
                return result("min-level", false, "the recording has no level");
        return result(
                "min-level",
                analysis->ready && analysis->lowest_bits >= limit_bits,
                "%u bits%s; the limit is %u",
                analysis->lowest_bits,
                analysis->ready ? " once ready" : " and never ready",
                limit_bits);
}

/* The absence of such lines proves nothing unless the whole log was read. */
static RuleResult check_reads(const Recording *recording, const Analysis *analysis) {
        static const char *const doubts[] = {
                [LOG_SEEN_NONE] = ", but the kernel's log was not read",
                [LOG_SEEN_CUT] = ", but lines are missing in the kernel's log",
                [LOG_SEEN_WHOLE] = "",
        };

        return result(
                "no-uninitialized-reads",
                analysis->n_uninitialized_reads == 0 && recording->log_seen == LOG_SEEN_WHOLE &&
                        recording->lost == 0,
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

        if (rules->max_ready_origin)
                ret_results[n++] = check_ready(rules->max_ready_usec, analysis);
        if (rules->max_blocked_origin)
                ret_results[n++] = check_blocked(rules->max_blocked_usec, recording, analysis);
        if (rules->min_level_origin)
                ret_results[n++] = check_level(rules->min_level_bits, analysis);
        if (rules->no_uninitialized_reads)
                ret_results[n++] = check_reads(recording, analysis);
        return n;
}
