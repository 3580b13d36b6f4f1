/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "monitor/show/verdict.h"

const char *format_usec(uint64_t usec, char buffer[static FORMAT_USEC_MAX]) {
        if (usec < USEC_PER_MSEC)
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%" PRIu64 " us", usec);
        else if (usec < USEC_PER_SEC)
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%.1f ms", (double)usec / 1e3);
        else
                (void)snprintf(buffer, FORMAT_USEC_MAX, "%.3f s", (double)usec / 1e6);
        return buffer;
}

static void say(char buffer[static VERDICT_MAX], const char *format, ...) _printf_(2, 3);

static void say(char buffer[static VERDICT_MAX], const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(buffer, VERDICT_MAX, format, args); // NOLINT(clang-analyzer-valist.*)
        va_end(args);
}

static const char *verdict_of_quiet(LogSeen log_seen, char buffer[static VERDICT_MAX]) {
        static const char *const reads[] = {
                [LOG_SEEN_NONE] = "is known to have got predictable ones: the kernel's log was not "
                                  "read",
                [LOG_SEEN_CUT] = "is known to have got predictable ones: lines are missing in the "
                                 "kernel's log",
                [LOG_SEEN_WHOLE] = "got predictable ones",
        };

        say(buffer, "Nobody waited for random bytes and nobody %s.", reads[log_seen]);
        return NULL;
}

const char *verdict_of(
        const Recording *recording,
        const Analysis *analysis,
        char buffer[static VERDICT_MAX]) {
        const BlockedSpan *wait = analysis_longest_wait(recording);
        size_t n_blocked = analysis->n_blocked, n_reads = analysis->n_uninitialized_reads;

        if (!analysis->ready) {
                say(buffer,
                    "The RNG was not ready when the recording ended%s.",
                    n_blocked > 0 ? ", and processes were waiting for it" : "");
                return "Give the guest a virtio-rng and load virtio_rng in the initramfs, or run "
                       "entropy-seeder there.";
        }
        if (wait && n_blocked > 0) {
                say(buffer,
                    "%zu process%s waited for random bytes, %s for up to %s; what ended it: %s.",
                    n_blocked,
                    n_blocked == 1 ? "" : "es",
                    wait->name,
                    FORMAT_USEC(blocked_usec(wait)),
                    ready_cause_to_string(analysis->cause));
                return analysis->cause == READY_CAUSE_JITTER
                               ? "Load virtio_rng in the initramfs or run entropy-seeder there: the "
                                 "jitter loop is the kernel's last resort."
                               : "Run entropy-seeder in the initramfs, so that the source is read "
                                 "before the first process asks.";
        }
        if (n_reads > 0) {
                say(buffer,
                    "%zu read%s of /dev/urandom came before the RNG was ready and got predictable "
                    "bytes.",
                    n_reads,
                    n_reads == 1 ? "" : "s");
                return "Seed earlier: entropy-seeder in the initramfs.";
        }
        if (recording->model == RANDOM_MODEL_COUNTING &&
            analysis->below_usec > analysis->recorded_usec / 10) {
                say(buffer,
                    "The level was below the kernel's threshold for %.0f %% of the time.",
                    100.0 * (double)analysis->below_usec / (double)analysis->recorded_usec);
                return "Run rngd: it fills the pool as soon as the level falls.";
        }
        return verdict_of_quiet(recording->log_seen, buffer);
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
