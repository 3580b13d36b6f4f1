/* SPDX-License-Identifier: MIT */
#pragma once

/* What the log says of the sources and of what came of them. */

#include "lib/feed/feeder.h"
#include "lib/feed/reader.h"

/* Each with what it is and its state. */
void feed_log_sources(const Reader readers[static _SOURCE_LIVE_MAX]);

/* A batch reached the kernel, whose level is level_bits since. */
void feed_log_batch(
        const Reader *reader,
        const Batch *batch,
        const FeedReport *report,
        uint32_t level_bits);

/* A batch did not reach it: why. */
void feed_log_dropped(const Reader *reader, const char *why);

/* Why a source that the administrator gave credit gets none. */
void feed_log_stale(const Reader *reader);

/* Why the kernel will not become ready, source by source. */
void feed_log_no_credit(const Reader readers[static _SOURCE_LIVE_MAX]);
