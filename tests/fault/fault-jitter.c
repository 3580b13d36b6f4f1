/* SPDX-License-Identifier: MIT */
/* A kernel with jitterentropy_rng, played by these calls: each that fails ends in "not offered here",
 * or, later, in its own error; no descriptor is left. */
#include <fcntl.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/feed/reader.h"
#include "lib/sources/jitter-library.h"
#include "lib/sources/source-list.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static unsigned char next;
static struct sockaddr_alg bound;

static int fault_socket(int family, int type, int protocol) {
        return FAULT(-1, family == AF_ALG ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
}

static int fault_bind(int fd, const struct sockaddr *address, socklen_t length) {
        memcpy(&bound, address, sizeof(bound));
        return FAULT(-1, 0);
}

static int fault_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
        return FAULT(-1, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static ssize_t fault_recv(int fd, void *buffer, size_t size, int flags) {
        if (fault_now())
                return -1;
        for (size_t i = 0; i < size; i++)
                ((unsigned char *)buffer)[i] = next++;
        return (ssize_t)size;
}

#define socket  fault_socket
#define bind    fault_bind
#define accept4 fault_accept4
#define recv    fault_recv
#include "lib/sources/source-jitter.c"
#undef socket
#undef bind
#undef accept4
#undef recv

static int lowest_free_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)close(fd);
        return fd;
}

static void test_each_call(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, ENOENT) {
                Source source = { .ops = &source_jitter, .fd = -1 };
                uint8_t buffer[512];
                int free_fd = lowest_free_fd(), r;
                size_t n = 0;

                rounds++;
                next = 0;
                r = source_jitter.open(&source);
                if (r == 0) {
                        r = source_jitter.read(&source, buffer, sizeof(buffer), &n);
                        CU_ASSERT_EQUAL(r, fault_hit() ? -ENOENT : 0);
                } else {
                        CU_ASSERT(fault_hit());
                        CU_ASSERT_EQUAL(r, -EOPNOTSUPP);
                        CU_ASSERT_EQUAL(source.fd, -1);
                }
                /* At most what one call of the kernel gives. */
                CU_ASSERT_EQUAL(n, r == 0 ? 128 : 0);
                for (size_t i = 0; i < n; i++)
                        CU_ASSERT_EQUAL(buffer[i], i);
                cleanup_close(&source.fd);
                CU_ASSERT_EQUAL(lowest_free_fd(), free_fd);
        }
        CU_ASSERT_EQUAL(rounds, 5);
        CU_ASSERT_STRING_EQUAL((const char *)bound.salg_type, "rng");
        CU_ASSERT_STRING_EQUAL((const char *)bound.salg_name, "jitterentropy_rng");
}

static bool must_load(bool by_admin) {
        const ReaderSettings settings = { .config = { .enabled_by_admin = by_admin } };
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        Reader reader;

        CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
        reader_init(&reader, SOURCE_JITTER, &root, false);
        reader_configure(&reader, &settings);
        return reader_must_load(&reader);
}

/* Nobody asks the kernel, which would look for a module. */
static void test_must_load(void) {
        const char with[] = "name         : jitterentropy_rng\ndriver       : jitterentropy_rng\n";
        const char without[] = "name         : sha256\ndriver       : jitterentropy_rng\n";
        const bool unless_loaded = !jitter_library_is_there();

        scratch_setup();
        CU_ASSERT_FALSE(must_load(true));
        CU_ASSERT_EQUAL(must_load(false), unless_loaded);
        (void)scratch_write("proc/crypto", without);
        CU_ASSERT_EQUAL(must_load(false), unless_loaded);
        (void)scratch_write("proc/crypto", with);
        CU_ASSERT_FALSE(must_load(false));
        scratch_teardown();
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_each_call),
        HARNESS_TEST(test_must_load),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("jitter", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
