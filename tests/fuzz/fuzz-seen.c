/* SPDX-License-Identifier: MIT */
/* Any bytes as the list of used seeds: refused, or all of it is known. */
#include <stdlib.h>
#include <string.h>

#include "lib/feed/seen.c"

static void check(bool right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(seen_deinit) Seen seen = {};
        _cleanup_free_ char *text = malloc(size + 1); /* to the byte, for the sanitizer */
        size_t expected;
        int r;

        seen.digests = calloc(SEEN_MAX, sizeof(*seen.digests));
        check(text && seen.digests);
        memcpy(text, data, size);

        r = parse(text, size, &seen);
        check(r == 0 || r == -EBADMSG);
        if (r < 0)
                return 0;
        expected = strlen(HEADLINE) + SALT_LINE_BYTES + seen.n_digests * DIGEST_LINE_BYTES;
        check(seen.n_digests <= SEEN_MAX && size == expected);
        for (size_t i = 0; i < seen.n_digests; i++)
                check(seen_contains(&seen, seen.digests[i]));
        return 0;
}
