/* SPDX-License-Identifier: MIT */
#pragma once

/* A sampler's trace buffer as a recording, entropy-monitor-recording(5). */

#include "monitor/sample/sampler.h"

/*
 * Publishes the recording below a directory: written beside its place, fsync, renamed over it. path
 * is relative to dirfd, or absolute. documents_directory is where rngd and the seeder leave theirs.
 */
_must_check_ int write_recording(
        const Sampler *sampler,
        RecordingEnd end,
        int dirfd,
        const char *path,
        const char *documents_directory);
