/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "lib/base/hash.h"
#include "lib/base/io.h"
#include "lib/feed/seed-mark.h"
#include "lib/feed/state-directory.h"
#include "lib/kernel/random.h"
#include "seeder/state/seed-file.h"

#define TEMPORARY_NAME "seed.new"

typedef struct SeedHeader {
        uint8_t magic[16];
        uint8_t salt[IDENTITY_SALT_BYTES];
        uint8_t identity[IDENTITY_DIGEST_BYTES];
        uint8_t generation[IDENTITY_DIGEST_BYTES];
        uint8_t boot[IDENTITY_DIGEST_BYTES];
} SeedHeader;

static const uint8_t magic[16] = "guest-entropy 1";

_Static_assert(sizeof(SeedHeader) == SEED_FILE_HEADER_BYTES, "the header has no padding");
_Static_assert(SEED_FILE_BYTES >= HASH_SHA512_BYTES, "the hash of the old seed fits");

int seed_file_open(const char *directory, bool create, SeedFile *ret_file) {
        _cleanup_close_ int fd = -1;
        int r;

        r = state_directory_open(directory, create, &fd);
        if (r < 0)
                return r;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? SEED_FILE_E_BUSY : negative_errno();

        ret_file->why_no_memory = state_directory_no_memory(fd);
        ret_file->directory_fd = TAKE_FD(fd);
        return 0;
}

void seed_file_close(SeedFile *file) {
        cleanup_close(&file->directory_fd);
}

/* The whole file, which must be a plain file of exactly our size. */
static int read_file(int directory_fd, const char *name, Secret *content) {
        _cleanup_close_ int fd = -1;
        struct stat status;
        size_t length;
        int r;

        fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        if (fstat(fd, &status) < 0)
                return negative_errno();
        if (!S_ISREG(status.st_mode) || status.st_size != (off_t)content->size_bytes)
                return -EBADMSG;
        r = io_read_full(fd, content->bytes, content->size_bytes, &length);
        if (r < 0)
                return r;
        if (length != content->size_bytes || memcmp(content->bytes, magic, sizeof(magic)) != 0)
                return -EBADMSG;
        return 0;
}

static bool is_known(const uint8_t digest[static IDENTITY_DIGEST_BYTES]) {
        static const uint8_t unknown[IDENTITY_DIGEST_BYTES];

        return memcmp(digest, unknown, sizeof(unknown)) != 0;
}

/*
 * Nothing but the generation tells a disk that was set back from one that was not, if both belong to
 * one virtual machine. It can be read only where the module for it is loaded.
 */
static const char *why_not_one_life(const SeedHeader *header, const Identity *identity) {
        uint8_t digest[IDENTITY_DIGEST_BYTES];
        bool both_known;

        if (identity_digest_generation(identity, header->salt, digest) < 0)
                return "no digest can be made";
        both_known = is_known(digest) && is_known(header->generation);
        if (both_known && memcmp(digest, header->generation, sizeof(digest)) != 0)
                return "this machine was cloned or restored";
        if (!both_known && identity->virtual_possible)
                return "no generation ID shows that this machine was not cloned or restored";
        return NULL;
}

/* What came from this kernel's RNG is nothing new to it. */
static const char *why_not_earlier(const SeedHeader *header, const Identity *identity) {
        uint8_t digest[IDENTITY_DIGEST_BYTES];

        if (identity_digest_boot(identity, header->salt, digest) < 0 || !is_known(digest) ||
            !is_known(header->boot))
                return "the boot that saved it is not known";
        if (memcmp(digest, header->boot, sizeof(digest)) == 0)
                return "it was saved in this boot";
        return NULL;
}

/* Whether the machine that saved it is this one, in an earlier boot, and was not cloned since. */
static const char *why_not_ours(const Secret *content, const Identity *identity) {
        uint8_t digest[IDENTITY_DIGEST_BYTES];
        const char *why_not;
        SeedHeader header;

        memcpy(&header, content->bytes, sizeof(header));
        if (identity_digest(identity, header.salt, digest) < 0 ||
            memcmp(digest, header.identity, sizeof(digest)) != 0)
                return "another machine saved it";
        why_not = why_not_earlier(&header, identity);
        return why_not ? why_not : why_not_one_life(&header, identity);
}

static const char *refuse_credit(
        int directory_fd,
        const Secret *content,
        const Identity *identity) {
        if (seed_file_strip_mark(directory_fd) < 0)
                return "its mark could not be removed for good";
        if (identity->first_boot)
                return "this is the first boot";
        return why_not_ours(content, identity);
}

/* Either name; ret_marked tells which. */
static int read_seed(int directory_fd, Secret **ret_content, bool *ret_marked) {
        _cleanup_secret_ Secret *content = NULL;
        bool marked = true;
        int r;

        r = secret_new(sizeof(SeedHeader) + SEED_FILE_BYTES, &content);
        if (r < 0)
                return r;
        r = read_file(directory_fd, SEED_MARKED_NAME, content);
        if (r == -ENOENT) {
                marked = false;
                r = read_file(directory_fd, SEED_UNMARKED_NAME, content);
        }
        if (r < 0)
                return r;

        *ret_content = TAKE_PTR(content);
        *ret_marked = marked;
        return 0;
}

static int take_seed(const Secret *content, Secret **ret_seed) {
        Secret *seed;
        int r;

        r = secret_new(SEED_FILE_BYTES, &seed);
        if (r < 0)
                return r;
        memcpy(seed->bytes, content->bytes + sizeof(SeedHeader), SEED_FILE_BYTES);
        *ret_seed = seed;
        return 0;
}

int seed_file_read_old(const SeedFile *file, Secret **ret_seed) {
        _cleanup_secret_ Secret *content = NULL;
        bool marked;
        int r;

        r = read_seed(file->directory_fd, &content, &marked);
        if (r < 0)
                return r;
        return take_seed(content, ret_seed);
}

int seed_file_load(SeedFile *file, const Identity *identity, SeedLoad *ret_load) {
        _cleanup_secret_ Secret *content = NULL;
        SeedLoad load = { .why_not = "it was used before" };
        bool marked;
        int r;

        r = read_seed(file->directory_fd, &content, &marked);
        if (r == -ENOENT)
                return SEED_FILE_E_NONE;
        if (r < 0)
                return r;
        r = take_seed(content, &load.seed);
        if (r < 0)
                return r;

        if (marked)
                load.why_not = refuse_credit(file->directory_fd, content, identity);
        /* Where the lost mark comes back by itself, as in an image under an overlay. */
        if (marked && !load.why_not)
                load.why_not = file->why_no_memory;
        load.marked = marked && !load.why_not;
        *ret_load = load;
        return 0;
}

/* From a ready RNG if it is one. GRND_INSECURE never waits and never starts the jitter loop. */
static int draw(uint8_t *bytes, size_t length, bool *ret_ready) {
        ssize_t n;

        n = getrandom(bytes, length, GRND_NONBLOCK);
        if (n == (ssize_t)length) {
                *ret_ready = true;
                return 0;
        }
        n = getrandom(bytes, length, GRND_INSECURE);
        if (n != (ssize_t)length)
                return n < 0 ? negative_errno() : -EIO;
        *ret_ready = false;
        return 0;
}

/* The end of the new seed is a hash over both, as systemd and seedrng do it. */
static int hash_old_into_new(const Secret *old_seed, uint8_t new_seed[static SEED_FILE_BYTES]) {
        const HashPart parts[] = {
                { old_seed ? old_seed->bytes : NULL, old_seed ? old_seed->size_bytes : 0 },
                { new_seed, SEED_FILE_BYTES },
        };
        uint8_t digest[HASH_SHA512_BYTES];
        int r;

        r = hash_sha512("guest-entropy seed file v1", parts, ELEMENTSOF(parts), digest);
        if (r < 0)
                return r;
        memcpy(new_seed + SEED_FILE_BYTES - sizeof(digest), digest, sizeof(digest));
        explicit_bzero(digest, sizeof(digest));
        return 0;
}

/*
 * Between the seeds of one boot the kernel's RNG may have been copied, and nobody may have seen it yet.
 * So the first one's generation stays: in a copy none of them is credited at the next boot.
 */
static int keep_generation(int directory_fd, const Identity *identity, SeedHeader *header) {
        _cleanup_secret_ Secret *content = NULL;
        uint8_t digest[IDENTITY_DIGEST_BYTES];
        SeedHeader old;
        bool marked;
        int r;

        r = read_seed(directory_fd, &content, &marked);
        if (r < 0)
                return r == -ENOENT || r == -EBADMSG ? 0 : r;
        memcpy(&old, content->bytes, sizeof(old));
        r = identity_digest_boot(identity, old.salt, digest);
        if (r < 0)
                return r;
        if (!is_known(digest) || memcmp(digest, old.boot, sizeof(digest)) != 0)
                return 0;
        r = identity_digest(identity, old.salt, digest);
        if (r < 0)
                return r;
        memcpy(header->salt, old.salt, sizeof(header->salt));
        memcpy(header->identity, digest, sizeof(header->identity));
        memcpy(header->generation, old.generation, sizeof(header->generation));
        memcpy(header->boot, old.boot, sizeof(header->boot));
        return 0;
}

static int compose(
        int directory_fd,
        const Identity *identity,
        const Secret *old_seed,
        Secret *content,
        bool *ret_ready) {
        uint8_t *seed = content->bytes + sizeof(SeedHeader);
        SeedHeader header = {};
        bool salt_ready, ready;
        int r;

        memcpy(header.magic, magic, sizeof(magic));
        r = draw(header.salt, sizeof(header.salt), &salt_ready);
        if (r < 0)
                return r;
        r = identity_digest(identity, header.salt, header.identity);
        if (r < 0)
                return r;
        r = identity_digest_generation(identity, header.salt, header.generation);
        if (r < 0)
                return r;
        r = identity_digest_boot(identity, header.salt, header.boot);
        if (r < 0)
                return r;
        r = keep_generation(directory_fd, identity, &header);
        if (r < 0)
                return r;
        r = draw(seed, SEED_FILE_BYTES, &ready);
        if (r < 0)
                return r;
        r = hash_old_into_new(old_seed, seed);
        if (r < 0)
                return r;

        memcpy(content->bytes, &header, sizeof(header));
        *ret_ready = ready;
        return 0;
}

static int write_synced(int directory_fd, const Secret *content) {
        _cleanup_close_ int fd = -1;
        int r;

        fd =
                openat(directory_fd,
                       TEMPORARY_NAME,
                       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                       0400);
        if (fd < 0)
                return negative_errno();
        r = io_write_full(fd, content->bytes, content->size_bytes);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? negative_errno() : 0;
}

/*
 * 1. write beside, sync        3. sync the directory
 * 2. rename over the old seed  4. if it may be credited: rename to its mark, sync the directory
 *
 * A cut before 2 leaves the old seed, before 4 a new one without its mark.
 */
static int publish(int directory_fd, const Secret *content, bool creditable) {
        int r;

        r = write_synced(directory_fd, content);
        if (r < 0) {
                (void)unlinkat(directory_fd, TEMPORARY_NAME, 0);
                return r;
        }
        if (renameat(directory_fd, TEMPORARY_NAME, directory_fd, SEED_UNMARKED_NAME) < 0)
                return negative_errno();
        if (fsync(directory_fd) < 0)
                return negative_errno();
        if (!creditable)
                return 0;
        if (renameat(directory_fd, SEED_UNMARKED_NAME, directory_fd, SEED_MARKED_NAME) < 0)
                return negative_errno();
        return fsync(directory_fd) < 0 ? negative_errno() : 0;
}

int seed_file_save(
        SeedFile *file,
        const Identity *identity,
        const Secret *old_seed,
        bool *ret_creditable) {
        _cleanup_secret_ Secret *content = NULL;
        bool ready;
        int r;

        r = secret_new(sizeof(SeedHeader) + SEED_FILE_BYTES, &content);
        if (r < 0)
                return r;
        r = compose(file->directory_fd, identity, old_seed, content, &ready);
        if (r < 0)
                return r;
        r = publish(file->directory_fd, content, ready);
        if (r < 0)
                return r;
        *ret_creditable = ready;
        return 0;
}
