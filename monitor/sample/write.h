/* SPDX-License-Identifier: MIT */
#pragma once

/* A sampler's trace buffer as a recording, entropy-monitor-recording(5). */

#include "monitor/sample/sampler.h"

/*
 * Publishes the recording atomically: written beside its place, synced, renamed. path is relative
 * to dirfd or absolute. documents_directory contains the documents of rngd and the seeder.
 */
_must_check_ int write_recording(
        const Sampler *sampler,
        RecordingEnd end,
        int dirfd,
        const char *path,
        const char *documents_directory);
