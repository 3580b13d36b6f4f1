/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "lib/sources/device.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static unsigned open_before;

static void setup(void) {
        scratch_setup();
        open_before = scratch_open_files();
}

static void teardown(void) {
        CU_ASSERT_EQUAL(scratch_open_files(), open_before);
        scratch_teardown();
}

/* By its path, by an open file, and when it would be opened: the same answer. */
static void check_refused(const char *path, int expected) {
        int fd = open(path, O_PATH | O_CLOEXEC), opened = -1;
        DeviceKind kind = DEVICE_FIFO;

        harness_row("%s", path);
        CU_ASSERT_EQUAL(device_check(path, &kind), expected);
        CU_ASSERT_EQUAL(device_check_fd(fd, &kind), expected);
        CU_ASSERT_EQUAL(device_open(path, &kind, &opened), expected);
        CU_ASSERT_EQUAL(kind, DEVICE_FIFO);
        CU_ASSERT_EQUAL(opened, -1);
        cleanup_close(&fd);
}

static void check_opened(const char *path, DeviceKind expected, int flags) {
        DeviceKind kind = DEVICE_CHAR;
        int fd = -1;

        harness_row("%s", path);
        CU_ASSERT_EQUAL(device_check(path, &kind), 0);
        CU_ASSERT_EQUAL(kind, expected);
        kind = DEVICE_CHAR;
        CU_ASSERT_EQUAL(device_open(path, &kind, &fd), 0);
        CU_ASSERT_EQUAL(kind, expected);
        CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CU_ASSERT_EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), flags);
        cleanup_close(&fd);
}

static void test_kernel_rng(void) {
        check_refused("/dev/random", DEVICE_E_KERNEL_RNG);
        check_refused("/dev/urandom", DEVICE_E_KERNEL_RNG);
        check_refused("/proc/self/root/dev/urandom", DEVICE_E_KERNEL_RNG);
}

static void test_symlinks(void) {
        CU_ASSERT_EQUAL(symlink("/dev/urandom", scratch_path("one")), 0);
        CU_ASSERT_EQUAL(symlink("one", scratch_path("two")), 0);
        check_refused(scratch_path("one"), DEVICE_E_KERNEL_RNG);
        check_refused(scratch_path("two"), DEVICE_E_KERNEL_RNG);
}

static void test_loop(void) {
        DeviceKind kind;

        CU_ASSERT_EQUAL(symlink("loop", scratch_path("loop")), 0);
        CU_ASSERT_EQUAL(device_check(scratch_path("loop"), &kind), -ELOOP);
}

/* By its number, whatever its name. */
static void test_nodes(void) {
        static const struct {
                unsigned minor;
                int refusal;
        } rows[] = {
                { 1, DEVICE_E_MEMORY },     { 3, DEVICE_E_MEMORY },     { 5, DEVICE_E_MEMORY },
                { 8, DEVICE_E_KERNEL_RNG }, { 9, DEVICE_E_KERNEL_RNG }, { 11, DEVICE_E_MEMORY },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), "hwrng%u", rows[i].minor);
                if (mknod(scratch_path(name), S_IFCHR | 0600, makedev(1, rows[i].minor)) < 0)
                        HARNESS_SKIP("only root can make device nodes");
                check_refused(scratch_path(name), rows[i].refusal);
        }
        CU_ASSERT_EQUAL(mknod(scratch_path("disk"), S_IFBLK | 0600, makedev(7, 200)), 0);
        check_refused(scratch_path("disk"), DEVICE_E_BLOCK);
}

static int bind_mount(void *userdata) {
        const char *path = scratch_path("innocent");
        DeviceKind kind;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("/dev/urandom", path, NULL, MS_BIND, NULL) < 0)
                return 77;
        return device_check(path, &kind) == DEVICE_E_KERNEL_RNG ? 0 : 1;
}

static void test_bind_mount(void) {
        int status;

        (void)scratch_write("innocent", "bytes");
        status = scratch_in_child(bind_mount, NULL);
        if (status == 77)
                HARNESS_SKIP("no mount namespaces here");
        CU_ASSERT_EQUAL(status, 0);
        check_opened(scratch_path("innocent"), DEVICE_REGULAR, O_RDONLY | O_NONBLOCK);
}

static void test_memory(void) {
        check_refused("/dev/null", DEVICE_E_MEMORY);
        check_refused("/dev/zero", DEVICE_E_MEMORY);
        check_refused("/dev/full", DEVICE_E_MEMORY);
}

static void test_directory_and_socket(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        check_refused(scratch_directory, DEVICE_E_DIRECTORY);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", scratch_directory);
        CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        check_refused(scratch_path("socket"), DEVICE_E_SOCKET);
        (void)close(fd);
}

static void test_proc(void) {
        check_refused("/proc/sys/kernel/random/uuid", DEVICE_E_PROC);
        check_refused("/proc/self/maps", DEVICE_E_PROC);
        check_refused("/sys/kernel/uevent_seqnum", DEVICE_E_PROC);
}

static void test_good(void) {
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        check_opened(scratch_path("fifo"), DEVICE_FIFO, O_RDWR | O_NONBLOCK);
        (void)scratch_write("file", "bytes");
        check_opened(scratch_path("file"), DEVICE_REGULAR, O_RDONLY | O_NONBLOCK);
}

static void test_hwrng(void) {
        DeviceKind kind;

        if (access("/dev/hwrng", R_OK) < 0)
                HARNESS_SKIP("no /dev/hwrng that may be read");
        CU_ASSERT_EQUAL(device_check("/dev/hwrng", &kind), 0);
        CU_ASSERT_EQUAL(kind, DEVICE_HWRNG);
        check_opened("/dev/hwrng", DEVICE_HWRNG, O_RDONLY);
}

static void test_other_character_device(void) {
        DeviceKind kind;

        CU_ASSERT_EQUAL(device_check("/dev/ptmx", &kind), 0);
        CU_ASSERT_EQUAL(kind, DEVICE_CHAR);
}

static void test_unreadable(void) {
        DeviceKind kind = DEVICE_FIFO;
        int fd = -1;

        (void)scratch_write("file", "");
        CU_ASSERT_EQUAL(device_check(scratch_path("file/below"), &kind), -ENOTDIR);
        CU_ASSERT_EQUAL(device_open(scratch_path("none"), &kind, &fd), -ENOENT);
        CU_ASSERT_EQUAL(device_check_fd(-1, &kind), -EBADF);
        CU_ASSERT_EQUAL(device_check("", &kind), -ENOENT);
        CU_ASSERT_EQUAL(kind, DEVICE_FIFO);
        CU_ASSERT_EQUAL(fd, -1);
}

static void test_reasons(void) {
        for (int code = 1; code < _DEVICE_E_MAX; code++) {
                harness_row("%d", code);
                CU_ASSERT_PTR_NOT_NULL_FATAL(device_refusal_to_string(code));
                CU_ASSERT_NSTRING_EQUAL(device_refusal_to_string(code), "is ", 3);
        }
        CU_ASSERT_PTR_NOT_NULL(device_refusal_to_string(0));
        CU_ASSERT_PTR_NOT_NULL(device_refusal_to_string(-1));
        CU_ASSERT_PTR_NOT_NULL(device_refusal_to_string(_DEVICE_E_MAX));
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_kernel_rng),
        HARNESS_TEST(test_symlinks),
        HARNESS_TEST(test_loop),
        HARNESS_TEST(test_nodes),
        HARNESS_TEST(test_bind_mount),
        HARNESS_TEST(test_memory),
        HARNESS_TEST(test_directory_and_socket),
        HARNESS_TEST(test_proc),
        HARNESS_TEST(test_good),
        HARNESS_TEST(test_hwrng),
        HARNESS_TEST(test_other_character_device),
        HARNESS_TEST(test_unreadable),
        HARNESS_TEST(test_reasons),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("device", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
