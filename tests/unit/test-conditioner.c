/* SPDX-License-Identifier: MIT */
/* The outputs are Python's, by the definition in conditioner.h. */
#include <endian.h>
#include <string.h>

#include "lib/intake/conditioner.h"
#include "tests/unit/harness.h"

static Secret *secret;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(secret_new(4096, &secret), 0);
        for (size_t i = 0; i < secret->size_bytes; i++)
                secret->bytes[i] = (uint8_t)i;
}

static void teardown(void) {
        secret = secret_free(secret);
}

static bool is_wiped_from(size_t at) {
        for (; at < secret->size_bytes; at++)
                if (secret->bytes[at] != 0)
                        return false;
        return true;
}

static void test_known(void) {
        static const uint8_t first[32] = {
                0xf0, 0xd6, 0x1e, 0x9a, 0x18, 0x88, 0xe3, 0x88, 0xdf, 0x49, 0xfb,
                0xbf, 0x14, 0xff, 0xe2, 0x37, 0x0a, 0x30, 0x77, 0x36, 0x28, 0xd6,
                0x52, 0x23, 0x1d, 0x6b, 0x28, 0xd3, 0x55, 0x12, 0x90, 0x3c,
        };
        static const uint8_t begin[8] = { 0x74, 0xd8, 0x56, 0x1e, 0xf2, 0xd1, 0x38, 0x65 };
        static const uint8_t end[8] = { 0x50, 0xb7, 0x6c, 0x42, 0xd2, 0xbd, 0xf8, 0x15 };
        size_t length = 0;

        if (BYTE_ORDER != LITTLE_ENDIAN)
                HARNESS_SKIP("the numbers are those of a little-endian machine");

        CU_ASSERT_EQUAL(conditioner_run(secret, 64, 256, &length), 0);
        CU_ASSERT_EQUAL(length, 32);
        CU_ASSERT_EQUAL(memcmp(secret->bytes, first, sizeof(first)), 0);
        CU_ASSERT(is_wiped_from(32));

        teardown();
        setup();
        /* Two blocks, the second one cut; 807 bits are 100 bytes and seven bits for nobody. */
        CU_ASSERT_EQUAL(conditioner_run(secret, 200, 807, &length), 0);
        CU_ASSERT_EQUAL(length, 100);
        CU_ASSERT_EQUAL(memcmp(secret->bytes, begin, sizeof(begin)), 0);
        CU_ASSERT_EQUAL(memcmp(secret->bytes + 92, end, sizeof(end)), 0);
        CU_ASSERT(is_wiped_from(100));
}

/* Never more bytes than the input's entropy, whatever the numbers. */
static void test_lengths(void) {
        for (uint32_t bits = 0; bits <= 8 * 96; bits += 5) {
                size_t length = 4096;

                memset(secret->bytes, (int)bits, secret->size_bytes);
                CU_ASSERT_EQUAL(conditioner_run(secret, 96, bits, &length), 0);
                CU_ASSERT_EQUAL(length, bits / 8);
                CU_ASSERT(length <= 96);
                CU_ASSERT(is_wiped_from(length));
        }
}

static void test_whole(void) {
        size_t length = 0;

        CU_ASSERT_EQUAL(conditioner_run(secret, 4096, 8 * 4096, &length), 0);
        CU_ASSERT_EQUAL(length, 4096);
}

static void test_refused(void) {
        size_t length = 7;

        CU_ASSERT_EQUAL(conditioner_run(secret, 64, 513, &length), -EINVAL);
        CU_ASSERT_EQUAL(conditioner_run(secret, 0, 0, &length), -EINVAL);
        CU_ASSERT_EQUAL(conditioner_run(secret, 4097, 8, &length), -EINVAL);
        CU_ASSERT_EQUAL(conditioner_run(secret, 64, UINT32_MAX, &length), -EINVAL);
        CU_ASSERT_EQUAL(length, 7);
        CU_ASSERT_EQUAL(secret->bytes[255], 255);
}

/* One bit of the input changes everything. */
static void test_depends_on_all(void) {
        uint8_t before[32];
        size_t length;

        CU_ASSERT_EQUAL(conditioner_run(secret, 64, 256, &length), 0);
        memcpy(before, secret->bytes, sizeof(before));
        for (size_t i = 0; i < 64; i++) {
                unsigned same = 0;

                teardown();
                setup();
                secret->bytes[i] ^= 0x10;
                CU_ASSERT_EQUAL(conditioner_run(secret, 64, 256, &length), 0);
                for (size_t j = 0; j < sizeof(before); j++)
                        same += before[j] == secret->bytes[j];
                CU_ASSERT(same < 5);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_known),   HARNESS_TEST(test_lengths),        HARNESS_TEST(test_whole),
        HARNESS_TEST(test_refused), HARNESS_TEST(test_depends_on_all), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("conditioner", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
