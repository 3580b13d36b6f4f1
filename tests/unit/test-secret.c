/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/base/secret.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

/* The address sanitizer's mlock() says that it did it. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCK_DOES_NOTHING true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCK_DOES_NOTHING true
#endif
#endif
#ifndef LOCK_DOES_NOTHING
#define LOCK_DOES_NOTHING false
#endif

static Secret *secret;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(secret_new(5000, &secret), 0);
}

static void teardown(void) {
        secret = secret_free(secret);
}

static bool all_zero(const uint8_t *bytes, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (bytes[i] != 0)
                        return false;
        return true;
}

static void test_new(void) {
        Secret *other = NULL;

        CU_ASSERT_EQUAL(secret->size_bytes, 5000);
        CU_ASSERT(all_zero(secret->bytes, secret->size_bytes));
        memset(secret->bytes, 0xa5, secret->size_bytes);

        CU_ASSERT_EQUAL(secret_new(0, &other), -EINVAL);
        CU_ASSERT_EQUAL(secret_new(SIZE_MAX, &other), -EINVAL);
        CU_ASSERT_EQUAL(secret_new(SIZE_MAX - 4096, &other), -EINVAL);
        CU_ASSERT_EQUAL(secret_new(SIZE_MAX / 8 * 7, &other), -ENOMEM);
        CU_ASSERT_PTR_NULL(other);
        CU_ASSERT_PTR_NULL(secret_free(NULL));
}

static void test_wipe(void) {
        memset(secret->bytes, 0xa5, secret->size_bytes);
        secret_wipe(secret);
        CU_ASSERT(all_zero(secret->bytes, secret->size_bytes));
}

static int touch(void *address) {
        volatile uint8_t *byte = address;

        (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would tell a long story */
        (void)*byte;
        return 0;
}

/* The pages before and behind it fault, for a read too. */
static void test_guards(void) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t pages = (secret->size_bytes + page - 1) / page * page;

        CU_ASSERT_EQUAL(scratch_in_child(touch, secret->bytes), 0);
        CU_ASSERT_EQUAL(scratch_in_child(touch, secret->bytes + secret->size_bytes - 1), 0);
        CU_ASSERT_EQUAL(scratch_in_child(touch, secret->bytes - 1), -SIGSEGV);
        CU_ASSERT_EQUAL(scratch_in_child(touch, secret->bytes + pages), -SIGSEGV);
}

/* The VmFlags line of the mapping in /proc/self/smaps. */
static bool read_flags(const void *address, char *flags, size_t size) {
        FILE *smaps = fopen("/proc/self/smaps", "re");
        char line[200];
        bool mine = false, found = false;

        if (!smaps)
                return false;
        while (!found && fgets(line, sizeof(line), smaps)) {
                char *end;
                unsigned long long from = strtoull(line, &end, 16), to;

                if (*end == '-') {
                        to = strtoull(end + 1, NULL, 16);
                        mine = from <= (uintptr_t)address && (uintptr_t)address < to;
                } else if (mine && strncmp(line, "VmFlags:", 8) == 0) {
                        (void)snprintf(flags, size, "%s", line + 8);
                        found = true;
                }
        }
        (void)fclose(smaps);
        return found;
}

static void test_flags(void) {
        char flags[256];

        if (!read_flags(secret->bytes, flags, sizeof(flags)))
                HARNESS_SKIP("no /proc/self/smaps with VmFlags");
        CU_ASSERT_PTR_NOT_NULL(strstr(flags, " dd")); /* not in core dumps */
        CU_ASSERT_PTR_NOT_NULL(strstr(flags, " wf")); /* wiped on fork */
        CU_ASSERT(!secret->locked || LOCK_DOES_NOTHING || strstr(flags, " lo"));
}

static int count_others(void *userdata) {
        unsigned n = 0;

        for (size_t i = 0; i < secret->size_bytes; i++)
                n += secret->bytes[i] != 0;
        return n > 0;
}

static void test_not_for_children(void) {
        memset(secret->bytes, 0xa5, secret->size_bytes);
        CU_ASSERT_EQUAL(scratch_in_child(count_others, NULL), 0);
        CU_ASSERT_EQUAL(secret->bytes[0], 0xa5);
}

/* Without any locked memory there is still a secret, and it says that it is not locked. */
static int without_lock(void *userdata) {
        const struct rlimit none = {};
        Secret *other;

        if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 || setuid(65534) < 0)
                return 2;
        if (secret_new(100, &other) < 0 || (other->locked && !LOCK_DOES_NOTHING))
                return 1;
        other->bytes[99] = 1;
        (void)secret_free(other);
        return 0;
}

static void test_without_lock(void) {
        int status;

        if (geteuid() != 0)
                HARNESS_SKIP("only root can become another user");
        status = scratch_in_child(without_lock, NULL);
        CU_ASSERT_EQUAL(status, 0);
}

/* A freed secret is unmapped, so a pointer that was kept faults. */
static void test_freed(void) {
        uint8_t *bytes = secret->bytes;

        secret = secret_free(secret);
        CU_ASSERT_PTR_NULL(secret);
        CU_ASSERT(msync((void *)((uintptr_t)bytes & ~(uintptr_t)4095), 1, MS_ASYNC) < 0);
        CU_ASSERT_EQUAL(errno, ENOMEM);
}

static void test_stack(void) {
        secret_wipe_stack(); /* its effect is seen by the black-box test, in rngd's memory */
        for (unsigned i = 0; i < 1000; i++) {
                Secret *other;

                CU_ASSERT_EQUAL_FATAL(secret_new(1, &other), 0);
                (void)secret_free(other);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_new),
        HARNESS_TEST(test_wipe),
        HARNESS_TEST(test_guards),
        HARNESS_TEST(test_flags),
        HARNESS_TEST(test_not_for_children),
        HARNESS_TEST(test_without_lock),
        HARNESS_TEST(test_freed),
        HARNESS_TEST(test_stack),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("secret", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
