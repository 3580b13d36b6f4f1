/* SPDX-License-Identifier: MIT */
#pragma once

/* The JSON document of rngd.sock; its fields are documented in rngd(8). */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/feed/counters.h"
#include "lib/feed/reader.h"
#include "lib/kernel/random.h"
#include "rngd/request.h"

/* What there is to say. What it points to is not owned. */
typedef struct StatusFacts {
        const KernelRandom *random; /* for its level: read only for a document */
        RandomModel model;
        bool ready;
        uint32_t pool_bits;
        uint32_t threshold_bits;   /* 0: left alone */
        uint64_t ready_since_usec; /* by the kernel's log; 0: not known */
        uint64_t started_usec;
        uint64_t vmforks, generation;
        bool has_source;
        bool waiting; /* a source owes an answer */
        const Reader *readers;
        const Counters *counters;
        const uint64_t *triggers; /* how often each came */
} StatusFacts;

/* line: the status in one line. A string of the caller's, to be freed. */
_must_check_ int status_document(const StatusFacts *facts, const char *line, char **ret_text);
