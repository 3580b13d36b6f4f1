/* SPDX-License-Identifier: MIT */
#pragma once

/* The limits of check and their results. Pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/setting.h"
#include "monitor/show/analysis.h"

#define RULES_MAX         4U
#define RULES_MESSAGE_MAX 192U

typedef struct Rules {
        Origin max_ready_origin, max_blocked_origin, min_level_origin; /* of those that are given */
        bool no_uninitialized_reads;
        uint64_t max_ready_usec;   /* since the kernel started */
        uint64_t max_blocked_usec; /* of one process */
        uint32_t min_level_bits;   /* from ready on */
} Rules;

typedef struct RuleResult {
        const char *name; /* the option without its dashes */
        bool passed;
        char message[RULES_MESSAGE_MAX];
} RuleResult;

/* One result for each rule that is set. What the recording does not show fails. */
size_t rules_apply(
        const Rules *rules,
        const Recording *recording,
        const Analysis *analysis,
        RuleResult ret_results[static RULES_MAX]);
