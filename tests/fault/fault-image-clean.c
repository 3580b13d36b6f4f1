/* SPDX-License-Identifier: MIT */
/* Each system call of finding and cleaning fails in turn: what was not done is said, a machine id
 * is the old one or the new one and never a part, and no temporary file stays behind. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "lib/base/io.h"
#include "seeder/image/clean.h"
#include "seeder/image/find.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static long fault_syscall(long number, int fd, const char *path, const void *how, size_t size) {
        return FAULT(-1, syscall(number, fd, path, how, size));
}

static int fault_open(const char *path, int flags) {
        return FAULT(-1, open(path, flags));
}

static int fault_openat(int fd, const char *path, int flags, ...) {
        va_list args;
        mode_t mode;

        va_start(args, flags);
        mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
        va_end(args);
        return FAULT(-1, openat(fd, path, flags, mode));
}

static int fault_fstat(int fd, struct stat *ret_status) {
        return FAULT(-1, fstat(fd, ret_status));
}

static DIR *fault_fdopendir(int fd) {
        return FAULT(NULL, fdopendir(fd));
}

static struct dirent *fault_readdir(DIR *directory) {
        return FAULT(NULL, readdir(directory));
}

static int fault_unlinkat(int fd, const char *path, int flags) {
        return FAULT(-1, unlinkat(fd, path, flags));
}

static int fault_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        return FAULT(-1, renameat(from_fd, from, to_fd, to));
}

static int fault_fsync(int fd) {
        return FAULT(-1, fsync(fd));
}

static int fault_fchmod(int fd, mode_t mode) {
        return FAULT(-1, fchmod(fd, mode));
}

static int fault_fchown(int fd, uid_t uid, gid_t gid) {
        return FAULT(-1, fchown(fd, uid, gid));
}

static int fault_io_write_full(int fd, const void *buffer, size_t length) {
        return FAULT(-EIO, io_write_full(fd, buffer, length));
}

#define syscall       fault_syscall
#define open          fault_open
#define openat        fault_openat
#define fstat         fault_fstat
#define fdopendir     fault_fdopendir
#define readdir       fault_readdir
#define unlinkat      fault_unlinkat
#define renameat      fault_renameat
#define fsync         fault_fsync
#define fchmod        fault_fchmod
#define fchown        fault_fchown
#define io_write_full fault_io_write_full
#include "seeder/image/clean.c"
#include "seeder/image/tree.c"
#undef syscall
#undef open
#undef openat
#undef fstat
#undef fdopendir
#undef readdir
#undef unlinkat
#undef renameat
#undef fsync
#undef fchmod
#undef fchown
#undef io_write_full

#define OLD_ID "0123456789abcdef0123456789abcdef\n"

static char directory[64];
static int directory_fd = -1;

static void make_file(const char *name, const char *text) {
        _cleanup_close_ int fd =
                openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(io_write_full(fd, text, strlen(text)), 0);
}

static void setup_tree(void) {
        static const char *const directories[] = { "etc",
                                                   "var",
                                                   "var/lib",
                                                   "var/lib/guest-entropy" };

        (void)snprintf(directory, sizeof(directory), "/tmp/fault-image.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                CU_ASSERT_EQUAL(mkdirat(directory_fd, directories[i], 0700), 0);
}

static void teardown_tree(void) {
        char command[128];

        cleanup_close(&directory_fd);
        (void)snprintf(command, sizeof(command), "rm -rf -- %s", directory);
        CU_ASSERT_EQUAL(system(command), 0); // NOLINT(cert-env33-c)
}

static void plant(void) {
        make_file("etc/machine-id", OLD_ID);
        make_file("var/lib/guest-entropy/seed", "seed");
        make_file("var/lib/guest-entropy/seen", "seen");
}

static bool there(const char *name) {
        return faccessat(directory_fd, name, F_OK, 0) == 0;
}

static void check_machine_id(void) {
        char text[64] = "";

        CU_ASSERT_EQUAL(io_read_text_at(directory_fd, "etc/machine-id", text, sizeof(text)), 0);
        CU_ASSERT(
                strcmp(text, "uninitialized") == 0 ||
                strncmp(text, OLD_ID, sizeof(OLD_ID) - 2) == 0);
        CU_ASSERT_FALSE(there("etc/" TEMPORARY_NAME));
}

/* Finding: a failure is an item of its own, or a negative errno; never silence. */
static void test_find(void) {
        unsigned rounds = 0;

        plant();
        FAULT_EACH(error, EIO) {
                _cleanup_report_ Report report = REPORT_NULL;
                _cleanup_tree_ Tree tree = TREE_NULL;
                int r;

                rounds++;
                r = tree_open(directory, &tree);
                if (r < 0) {
                        CU_ASSERT(fault_hit());
                        continue;
                }
                template_find(&tree, GROUPS_ALL, &report);
                CU_ASSERT_FALSE(report.no_memory);
                if (report_count(&report, STATE_FINDING) < 3)
                        CU_ASSERT(report_count(&report, STATE_ERROR) > 0);
                if (!fault_hit()) {
                        CU_ASSERT_EQUAL(report_count(&report, STATE_FINDING), 3);
                        CU_ASSERT_EQUAL(report_count(&report, STATE_ERROR), 0);
                }
        }
        CU_ASSERT(rounds > 50);
}

/* A kernel without openat2(), at any of its calls: all that is not behind a link is still found. */
static void test_no_openat2(void) {
        _cleanup_report_ Report report = REPORT_NULL;
        _cleanup_tree_ Tree tree = TREE_NULL;

        plant();
        fault_at = 2; /* open() is the first */
        fault_calls = 0;
        fault_errno = ENOSYS;
        CU_ASSERT_EQUAL(tree_open(directory, &tree), 0);
        fault_at = 0;
        CU_ASSERT_TRUE(tree.refuse_links);
        template_find(&tree, GROUPS_ALL, &report);
        CU_ASSERT_EQUAL(report_count(&report, STATE_FINDING), 3);
}

static void test_clean(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, EIO) {
                _cleanup_report_ Report report = REPORT_NULL;
                _cleanup_tree_ Tree tree = TREE_NULL;
                unsigned at = fault_at;
                size_t n_failed;

                rounds++;
                plant();
                fault_at = 0;
                CU_ASSERT_EQUAL(tree_open(directory, &tree), 0);
                template_find(&tree, GROUPS_ALL, &report);
                fault_at = at;
                fault_calls = 0;
                clean_plan(&tree, NULL, &report);
                clean_carry_out(&tree, NULL, &report);
                n_failed = report_count_outcome(&report, OUTCOME_FAILED);

                check_machine_id();
                CU_ASSERT(n_failed <= 1);
                if (there("var/lib/guest-entropy/seed") || there("var/lib/guest-entropy/seen"))
                        CU_ASSERT_EQUAL(n_failed, 1);
                if (!fault_hit())
                        CU_ASSERT_EQUAL(n_failed, 0);
        }
        CU_ASSERT(rounds > 20);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_find),
        HARNESS_TEST(test_no_openat2),
        HARNESS_TEST(test_clean),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("image-clean", setup_tree, teardown_tree, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
