/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes over the socket between a worker and its parent: both ends are one program. */

#include <stdint.h>

#include "lib/sources/source.h"

typedef struct WorkerRequest {
        uint32_t sequence;
        uint32_t n_bytes;
        uint32_t min_bytes; /* fewer are kept for the next request, where more may still come */
        uint32_t drain;     /* 1: first drop what waits to be read, and what was kept */
} WorkerRequest;

/* Followed by length bytes. */
typedef struct WorkerAnswer {
        uint32_t sequence;
        int32_t error; /* 0 or a negative errno; with an error length is 0 */
        uint32_t length;
        uint32_t missing;             /* namespaces that its sandbox is without (sandbox.h) */
        char label[SOURCE_LABEL_MAX]; /* which seed, of a source that has several */
        uint32_t origin;              /* SeedOrigin of that seed */
        uint32_t replay;              /* 1: what it opened is a regular file */
} WorkerAnswer;
