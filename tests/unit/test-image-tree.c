/* SPDX-License-Identifier: MIT */
/* Each case with openat2() and as on a kernel without it: there a link is refused, never followed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "seeder/image/tree.h"
#include "tests/unit/harness.h"

static char directory[64];
static Tree tree = TREE_NULL;

static void make_file(const char *name, const char *text) {
        _cleanup_close_ int fd = openat(tree.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(io_write_full(fd, text, strlen(text)), 0);
}

static void setup_tree(void) {
        char path[96];

        (void)snprintf(directory, sizeof(directory), "/tmp/image-tree.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/root", directory);
        CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
        CU_ASSERT_EQUAL_FATAL(tree_open(path, &tree), 0);
        CU_ASSERT_EQUAL(mkdirat(tree.fd, "a", 0700), 0);
        CU_ASSERT_EQUAL(mkdirat(tree.fd, "a/b", 0700), 0);
        make_file("a/b/file", "inside");
        make_file("../secret", "outside");
        CU_ASSERT_EQUAL(symlinkat("/a", tree.fd, "absolute"), 0);
        CU_ASSERT_EQUAL(symlinkat("../../a", tree.fd, "relative"), 0);
        CU_ASSERT_EQUAL(symlinkat("../secret", tree.fd, "escape"), 0);
        CU_ASSERT_EQUAL(symlinkat("/proc/self/cwd", tree.fd, "magic"), 0);
        CU_ASSERT_EQUAL(symlinkat("loop", tree.fd, "loop"), 0);
        CU_ASSERT_EQUAL(mkfifoat(tree.fd, "fifo", 0600), 0);
}

static void teardown_tree(void) {
        char command[128];

        tree_close(&tree);
        (void)snprintf(command, sizeof(command), "rm -rf -- %s", directory);
        CU_ASSERT_EQUAL(system(command), 0); // NOLINT(cert-env33-c)
}

static int read_result(const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        int r;

        r = tree_read(&tree, path, 16, &text, &length);
        if (r == 0)
                CU_ASSERT(length == 6 && memcmp(text, "inside", 6) == 0);
        return r;
}

static void test_read(void) {
        static const struct {
                const char *path;
                int expected, refusing;
        } rows[] = {
                { "a/b/file", 0, 0 },
                { "a//b/file", 0, 0 },
                { "absolute/b/file", 0, -ELOOP },
                { "relative/b/file", 0, -ELOOP },
                { "a/../a/b/file", 0, -ELOOP },
                { "../a/b/file", 0, -ELOOP },
                { "escape", TREE_E_ABSENT, -ELOOP },
                { "../secret", TREE_E_ABSENT, -ELOOP },
                { "magic/file", TREE_E_ABSENT, -ELOOP },
                { "loop", -ELOOP, -ELOOP },
                { "fifo", TREE_E_NOT_A_FILE, TREE_E_NOT_A_FILE },
                { "a", TREE_E_NOT_A_FILE, TREE_E_NOT_A_FILE },
                { "a/none", TREE_E_ABSENT, TREE_E_ABSENT },
                { "a/b/file/x", TREE_E_ABSENT, TREE_E_ABSENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].path);
                if (!tree.refuse_links)
                        CU_ASSERT_EQUAL(read_result(rows[i].path), rows[i].expected);
        }
        tree.refuse_links = true;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s, without openat2", rows[i].path);
                CU_ASSERT_EQUAL(read_result(rows[i].path), rows[i].refusing);
        }
}

static void test_read_bounds(void) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;

        CU_ASSERT_EQUAL(tree_read(&tree, "a/b/file", 6, &text, &length), 0);
        CU_ASSERT_EQUAL(length, 6);
        CU_ASSERT_EQUAL(tree_read(&tree, "a/b/file", 5, &text, &length), -EFBIG);
}

static void test_entry(void) {
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_entry_ Entry entry = ENTRY_NULL;

                tree.refuse_links = i == 1;
                CU_ASSERT_EQUAL(entry_open(&tree, "escape", &entry), 0);
                CU_ASSERT(S_ISLNK(entry.status.st_mode));
                CU_ASSERT_EQUAL(tree_reopen(entry.fd), -ENXIO);
                CU_ASSERT_STRING_EQUAL(entry.name, "escape");
        }
        {
                _cleanup_entry_ Entry entry = ENTRY_NULL;

                CU_ASSERT_EQUAL(entry_open(&tree, "a/x", &entry), TREE_E_ABSENT);
                CU_ASSERT_EQUAL(entry_open(&tree, "a/..", &entry), -EINVAL);
                CU_ASSERT_EQUAL(entry_open(&tree, "a/", &entry), -EINVAL);
        }
}

static void count(const char *path, void *userdata) {
        CU_ASSERT_PTR_NOT_NULL(strstr(path, "a/"));
        (*(unsigned *)userdata)++;
}

static void test_glob(void) {
        static const struct {
                const char *pattern;
                unsigned matches;
        } rows[] = {
                { "a/b/file", 1 }, { "a/*/file", 1 },   { "[ab]/*/fil?", 1 },
                { "a/b/*", 1 },    { "a/*/none", 0 },   { "none/*", 0 },
                { "fifo/*", 0 },   { "a/b/file/*", 0 }, { "a/*/../b/file", 1 },
        };

        unsigned n;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                n = 0;
                harness_row("%s", rows[i].pattern);
                CU_ASSERT_EQUAL(tree_glob(&tree, rows[i].pattern, count, &n), 0);
                CU_ASSERT_EQUAL(n, rows[i].matches);
        }
        tree.refuse_links = true;
        CU_ASSERT_EQUAL(tree_glob(&tree, "absolute/*", count, &n), -ELOOP);
        CU_ASSERT_EQUAL(tree_glob(&tree, "*/b", count, &n), -ELOOP);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_read),  HARNESS_TEST(test_read_bounds),
        HARNESS_TEST(test_entry), HARNESS_TEST(test_glob),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("image-tree", setup_tree, teardown_tree, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
