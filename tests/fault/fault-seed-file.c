/* SPDX-License-Identifier: MIT */
/*
 * The seed file when any call fails, and when the power is cut before any call. After a cut there is
 * either all that was done, or only what was synced: of a directory its names at its last fsync(), of a
 * file its bytes at its own. In neither case is a seed credited twice, or is there none any more.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "lib/base/secret.h"
#include "lib/kernel/lasting.h"
#include "seeder/state/identity.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

#define CUT_STATUS 99

enum {
        NAMES = 3,
        TAGS = 64,
        CUTS_MAX = 40,
};

static const char *const names[NAMES] = { "seed", "seed.credit", "seed.new" };

/* Lives through the cuts, as a disk does. */
typedef struct Disk {
        struct {
                bool there;
                ino_t inode;
        } synced_names[NAMES]; /* of the directory's last fsync() */
        ino_t synced_inodes[TAGS];
        size_t n_synced_inodes;
        uint64_t credited[TAGS]; /* the beginning of each seed, once for each credit */
        size_t n_credited;
        unsigned n_boots;
} Disk;

static Disk *disk;
static bool cutting;
static char state_directory[64], kept[64]; /* kept: a link to each file, so that it can come back */

static bool now(void) {
        if (!fault_now())
                return false;
        if (cutting)
                _exit(CUT_STATUS);
        return true;
}

#undef FAULT
#define FAULT(_failure, _call) (now() ? (_failure) : (_call))

static void path_of(const char *where, const char *name, char *path, size_t size) {
        (void)snprintf(path, size, "%s/%s", where, name);
}

static void keep(const char *name, ino_t inode) {
        char from[128], to[128], number[32];

        (void)snprintf(number, sizeof(number), "%ju", (uintmax_t)inode);
        path_of(state_directory, name, from, sizeof(from));
        path_of(kept, number, to, sizeof(to));
        if (link(from, to) < 0)
                CU_ASSERT_EQUAL(errno, EEXIST);
}

static void note_sync(int fd) {
        struct stat status;
        char path[128];

        if (fstat(fd, &status) < 0)
                return;
        if (S_ISREG(status.st_mode)) {
                disk->synced_inodes[disk->n_synced_inodes++ % TAGS] = status.st_ino;
                return;
        }
        for (size_t i = 0; i < NAMES; i++) {
                path_of(state_directory, names[i], path, sizeof(path));
                disk->synced_names[i].there = lstat(path, &status) == 0;
                disk->synced_names[i].inode = disk->synced_names[i].there ? status.st_ino : 0;
                if (disk->synced_names[i].there)
                        keep(names[i], status.st_ino);
        }
}

static int fault_fsync(int fd) {
        int r;

        r = FAULT(-1, fsync(fd));
        if (r == 0)
                note_sync(fd);
        return r;
}

static int fault_open(const char *path, int flags) {
        return FAULT(-1, open(path, flags));
}

static int fault_openat(int fd, const char *path, int flags, mode_t mode) {
        return FAULT(-1, openat(fd, path, flags, mode));
}

static int fault_fstat(int fd, struct stat *status) {
        return FAULT(-1, fstat(fd, status));
}

static int fault_flock(int fd, int operation) {
        return FAULT(-1, flock(fd, operation));
}

static int fault_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        return FAULT(-1, renameat(from_fd, from, to_fd, to));
}

static ssize_t fault_read(int fd, void *buffer, size_t n) {
        return FAULT(-1, read(fd, buffer, n));
}

static ssize_t fault_write(int fd, const void *buffer, size_t n) {
        /* Two of them, so that a cut can leave a part. */
        return FAULT(-1, write(fd, buffer, n > 300 ? 300 : n));
}

static ssize_t fault_getrandom(void *buffer, size_t n, unsigned flags) {
        return FAULT(-1, getrandom(buffer, n, flags));
}

/* Whatever the test runs on. What it reads to find out is no call of a load or a save. */
static bool always_lasts(const RootDir *root, int directory_fd, const char **ret_why_not) {
        return true;
}

#define lasting_directory                           always_lasts
#define OPENAT_MODE(_fd, _path, _flags, _mode, ...) fault_openat((_fd), (_path), (_flags), (_mode))
#define openat(...)                                 OPENAT_MODE(__VA_ARGS__, 0, 0)
#define open                                        fault_open
#define fstat                                       fault_fstat
#define flock                                       fault_flock
#define renameat                                    fault_renameat
#define fsync                                       fault_fsync
#define read                                        fault_read
#define write                                       fault_write
#define getrandom                                   fault_getrandom
#include "lib/base/io.c"
#include "lib/feed/seed-mark.c"
#include "lib/feed/state-directory.c"
#include "seeder/state/seed-file.c"
#undef lasting_directory
#undef openat
#undef open
#undef fstat
#undef flock
#undef renameat
#undef fsync
#undef read
#undef write
#undef getrandom

/* Each time another boot of it. */
static Identity machine(void) {
        Identity identity = { .machine_id = "0123456789abcdef0123456789abcdef" };

        (void)snprintf(identity.boot_id, sizeof(identity.boot_id), "boot %u", ++disk->n_boots);
        return identity;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk) {
        (void)remove(path);
        return 0;
}

static void setup(void) {
        (void)snprintf(state_directory, sizeof(state_directory), "/tmp/fault-seed-file.XXXXXX");
        (void)snprintf(kept, sizeof(kept), "/tmp/fault-seed-kept.XXXXXX");
        CU_ASSERT_FATAL(mkdtemp(state_directory) && mkdtemp(kept));
        disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CU_ASSERT_FATAL(disk != MAP_FAILED);
}

static void teardown(void) {
        (void)munmap(disk, sizeof(*disk));
        (void)nftw(state_directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
        (void)nftw(kept, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void start_anew(void) {
        teardown();
        setup();
}

/* What the seeder does in a boot. In a child, since it may be cut. */
static int boot(void) {
        _cleanup_(seed_file_close) SeedFile file = SEED_FILE_NULL;
        const Identity identity = machine();
        SeedLoad load = {};
        bool creditable;
        int r;

        r = seed_file_open(state_directory, true, &file);
        if (r != 0)
                return r;
        r = seed_file_load(&file, &identity, &load);
        if (r == 0 && load.marked)
                memcpy(&disk->credited[disk->n_credited++ % TAGS], load.seed->bytes, 8);
        if (r == 0 || r == SEED_FILE_E_NONE)
                r = seed_file_save(&file, &identity, load.seed, &creditable);
        (void)secret_free(load.seed);
        return r;
}

/* Boots with a cut before the n-th call; 0: none. Whether there was one. */
static bool boot_and_cut(unsigned n) {
        int status = 0;
        pid_t pid;

        pid = fork();
        if (pid == 0) {
                cutting = true;
                fault_at = n;
                fault_calls = 0;
                _exit(boot() == 0 ? 0 : 1);
        }
        CU_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        CU_ASSERT(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CUT_STATUS);
        return WEXITSTATUS(status) == CUT_STATUS;
}

static bool is_synced(ino_t inode) {
        for (size_t i = 0; i < TAGS; i++)
                if (disk->synced_inodes[i] == inode)
                        return true;
        return false;
}

/* What the power cut leaves: of files that were not synced nothing but their names. */
static void lose(bool names_too) {
        struct stat status;
        char path[128], from[128], number[32];

        for (size_t i = 0; i < NAMES; i++) {
                path_of(state_directory, names[i], path, sizeof(path));
                if (names_too) {
                        (void)unlink(path);
                        (void)snprintf(
                                number,
                                sizeof(number),
                                "%ju",
                                (uintmax_t)disk->synced_names[i].inode);
                        path_of(kept, number, from, sizeof(from));
                        if (disk->synced_names[i].there)
                                CU_ASSERT_EQUAL(link(from, path), 0);
                }
                if (lstat(path, &status) == 0 && !is_synced(status.st_ino))
                        CU_ASSERT_EQUAL(truncate(path, 0), 0);
        }
}

static void check_disk(void) {
        char marked[128], unmarked[128];
        struct stat status;

        for (size_t i = 0; i < disk->n_credited && i < TAGS; i++)
                for (size_t j = 0; j < i; j++)
                        CU_ASSERT_NOT_EQUAL(disk->credited[i], disk->credited[j]);
        path_of(state_directory, "seed.credit", marked, sizeof(marked));
        path_of(state_directory, "seed", unmarked, sizeof(unmarked));
        CU_ASSERT(stat(marked, &status) == 0 || stat(unmarked, &status) == 0);
        CU_ASSERT_EQUAL(status.st_size, SEED_FILE_HEADER_BYTES + SEED_FILE_BYTES);
}

/* A cut at each call of a boot, another one at each call of the next, with each kind of loss. */
static void test_power_cut(void) {
        unsigned n_cuts = 0;

        for (unsigned first = 1; first < CUTS_MAX; first++) {
                bool cut = true;

                for (unsigned second = 0; second < CUTS_MAX && cut;
                     second += second ? 3 : 1 + first % 3) {
                        start_anew();
                        CU_ASSERT(!boot_and_cut(0));
                        cut = boot_and_cut(first);
                        if (!cut)
                                break;
                        n_cuts++;
                        lose((first + second) % 2);
                        check_disk();
                        if (second > 0 && boot_and_cut(second)) {
                                lose((first + second) % 4 < 2);
                                check_disk();
                        }
                        CU_ASSERT(!boot_and_cut(0));
                        CU_ASSERT(!boot_and_cut(0));
                        check_disk();
                        /* The last boot found the seed of the one before it, whatever was lost. */
                        CU_ASSERT(disk->n_credited >= 1);
                }
        }
        CU_ASSERT(n_cuts > 100);
}

static bool boot_with_fault(bool *ret_marked) {
        const Identity identity = machine();
        SeedFile file = SEED_FILE_NULL;
        SeedLoad load = {};
        int r;

        r = seed_file_open(state_directory, true, &file);
        if (r == 0)
                r = seed_file_load(&file, &identity, &load);
        *ret_marked = r == 0 && load.marked;
        (void)secret_free(load.seed);
        seed_file_close(&file);
        return r == 0;
}

/* Whatever fails on the way of a load: no credit. And once it was credited, none for the next one. */
static void test_load(void) {
        unsigned rounds = 0, n_marked = 0;

        FAULT_EACH(error, EIO) {
                unsigned at = fault_at;
                bool marked = false, again = false;

                start_anew();
                fault_at = 0;
                CU_ASSERT_EQUAL(boot(), 0);
                fault_at = at;
                fault_calls = 0;
                (void)boot_with_fault(&marked);
                CU_ASSERT_EQUAL(marked, !fault_hit());
                n_marked += marked;
                rounds++;

                at = fault_at;
                fault_at = 0;
                (void)boot_with_fault(&again);
                CU_ASSERT(!(marked && again));
                fault_at = at;
                fault_calls = marked ? 0 : at;
        }
        CU_ASSERT(rounds > 6);
        CU_ASSERT_EQUAL(n_marked, 1);
}

/* A save that fails leaves a whole seed, and no mark that it could not sync. */
static void test_save(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, ENOSPC) {
                _cleanup_(seed_file_close) SeedFile file = SEED_FILE_NULL;
                const Identity identity = machine();
                unsigned at = fault_at;
                bool creditable = false;
                int r;

                start_anew();
                fault_at = 0;
                CU_ASSERT_EQUAL(boot(), 0);
                CU_ASSERT_EQUAL(seed_file_open(state_directory, true, &file), 0);
                fault_at = at;
                fault_calls = 0;
                r = seed_file_save(&file, &identity, NULL, &creditable);
                CU_ASSERT(r == 0 || fault_hit());
                rounds++;
                /* The first call draws the salt, which need not be from a ready RNG; where the seed is
                 * not, it is saved without its mark. */
                CU_ASSERT(!fault_hit() || fault_at == 1 || r < 0 || !creditable);
                check_disk();
        }
        CU_ASSERT(rounds > 8);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_load),
        HARNESS_TEST(test_save),
        HARNESS_TEST(test_power_cut),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("seed file", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
