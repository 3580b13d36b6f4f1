/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What there is to tell of workers, for the program to log: what they and the programs that they run
 * write to their standard error, and which namespaces they had to do without.
 */

#include <stdint.h>

#include "lib/feed/sandbox.h"
#include "lib/sources/source.h"

#define WORKER_NEWS_LINE_MAX  160U
#define WORKER_NEWS_LINES_MAX 8U

/* One for all workers of a process, so that what is true of each of them is said once. */
typedef struct WorkerNews {
        void (*say)(SourceId source, const char *text);
        uint32_t missing_said; /* a bit for each SandboxNamespace */
} WorkerNews;

/*
 * Says what can be read from the pipe now: a few lines, the rest is only counted; printable ASCII,
 * and '?' for what else there was. news may be NULL, then it is read and dropped.
 */
void worker_news_read(WorkerNews *news, SourceId source, int pipe_fd);

/* Says each namespace that is missing, if it was not said before. */
void worker_news_missing(WorkerNews *news, SourceId source, uint32_t missing);
