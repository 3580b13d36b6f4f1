/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was credited already, by salted digest: /var/lib/guest-entropy/seen for static seeds, and
 * seen-live for what other machines sent, which should be new bytes each time.
 *
 * A digest is on the disk before its bytes are credited, so a crash in between loses credit and
 * never doubles it. Each file is text: "guest-entropy-seen 1", "salt HEX", then a digest a line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define SEEN_DIGEST_BYTES 32U
#define SEEN_MAX          4096U
#define SEEN_LIVE_MAX     2048U /* of seen-live, the newest */
#define SEEN_LIVE_BYTES   32U   /* what is one of them: no batch is shorter */

typedef struct Seen {
        uint8_t salt[16];
        uint8_t (*digests)[SEEN_DIGEST_BYTES];
        size_t n_digests;
} Seen;

/* Keeps tables of known seeds useless; that it is not the best of randomness does not matter. */
void seen_make_salt(uint8_t salt[static 16]);

/* An absent file is an empty list with a new salt. -EBADMSG: not such a file, so nothing can be
 * known to be new. */
_must_check_ int seen_load(int directory_fd, Seen *ret_seen);
void seen_deinit(Seen *seen);

/*
 * The digest of a seed is that of its first 16 bytes, without white space and zero bytes in front: a
 * newline behind it, the zero byte of a string, a carrier that cuts it or adds to it make no other
 * seed of it. Two random seeds never begin alike.
 */
_must_check_ int seen_digest(
        const Seen *seen,
        const uint8_t *seed,
        size_t length,
        uint8_t ret_digest[static SEEN_DIGEST_BYTES]);
bool seen_contains(const Seen *seen, const uint8_t digest[static SEEN_DIGEST_BYTES]);

/* Adds in memory; -ENOSPC at SEEN_MAX, and then nothing may be credited any more. */
_must_check_ int seen_add(Seen *seen, const uint8_t digest[static SEEN_DIGEST_BYTES]);

/* Writes and syncs all of it. Only a success allows credit for what was added. */
_must_check_ int seen_save(const Seen *seen, int directory_fd);

/*
 * Whether any SEEN_LIVE_BYTES of what a live source sent came before, in this life or in an earlier
 * one, however they were cut into batches then. If not, they are remembered in seen-live and synced;
 * with look_only they are not. Several programs may do it at once: they wait for each other, a tenth of
 * a second at most.
 *
 * 0: new; SEEN_E_BEFORE; negative: that cannot be known, or not be remembered (-EBUSY, -EBADMSG,
 * -EROFS...), so they are not to be credited.
 */
enum {
        SEEN_E_BEFORE = 1,
};

_must_check_ int seen_live(int directory_fd, const uint8_t *bytes, size_t length, bool look_only);
