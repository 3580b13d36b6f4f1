/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/random.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "seeder/static-credit.h"

#define LEDGER_MAX_BYTES 65536U

void static_credit_init(StaticCredit *credit, int folder_fd, const char *why_not) {
        int r;

        *credit = (StaticCredit){ .folder_fd = folder_fd, .why_not = why_not };
        seen_make_salt(credit->salt);
        if (folder_fd < 0)
                return;

        r = seen_load(folder_fd, &credit->seen);
        if (r < 0) {
                credit->why_not = "the list of used seeds cannot be read";
                (void)log_errno(LOG_WARNING, r, "Cannot read the list of used seeds");
                return;
        }
        credit->usable = true;
}

void static_credit_deinit(StaticCredit *credit) {
        seen_deinit(&credit->seen);
        free(credit->of_initramfs);
        credit->of_initramfs = NULL;
}

void static_credit_load_initramfs(StaticCredit *credit, const RootDir *root, const char *path) {
        _cleanup_free_ char *text = malloc(LEDGER_MAX_BYTES);
        Account *account = calloc(1, sizeof(*account));

        if (text && account && rootdir_read_text(root, path, text, LEDGER_MAX_BYTES) >= 0 &&
            account_seeds_from_json(text, account) >= 0)
                credit->of_initramfs = TAKE_PTR(account);
        free(account);
}

/* The initramfs has no list and so no salt of ours: its digests have their own. */
static int digest_for_run(
        const uint8_t salt[static 16],
        const uint8_t *seed,
        size_t length,
        uint8_t *digest) {
        Seen salted = {};

        memcpy(salted.salt, salt, sizeof(salted.salt));
        return seen_digest(&salted, seed, length, digest);
}

static bool used_in_initramfs(const StaticCredit *credit, const uint8_t *seed, size_t length) {
        uint8_t digest[SEEN_DIGEST_BYTES];

        if (!credit->of_initramfs ||
            digest_for_run(credit->of_initramfs->salt, seed, length, digest) < 0)
                return false;
        for (size_t i = 0; i < credit->of_initramfs->n_seeds; i++)
                if (memcmp(credit->of_initramfs->seeds[i].digest, digest, sizeof(digest)) == 0)
                        return true;
        return false;
}

/* On the disk before it is credited: a crash in between loses credit and never doubles it. */
static bool record(StaticCredit *credit, const uint8_t digest[static SEEN_DIGEST_BYTES]) {
        int r;

        r = seen_add(&credit->seen, digest);
        if (r >= 0)
                r = seen_save(&credit->seen, credit->folder_fd);
        if (r >= 0)
                return true;

        (void)log_errno(LOG_WARNING, r, "Cannot record a used seed, so it is not credited");
        credit->usable = false;
        credit->why_not = "its use cannot be recorded";
        return false;
}

bool static_credit_first_use(
        StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        bool dry_run,
        const char **ret_note) {
        uint8_t digest[SEEN_DIGEST_BYTES];

        if (!credit->usable || seen_digest(&credit->seen, seed, length, digest) < 0) {
                *ret_note = credit->why_not;
                return false;
        }
        if (seen_contains(&credit->seen, digest)) {
                *ret_note = "seen before";
                return false;
        }
        if (!dry_run && !record(credit, digest)) {
                *ret_note = credit->why_not;
                return false;
        }
        if (used_in_initramfs(credit, seed, length)) {
                *ret_note = "credited in the initramfs";
                return false;
        }
        *ret_note = NULL;
        return true;
}

void static_credit_leave(
        const StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        Account *account) {
        if (account->n_seeds == ACCOUNT_LINES_MAX)
                return;
        memcpy(account->salt, credit->salt, sizeof(account->salt));
        if (digest_for_run(credit->salt, seed, length, account->seeds[account->n_seeds].digest) >=
            0)
                account->n_seeds++;
}
