/* SPDX-License-Identifier: MIT */
/* The list of used seeds when any call fails: what could not be recorded is no first use, and what
 * was one is none again. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/hex.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/kernel/clock.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static void *fault_malloc(size_t size) {
        return FAULT(NULL, malloc(size));
}

static void *fault_calloc(size_t n, size_t size) {
        return FAULT(NULL, calloc(n, size));
}

static int fault_openat(int fd, const char *path, int flags, mode_t mode) {
        return FAULT(-1, openat(fd, path, flags, mode));
}

static int fault_fchmod(int fd, mode_t mode) {
        return FAULT(-1, fchmod(fd, mode));
}

static int fault_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        return FAULT(-1, renameat(from_fd, from, to_fd, to));
}

static int fault_fsync(int fd) {
        return FAULT(-1, fsync(fd));
}

static ssize_t fault_read(int fd, void *buffer, size_t n) {
        return FAULT(-1, read(fd, buffer, n));
}

static ssize_t fault_write(int fd, const void *buffer, size_t n) {
        return FAULT(-1, write(fd, buffer, n));
}

#define OPENAT_MODE(_fd, _path, _flags, _mode, ...) fault_openat((_fd), (_path), (_flags), (_mode))
#define openat(...)                                 OPENAT_MODE(__VA_ARGS__, 0, 0)
#define malloc                                      fault_malloc
#define calloc                                      fault_calloc
#define fchmod                                      fault_fchmod
#define renameat                                    fault_renameat
#define fsync                                       fault_fsync
#define read                                        fault_read
#define write                                       fault_write
#include "lib/base/io.c"
#include "lib/feed/seen.c"
#include "seeder/run/static-credit.c"
#undef openat
#undef malloc
#undef calloc
#undef fchmod
#undef renameat
#undef fsync
#undef read
#undef write

static const uint8_t seed[64] = "not a random seed, but nobody looks at it here";

static char directory[64];
static int directory_fd = -1;

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk) {
        (void)remove(path);
        return 0;
}

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/fault-static-credit.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT_FATAL(directory_fd >= 0);
}

static void teardown(void) {
        (void)close(directory_fd);
        (void)nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static StaticUse use(void) {
        StaticCredit credit;
        const char *note;
        StaticUse result;

        static_credit_init(&credit, directory_fd, "no directory");
        result = static_credit_use(&credit, seed, sizeof(seed), false, &note);
        /* A reason for all but the first use. */
        CU_ASSERT_EQUAL(result == STATIC_USE_FIRST, note == NULL);
        static_credit_deinit(&credit);
        return result;
}

static void test_first_use(void) {
        unsigned rounds = 0, n_first = 0;

        FAULT_EACH(error, EIO) {
                unsigned at = fault_at;
                StaticUse first, second;

                (void)unlinkat(directory_fd, "seen", 0);
                first = use();
                CU_ASSERT(first != STATIC_USE_FIRST || !fault_hit());
                n_first += first == STATIC_USE_FIRST;
                rounds++;

                /* An error of the last sync leaves the digest there: credit is lost, not doubled. */
                fault_at = 0;
                second = use();
                CU_ASSERT(!(first == STATIC_USE_FIRST && second == STATIC_USE_FIRST));
                CU_ASSERT_EQUAL(use(), STATIC_USE_AGAIN);
                fault_at = at;
                fault_calls = first == STATIC_USE_FIRST ? 0 : at;
        }
        CU_ASSERT(rounds > 5);
        CU_ASSERT_EQUAL(n_first, 1);
}

static void test_second_use(void) {
        log_set_max_level(LOG_CRIT);
        CU_ASSERT_EQUAL(use(), STATIC_USE_FIRST);
        FAULT_EACH(error, ENOMEM)
        CU_ASSERT_NOT_EQUAL(use(), STATIC_USE_FIRST);
}

/* What could not be remembered is none of the new ones. */
static void test_live(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, EIO) {
                int r;

                (void)unlinkat(directory_fd, "seen-live", 0);
                r = seen_live(directory_fd, seed, sizeof(seed), false);
                CU_ASSERT_EQUAL(r == 0, !fault_hit());
                CU_ASSERT(r <= 0);
                rounds++;
        }
        CU_ASSERT(rounds > 5);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_live),
        HARNESS_TEST(test_second_use),
        HARNESS_TEST(test_first_use),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("static credit", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
