/* SPDX-License-Identifier: MIT */
/* Any bytes as a seed file with its mark; of an odd first byte with our own identity in its header.
 * It is credited only if it is whole, ours, and its mark was taken away and synced. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int content_fd;
static unsigned n_renamed, n_synced;

static int fuzz_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        n_renamed++;
        return 0;
}

static int fuzz_fsync(int fd) {
        n_synced += n_renamed == 1;
        return 0;
}

#define openat(...) dup(content_fd)
#define renameat    fuzz_renameat
#define fsync       fuzz_fsync
#include "lib/feed/seed-mark.c"
#include "seeder/state/seed-file.c"
#undef openat
#undef renameat
#undef fsync

static const Identity machine = {
        .machine_id = "0123456789abcdef0123456789abcdef",
        .boot_id = "this one",
};

static void check(bool right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const bool ours = size > sizeof(SeedHeader) && (data[0] & 1);
        SeedHeader header;
        SeedFile file = { .directory_fd = 0 };
        SeedLoad load = {};
        int r;

        n_renamed = n_synced = 0;
        content_fd = memfd_create("seed", MFD_CLOEXEC);
        check(content_fd >= 0 && write(content_fd, data, size) == (ssize_t)size);
        if (ours) {
                memcpy(&header, data, sizeof(header));
                memcpy(header.magic, magic, sizeof(magic));
                check(identity_digest(&machine, header.salt, header.identity) == 0);
                header.boot[0] |= 1;
                check(pwrite(content_fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header));
        }
        check(lseek(content_fd, 0, SEEK_SET) == 0);

        r = seed_file_load(&file, &machine, &load);
        check((r == 0) == (load.seed != NULL));
        check(r == 0 || r == -EBADMSG);
        if (r == 0) {
                check(size == SEED_FILE_HEADER_BYTES + SEED_FILE_BYTES && n_renamed == 1);
                check(n_synced == 1 && load.marked == !load.why_not && load.marked == ours);
        }
        (void)secret_free(load.seed);
        (void)close(content_fd);
        return 0;
}
