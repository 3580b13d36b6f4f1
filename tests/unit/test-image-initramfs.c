/* SPDX-License-Identifier: MIT */
/* Stand-ins for lsinitramfs: shell scripts in a private directory. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/kernel/clock.h"
#include "seeder/image/initramfs.h"
#include "seeder/image/text.h"
#include "tests/unit/harness.h"

#define SECOND_USEC UINT64_C(1000000)

static char directory[64], tool[96], file[96];

static void write_file(const char *path, const char *text, mode_t mode) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(io_write_full(fd, text, strlen(text)), 0);
        CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
}

static void setup_tool(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/image-initramfs.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        CU_ASSERT_EQUAL(chmod(directory, 0755), 0);
        (void)snprintf(tool, sizeof(tool), "%s/tool", directory);
        (void)snprintf(file, sizeof(file), "%s/file", directory);
        write_file(file, "lib/virtio-rng.ko\n", 0600);
}

static void teardown_tool(void) {
        (void)unlink(tool);
        (void)unlink(file);
        CU_ASSERT_EQUAL(rmdir(directory), 0);
}

static int list(const char *script, uint64_t timeout_usec, unsigned *ret_bits) {
        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);

        write_file(tool, script, 0755);
        return initramfs_list_with(tool, fd, timeout_usec, ret_bits);
}

/* The file is root's alone, and the tool is neither root nor nobody. */
static void test_reads_the_file(void) {
        unsigned bits = 0;

        if (geteuid() != 0)
                HARNESS_SKIP("not root");
        CU_ASSERT_EQUAL(
                list("#!/bin/sh\n! { [ \"$(id -u)\" = 0 ] || [ \"$(id -u)\" = 65534 ]; } && [ ! -L \"$1\" ] && cat \"$1\"\n",
                     20 * SECOND_USEC,
                     &bits),
                0);
        CU_ASSERT_EQUAL(bits, IMAGE_LISTING_NAMES | IMAGE_LISTING_VIRTIO_RNG);
}

static void test_gives_up_its_rights(void) {
        unsigned bits = 0;

        if (geteuid() != 0)
                HARNESS_SKIP("not root");
        /* Nothing of ours in the environment, no right to write, only its own directory. */
        CU_ASSERT_EQUAL(setenv("SECRET", "x", 1), 0);
        CU_ASSERT_EQUAL(
                list("#!/bin/sh\n[ -z \"${SECRET-}\" ] || exit 1\n"
                     "touch \"$1\" 2>/dev/null && exit 2\n"
                     "(: >/etc/guest-entropy-test) 2>/dev/null && exit 3\n"
                     "grep -q '^CapEff:\t0000000000000004$' /proc/self/status || exit 4\n"
                     "grep -q '^NoNewPrivs:\t1$' /proc/self/status || exit 5\n"
                     "mkdir \"$TMPDIR/left\" && touch \"$TMPDIR/left/behind\" || exit 6\n"
                     "echo usr/bin/entropy-seeder\n",
                     20 * SECOND_USEC,
                     &bits),
                0);
        CU_ASSERT_EQUAL(bits, IMAGE_LISTING_NAMES | IMAGE_LISTING_SEEDER);
        CU_ASSERT_EQUAL(unsetenv("SECRET"), 0);
}

static void test_failures(void) {
        static const struct {
                const char *script;
                int expected;
                unsigned bits;
        } rows[] = {
                { "#!/bin/sh\nexit 0\n", INITRAMFS_E_FAILED, 0 },
                { "#!/bin/sh\necho nothing\n", INITRAMFS_E_FAILED, 0 },
                { "#!/bin/sh\necho a/virtio-rng.ko\nexit 2\n",
                  INITRAMFS_E_FAILED,
                  IMAGE_LISTING_NAMES | IMAGE_LISTING_VIRTIO_RNG },
                { "#!/bin/sh\nkill -9 $$\n", INITRAMFS_E_FAILED, 0 },
                { "#!/no/such/shell\n", INITRAMFS_E_FAILED, 0 },
                { "#!/bin/sh\necho a/b\nsleep 60 &\nsleep 60\n",
                  INITRAMFS_E_TIMEOUT,
                  IMAGE_LISTING_NAMES },
                { "#!/bin/sh\nexec yes a/b\n", INITRAMFS_E_TIMEOUT, IMAGE_LISTING_NAMES },
                { "#!/bin/sh\nexec >/dev/null\nsleep 60\n", INITRAMFS_E_FAILED, 0 },
        };
        uint64_t start_usec = clock_boottime_usec();

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unsigned bits = 0;

                harness_row("%s", rows[i].script);
                CU_ASSERT_EQUAL(list(rows[i].script, 2 * SECOND_USEC, &bits), rows[i].expected);
                CU_ASSERT_EQUAL(bits, rows[i].bits);
        }
        CU_ASSERT(clock_boottime_usec() - start_usec < 25 * SECOND_USEC);
}

static void test_no_tool(void) {
        unsigned bits = 0;

        CU_ASSERT_EQUAL(
                initramfs_list_with("/no/such/tool", 0, SECOND_USEC, &bits),
                INITRAMFS_E_NO_TOOL);
}

/* A line without an end is cut, and the rest of the output is still read. */
static void test_long_line(void) {
        unsigned bits = 0;

        CU_ASSERT_EQUAL(
                list("#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\necho\n"
                     "printf bin/entropy-seeder\n",
                     20 * SECOND_USEC,
                     &bits),
                0);
        CU_ASSERT_EQUAL(bits, IMAGE_LISTING_NAMES | IMAGE_LISTING_SEEDER);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_reads_the_file), HARNESS_TEST(test_gives_up_its_rights),
        HARNESS_TEST(test_failures),       HARNESS_TEST(test_no_tool),
        HARNESS_TEST(test_long_line),      CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("image-initramfs", setup_tool, teardown_tool, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
