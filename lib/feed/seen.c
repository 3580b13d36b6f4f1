/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>

#include "lib/base/hash.h"
#include "lib/base/hex.h"
#include "lib/base/io.h"
#include "lib/feed/seen.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/random.h"
#include "lib/sources/seed.h"

#define STATIC_NAME "seen"
#define LIVE_NAME   "seen-live"
#define LOCK_NAME   "seen-live.lock"
#define HEADLINE    "guest-entropy-seen 1\n"
#define SALT_WORD   "salt "
#define KEY_BYTES   ((size_t)16)

#define LOCK_TRIES      50U
#define LOCK_PAUSE_NSEC 2000000

#define SALT_LINE_BYTES   (sizeof(SALT_WORD) - 1 + 2 * sizeof(((Seen *)NULL)->salt) + 1)
#define DIGEST_LINE_BYTES (2 * SEEN_DIGEST_BYTES + 1)
#define FILE_MAX_BYTES \
        (sizeof(HEADLINE) - 1 + SALT_LINE_BYTES + (size_t)SEEN_MAX * DIGEST_LINE_BYTES)

/* Exactly 2 * n digits and a newline; moves *text behind it. */
static bool take_hex_line(const char **text, const char *end, uint8_t *bytes, size_t n) {
        const char *p = *text;

        if ((size_t)(end - p) < 2 * n + 1 || p[2 * n] != '\n' ||
            !hex_decode_prefix(p, 2 * n, bytes, n))
                return false;
        *text = p + 2 * n + 1;
        return true;
}

static bool take_word(const char **text, const char *end, const char *word) {
        size_t n = strlen(word);

        if ((size_t)(end - *text) < n || memcmp(*text, word, n) != 0)
                return false;
        *text += n;
        return true;
}

static int parse(const char *text, size_t length, Seen *seen) {
        const char *end = text + length;

        if (!take_word(&text, end, HEADLINE) || !take_word(&text, end, SALT_WORD) ||
            !take_hex_line(&text, end, seen->salt, sizeof(seen->salt)))
                return -EBADMSG;

        while (text < end) {
                if (seen->n_digests == SEEN_MAX ||
                    !take_hex_line(&text, end, seen->digests[seen->n_digests], SEEN_DIGEST_BYTES))
                        return -EBADMSG;
                seen->n_digests++;
        }
        return 0;
}

void seen_make_salt(uint8_t salt[static 16]) {
        uint64_t now_usec = clock_boottime_usec();

        if (getrandom(salt, 16, GRND_INSECURE) != 16) {
                memset(salt, 0, 16);
                memcpy(salt, &now_usec, sizeof(now_usec));
        }
}

static int read_file(int directory_fd, const char *name, char **ret_text, size_t *ret_length) {
        _cleanup_close_ int fd =
                openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        return fd < 0 ? negative_errno() : io_read_all(fd, FILE_MAX_BYTES, ret_text, ret_length);
}

static int load(int directory_fd, const char *name, Seen *ret_seen) {
        _cleanup_(seen_deinit) Seen seen = {};
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r;

        seen.digests = calloc(SEEN_MAX, sizeof(*seen.digests));
        if (!seen.digests)
                return -ENOMEM;

        r = read_file(directory_fd, name, &text, &length);
        if (r == -ENOENT)
                seen_make_salt(seen.salt);
        else if (r < 0)
                return r;
        else {
                r = parse(text, length, &seen);
                if (r < 0)
                        return r;
        }

        *ret_seen = TAKE(seen, (Seen){});
        return 0;
}

int seen_load(int directory_fd, Seen *ret_seen) {
        return load(directory_fd, STATIC_NAME, ret_seen);
}

void seen_deinit(Seen *seen) {
        free(seen->digests);
        *seen = (Seen){};
}

int seen_digest(
        const Seen *seen,
        const uint8_t *seed,
        size_t length,
        uint8_t ret_digest[static SEEN_DIGEST_BYTES]) {
        HashPart parts[] = { { seen->salt, sizeof(seen->salt) }, {} };
        uint8_t digest[HASH_SHA512_BYTES];
        size_t at = 0;
        int r;

        while (at < length && seed_is_padding(seed[at]))
                at++;
        parts[1] = (HashPart){ seed + at, MIN(length - at, KEY_BYTES) };
        r = hash_sha512("guest-entropy seen v2", parts, ELEMENTSOF(parts), digest);
        if (r < 0)
                return r;
        memcpy(ret_digest, digest, SEEN_DIGEST_BYTES);
        return 0;
}

bool seen_contains(const Seen *seen, const uint8_t digest[static SEEN_DIGEST_BYTES]) {
        for (size_t i = 0; i < seen->n_digests; i++)
                if (memcmp(seen->digests[i], digest, SEEN_DIGEST_BYTES) == 0)
                        return true;
        return false;
}

int seen_add(Seen *seen, const uint8_t digest[static SEEN_DIGEST_BYTES]) {
        if (seen->n_digests == SEEN_MAX)
                return -ENOSPC;
        memcpy(seen->digests[seen->n_digests++], digest, SEEN_DIGEST_BYTES);
        return 0;
}

static char *put_hex_line(char *text, const uint8_t *bytes, size_t n) {
        hex_encode(bytes, n, text);
        text += 2 * n;
        *text++ = '\n';
        return text;
}

static int save(const Seen *seen, int directory_fd, const char *name) {
        _cleanup_free_ char *text = malloc(FILE_MAX_BYTES + 1);
        char *p = text;
        int r;

        if (!text)
                return -ENOMEM;
        p = stpcpy(stpcpy(p, HEADLINE), SALT_WORD);
        p = put_hex_line(p, seen->salt, sizeof(seen->salt));
        for (size_t i = 0; i < seen->n_digests; i++)
                p = put_hex_line(p, seen->digests[i], SEEN_DIGEST_BYTES);

        r = io_write_atomic_at(directory_fd, name, 0600, text, (size_t)(p - text));
        if (r < 0)
                return r;
        return fsync(directory_fd) < 0 ? negative_errno() : 0;
}

int seen_save(const Seen *seen, int directory_fd) {
        return save(seen, directory_fd, STATIC_NAME);
}

/* Not for ever: whoever holds it may be stopped. */
static int lock_live(int directory_fd, int *ret_fd) {
        const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NSEC };
        _cleanup_close_ int fd = -1;

        fd =
                openat(directory_fd,
                       LOCK_NAME,
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                       0600);
        if (fd < 0)
                return negative_errno();
        for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
                if (errno != EWOULDBLOCK)
                        return negative_errno();
                if (i == LOCK_TRIES)
                        return -EBUSY;
                (void)nanosleep(&pause, NULL);
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* The oldest makes room. */
static void add_live(Seen *seen, const uint8_t digest[static SEEN_DIGEST_BYTES]) {
        const size_t too_many =
                seen->n_digests >= SEEN_LIVE_MAX ? seen->n_digests - SEEN_LIVE_MAX + 1 : 0;

        seen->n_digests -= too_many;
        memmove(seen->digests, seen->digests + too_many, seen->n_digests * SEEN_DIGEST_BYTES);
        memcpy(seen->digests[seen->n_digests++], digest, SEEN_DIGEST_BYTES);
}

/* Of each SEEN_LIVE_BYTES; a rest too short for a digest that tells it from another is left out. */
static int digest_live(
        const Seen *seen,
        const uint8_t *bytes,
        size_t length,
        uint8_t (**ret_digests)[SEEN_DIGEST_BYTES],
        size_t *ret_n) {
        const size_t n = MAX((length + SEEN_LIVE_BYTES - KEY_BYTES) / SEEN_LIVE_BYTES, (size_t)1);
        _cleanup_free_ uint8_t(*digests)[SEEN_DIGEST_BYTES] = calloc(n, sizeof(*digests));

        if (!digests)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const size_t at = i * SEEN_LIVE_BYTES;
                int r;

                r = seen_digest(seen, bytes + at, MIN(length - at, SEEN_LIVE_BYTES), digests[i]);
                if (r < 0)
                        return r;
        }
        *ret_digests = TAKE_PTR(digests);
        *ret_n = n;
        return 0;
}

int seen_live(int directory_fd, const uint8_t *bytes, size_t length, bool look_only) {
        _cleanup_free_ uint8_t(*digests)[SEEN_DIGEST_BYTES] = NULL;
        _cleanup_(seen_deinit) Seen seen = {};
        _cleanup_close_ int lock_fd = -1;
        size_t n = 0;
        int r;

        if (!look_only) {
                r = lock_live(directory_fd, &lock_fd);
                if (r < 0)
                        return r;
        }
        r = load(directory_fd, LIVE_NAME, &seen);
        if (r < 0)
                return r;
        r = digest_live(&seen, bytes, length, &digests, &n);
        if (r < 0)
                return r;
        /* First all are looked for: a batch is not taken in part. */
        for (size_t i = 0; i < n; i++)
                if (seen_contains(&seen, digests[i]))
                        return SEEN_E_BEFORE;
        if (look_only)
                return 0;
        for (size_t i = 0; i < n; i++)
                add_live(&seen, digests[i]);
        return save(&seen, directory_fd, LIVE_NAME);
}
