/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/log.h"
#include "seeder/run/static-credit.h"

void static_credit_init(StaticCredit *credit, int directory_fd, const char *why_not) {
        int r;

        *credit = (StaticCredit){ .directory_fd = directory_fd, .why_not = why_not };
        if (directory_fd < 0)
                return;

        r = seen_load(directory_fd, &credit->seen);
        if (r < 0) {
                static_credit_doubt(credit, "the list of used seeds cannot be read");
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot read the list of used seeds, seen; no static seed is credited until "
                        "it is removed");
                return;
        }
        credit->usable = true;
}

void static_credit_doubt(StaticCredit *credit, const char *why) {
        credit->doubtful = true;
        credit->usable = false;
        credit->why_not = why;
}

void static_credit_deinit(StaticCredit *credit) {
        seen_deinit(&credit->seen);
        for (size_t i = 0; i < credit->n_earlier; i++)
                free(credit->earlier[i]);
        *credit = (StaticCredit){ .directory_fd = -1 };
}

void static_credit_add_run(StaticCredit *credit, const char *run_report) {
        _cleanup_free_ RunReportSeeds *seeds = malloc(sizeof(*seeds));

        if (!seeds || credit->n_earlier == STATIC_CREDIT_RUNS_MAX ||
            run_report_seeds_from_json(run_report, seeds) < 0) {
                static_credit_doubt(credit, "what an earlier run credited cannot be read");
                return;
        }
        credit->earlier[credit->n_earlier++] = TAKE_PTR(seeds);
}

/* Each run has a salt of its own: an initramfs knows nothing of the list's. */
static int digest_for_run(
        const RunReportSeeds *seeds,
        const uint8_t *seed,
        size_t length,
        uint8_t digest[static SEEN_DIGEST_BYTES]) {
        Seen salted = {};

        memcpy(salted.salt, seeds->salt, sizeof(salted.salt));
        return seen_digest(&salted, seed, length, digest);
}

bool static_credit_left(const uint8_t *seed, size_t length, const RunReportSeeds *seeds) {
        uint8_t digest[SEEN_DIGEST_BYTES];

        if (seeds->n == 0)
                return false;
        if (digest_for_run(seeds, seed, length, digest) < 0)
                return true;
        for (size_t i = 0; i < seeds->n; i++)
                if (memcmp(seeds->digests[i], digest, sizeof(digest)) == 0)
                        return true;
        return false;
}

int static_credit_leave(const uint8_t *seed, size_t length, RunReportSeeds *seeds) {
        int r;

        if (static_credit_left(seed, length, seeds))
                return 0;
        if (seeds->n == ELEMENTSOF(seeds->digests))
                return -ENOSPC;
        if (seeds->n == 0)
                seen_make_salt(seeds->salt);
        r = digest_for_run(seeds, seed, length, seeds->digests[seeds->n]);
        if (r >= 0)
                seeds->n++;
        return r;
}

static bool used_this_boot(const StaticCredit *credit, const uint8_t *seed, size_t length) {
        for (size_t i = 0; i < credit->n_earlier; i++)
                if (static_credit_left(seed, length, credit->earlier[i]))
                        return true;
        return false;
}

/* On the disk before it is credited: a crash in between loses credit and never doubles it. */
static bool record(StaticCredit *credit, const uint8_t digest[static SEEN_DIGEST_BYTES]) {
        int r;

        r = seen_add(&credit->seen, digest);
        if (r >= 0)
                r = seen_save(&credit->seen, credit->directory_fd);
        if (r >= 0)
                return true;

        (void)log_errno(LOG_WARNING, r, "Cannot record a used seed, so it is not credited");
        credit->usable = false;
        credit->why_not = "its use cannot be recorded";
        return false;
}

StaticUse static_credit_use(
        StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        bool dry_run,
        const char **ret_note) {
        bool this_boot = used_this_boot(credit, seed, length);
        uint8_t digest[SEEN_DIGEST_BYTES];
        bool known;

        *ret_note = this_boot ? "credited in this boot already" : credit->why_not;
        if (credit->doubtful)
                return this_boot ? STATIC_USE_THIS_BOOT : STATIC_USE_AGAIN;
        if (!credit->usable || seen_digest(&credit->seen, seed, length, digest) < 0)
                return this_boot ? STATIC_USE_THIS_BOOT : STATIC_USE_UNKNOWN;

        /* What the initramfs used is recorded here, too. */
        known = seen_contains(&credit->seen, digest);
        if (!known && !dry_run && !record(credit, digest)) {
                *ret_note = credit->why_not;
                return this_boot ? STATIC_USE_THIS_BOOT : STATIC_USE_UNKNOWN;
        }
        if (this_boot)
                return STATIC_USE_THIS_BOOT;
        *ret_note = known ? "seen before" : NULL;
        return known ? STATIC_USE_AGAIN : STATIC_USE_FIRST;
}
