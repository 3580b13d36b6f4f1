/* SPDX-License-Identifier: MIT */
#include "seeder/state/seed-file.c"
#include "lib/feed/seed-mark.c"
#include "tests/proofs/proof.h"

#define FILE_BYTES (SEED_FILE_HEADER_BYTES + SEED_FILE_BYTES)

/* A disk: which of the names are there, and what was done about the mark. */
static bool is_marked, is_stripped, is_synced;
static SeedHeader given;
static uint8_t given_byte;
static size_t n_given, any_byte; /* of the seed */
static uint8_t *digests[3];

int openat(int fd, const char *name, int flags, ...) {
        (void)fd;
        PROVE((flags & (O_NOFOLLOW | O_CLOEXEC)) == (O_NOFOLLOW | O_CLOEXEC));
        if (nondet_bool()) {
                errno = nondet_error();
                return -1;
        }
        is_marked = name[4] == '.';
        return 3;
}

int fstat(int fd, struct stat *status) {
        (void)fd;
        errno = nondet_error();
        status->st_mode = nondet_u32();
        status->st_size = nondet_ssize();
        return nondet_bool() ? -1 : 0;
}

/* Fewer bytes than fstat() told, too: the file may shrink meanwhile. The buffer has any content. */
int io_read_full(int fd, void *buffer, size_t size, size_t *ret_length) {
        (void)fd;
        PROVE(size == FILE_BYTES && __CPROVER_w_ok(buffer, size));
        if (nondet_bool())
                return -nondet_error();
        n_given = nondet_size_up_to(size);
        given = *(SeedHeader *)buffer;
        given_byte = ((uint8_t *)buffer)[SEED_FILE_HEADER_BYTES + any_byte];
        *ret_length = n_given;
        return 0;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
        PROVE(from_fd == to_fd && from[4] == '.' && to[4] == '\0');
        errno = nondet_error();
        is_stripped = nondet_bool();
        return is_stripped ? 0 : -1;
}

int fsync(int fd) {
        (void)fd;
        errno = nondet_error();
        is_synced = is_stripped && nondet_bool();
        return is_synced ? 0 : -1;
}

int secret_new(size_t size_bytes, Secret **ret_secret) {
        Secret *secret;

        if (nondet_bool())
                return -ENOMEM;
        secret = nondet_bytes(sizeof(*secret));
        *secret = (Secret){ .bytes = nondet_bytes(size_bytes), .size_bytes = size_bytes };
        *ret_secret = secret;
        return 0;
}

static int give_digest(unsigned which, uint8_t *ret_digest) {
        if (nondet_bool())
                return -nondet_error();
        memcpy(ret_digest, digests[which], IDENTITY_DIGEST_BYTES);
        return 0;
}

int identity_digest(const Identity *identity, const uint8_t *salt, uint8_t *ret_digest) {
        (void)identity;
        PROVE(__CPROVER_r_ok(salt, IDENTITY_SALT_BYTES));
        return give_digest(0, ret_digest);
}

int identity_digest_generation(const Identity *identity, const uint8_t *salt, uint8_t *ret_digest) {
        (void)identity;
        PROVE(__CPROVER_r_ok(salt, IDENTITY_SALT_BYTES));
        return give_digest(1, ret_digest);
}

int identity_digest_boot(const Identity *identity, const uint8_t *salt, uint8_t *ret_digest) {
        (void)identity;
        PROVE(__CPROVER_r_ok(salt, IDENTITY_SALT_BYTES));
        return give_digest(2, ret_digest);
}

/*
 * Any file and any disk: the seed is the file's last 512 bytes, and it is marked only if it was a
 * whole file of ours under the marked name, this machine saved it, in another boot, this is not the
 * first one, the generation of a virtual machine is known and the same, and the mark is gone and that
 * is on the disk.
 *
 * bound: every file
 * unwind: 33
 * mutant: seeder/state/seed-file.c
 *   - if (length != content->size_bytes || memcmp(content->bytes, magic, sizeof(magic)) != 0)
 *   + if (memcmp(content->bytes, magic, sizeof(magic)) != 0)
 * mutant: seeder/state/seed-file.c
 *   - if (length != content->size_bytes || memcmp(content->bytes, magic, sizeof(magic)) != 0)
 *   + if (length != content->size_bytes)
 * mutant: seeder/state/seed-file.c
 *   - memcpy(seed->bytes, content->bytes + sizeof(SeedHeader), SEED_FILE_BYTES);
 *   + memcpy(seed->bytes, content->bytes + sizeof(SeedHeader), content->size_bytes);
 * mutant: seeder/state/seed-file.c
 *   - if (seed_file_strip_mark(directory_fd) < 0)
 *   + if (0)
 * mutant: seeder/state/seed-file.c
 *   - if (identity->first_boot)
 *   + if (0)
 * mutant: seeder/state/seed-file.c
 *   - memcmp(digest, header.identity, sizeof(digest)) != 0)
 *   + 0)
 * mutant: seeder/state/seed-file.c
 *   - if (memcmp(digest, header->boot, sizeof(digest)) == 0)
 *   + if (0)
 * mutant: seeder/state/seed-file.c
 *   - if (!both_known && identity->virtual_possible)
 *   + if (0)
 */
void prove_load(void) {
        SeedFile file = { .directory_fd = 4 };
        Identity identity = {
                .first_boot = nondet_bool(),
                .virtual_possible = nondet_bool(),
        };
        SeedLoad load = { .marked = false };
        size_t at = nondet_size_up_to(IDENTITY_DIGEST_BYTES - 1);

        any_byte = nondet_size_up_to(SEED_FILE_BYTES - 1);

        for (size_t k = 0; k < ELEMENTSOF(digests); k++)
                digests[k] = nondet_bytes(IDENTITY_DIGEST_BYTES);
        if (seed_file_load(&file, &identity, &load) != 0) {
                PROVE(!load.marked && !load.seed);
                return;
        }
        PROVE(n_given == FILE_BYTES && memcmp(given.magic, magic, sizeof(magic)) == 0);
        PROVE(load.seed->size_bytes == SEED_FILE_BYTES);
        PROVE(load.seed->bytes[any_byte] == given_byte);
        PROVE(load.marked == !load.why_not);
        if (!load.marked)
                return;
        PROVE(is_marked && is_stripped && is_synced && !identity.first_boot);
        PROVE(given.identity[at] == digests[0][at]);
        PROVE(is_known(digests[2]) && is_known(given.boot));
        PROVE(memcmp(given.boot, digests[2], IDENTITY_DIGEST_BYTES) != 0);
        PROVE(!identity.virtual_possible ||
              (is_known(digests[1]) && given.generation[at] == digests[1][at]));
}
