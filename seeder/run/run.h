/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One run: asks every source that is there, listens for those that come, ends when the kernel's RNG
 * is ready and the quick sources are in, at the deadline, or at SIGTERM. Waits with poll() alone, so
 * that it needs neither systemd nor udevd, and drags no library of theirs into an initramfs.
 */

#include "lib/feed/reader.h"
#include "seeder/state/run-report.h"

typedef struct RunSource {
        ReaderSettings reader;
        bool awaited; /* asked for by name: its answer is waited for, also when the kernel is ready */
} RunSource;

typedef struct RunSettings {
        Phase phase;
        bool dry_run;
        uint64_t deadline_usec;
        const char *state_directory; /* /var/lib/guest-entropy; NULL: first use is not known */
        bool use_seed_file;
        bool metadata_apart; /* a run of its own may ask the metadata service when there is a network */
        bool command_line_unknown;
        uint32_t seed_file_credit_per_1024; /* or CREDIT_OVERRIDE_NONE */
        CreditTrust seed_file_trust;
        RunSource sources[_SOURCE_MAX];
} RunSettings;

/*
 * Fills the run report in each case, and leaves it as a run report in /run unless this is a dry run.
 * Blocks SIGTERM, SIGINT and SIGHUP. Negative: nothing could be done at all (-EPERM without
 * CAP_SYS_ADMIN).
 */
_must_check_ int run_all(const RunSettings *settings, RunReport *run_report);
