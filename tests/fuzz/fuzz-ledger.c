/* SPDX-License-Identifier: MIT */
/* Any text as a ledger that an earlier run left in /run. What is taken over is written again, and
 * means the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/account.h"

static void check(bool right) {
        if (!right)
                abort();
}

static bool is_equal(const AccountSeeds *a, const AccountSeeds *b) {
        return a->n == b->n && memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
               memcmp(a->digests, b->digests, a->n * sizeof(a->digests[0])) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = malloc(size + 1), *again = NULL;
        _cleanup_free_ Account *account = calloc(1, sizeof(*account));
        AccountSeeds seeds = {};
        int r;

        check(text && account);
        memcpy(text, data, size);
        text[size] = '\0';

        r = account_seeds_from_json(text, &account->seeds);
        if (r < 0) {
                check(r == -EBADMSG && account->seeds.n == 0);
                return 0;
        }
        check(account->seeds.n <= ACCOUNT_LINES_MAX);
        check(account_to_json(account, &again) == 0);
        check(account_seeds_from_json(again, &seeds) == 0);
        check(is_equal(&account->seeds, &seeds));
        return 0;
}
