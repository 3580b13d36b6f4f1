/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "monitor/show/verdict.h"

void format_usec(uint64_t usec, char buffer[static FORMAT_USEC_MAX]) {
        if (usec < USEC_PER_MSEC)
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%" PRIu64 " us", usec);
        else if (usec < USEC_PER_SEC)
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%.1f ms", (double)usec / 1e3);
        else
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%.3f s", (double)usec / 1e6);
}

const char *verdict_of(
        const Recording *recording,
        const Analysis *analysis,
        char buffer[static VERDICT_MAX]) {
        const BlockedSpan *wait = analysis_longest_wait(recording);
        char longest[FORMAT_USEC_MAX];

        format_usec(analysis->longest_blocked_usec, longest);
        if (!analysis->ready) {
                (void)snprintf(
                        buffer,
                        VERDICT_MAX,
                        "The RNG was not ready when the recording ended%s.",
                        analysis->n_blocked > 0 ? ", and processes were waiting for it" : "");
                return "Give the guest a virtio-rng and load virtio_rng in the initramfs, or run "
                       "entropy-seeder there.";
        }
        if (wait && analysis->n_blocked > 0) {
                (void)snprintf(
                        buffer,
                        VERDICT_MAX,
                        "%zu process%s waited for random bytes, %s for up to %s; what ended it: "
                        "%s.",
                        analysis->n_blocked,
                        analysis->n_blocked == 1 ? "" : "es",
                        wait->name,
                        longest,
                        ready_cause_to_string(analysis->cause));
                return analysis->cause == READY_CAUSE_JITTER
                               ? "Load virtio_rng in the initramfs or run entropy-seeder there: the "
                                 "jitter loop is the kernel's last resort."
                               : "Run entropy-seeder in the initramfs, so that the source is read "
                                 "before the first process asks.";
        }
        if (analysis->n_uninitialized_reads > 0) {
                (void)snprintf(
                        buffer,
                        VERDICT_MAX,
                        "%zu read%s of /dev/urandom came before the RNG was ready and got "
                        "predictable bytes.",
                        analysis->n_uninitialized_reads,
                        analysis->n_uninitialized_reads == 1 ? "" : "s");
                return "Seed earlier: entropy-seeder in the initramfs.";
        }
        if (recording->model == RANDOM_MODEL_COUNTING &&
            analysis->below_usec > analysis->recorded_usec / 10) {
                (void)snprintf(
                        buffer,
                        VERDICT_MAX,
                        "The level was below the kernel's threshold for %.0f %% of the time.",
                        100.0 * (double)analysis->below_usec / (double)analysis->recorded_usec);
                return "Run rngd: it fills the pool as soon as the level falls.";
        }
        (void)snprintf(
                buffer,
                VERDICT_MAX,
                "Nobody waited for random bytes and %s.",
                recording->log_seen == LOG_SEEN_WHOLE ? "nobody got predictable ones"
                : recording->log_seen == LOG_SEEN_CUT
                        ? "nobody is known to have got predictable ones: lines are missing in the "
                          "kernel's log"
                        : "nobody is known to have got predictable ones: the kernel's log was not "
                          "read");
        return NULL;
}

void title_of(const Recording *recording, char ret_title[static TITLE_MAX]) {
        const char *path = recording->path ? recording->path : "recording";
        const char *name = strrchr(path, '/');

        (void)snprintf(
                ret_title,
                TITLE_MAX,
                "%.60s: Linux %.80s, %s RNG, %s",
                name ? name + 1 : path,
                recording->kernel,
                refill_model_to_string(recording->model),
                recording->hwrng[0] ? recording->hwrng : "no hardware RNG");
}
