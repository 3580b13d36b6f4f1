/* SPDX-License-Identifier: MIT */
/* The digests are Python's: sha512(domain + b"\0" + for each part: length as 8 bytes + part). */
#include <string.h>

#include "lib/base/hash.h"
#include "tests/unit/harness.h"

static const char *hex(const uint8_t digest[static HASH_SHA512_BYTES]) {
        static char text[2 * HASH_SHA512_BYTES + 1];

        for (size_t i = 0; i < HASH_SHA512_BYTES; i++)
                (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
        return text;
}

static void test_known(void) {
        static const uint8_t zeroes[200];
        const HashPart one[] = { { "abc", 3 } };
        const HashPart three[] = { { "", 0 }, { "abc", 3 }, { zeroes, sizeof(zeroes) } };
        uint8_t digest[HASH_SHA512_BYTES];

        CU_ASSERT_EQUAL(hash_sha512("d", NULL, 0, digest), 0);
        CU_ASSERT_STRING_EQUAL(
                hex(digest),
                "c37f27b442d578e94db6e5d879d026b0b3457f42b99ec56a9cb6fca3161540a3"
                "2e207b942ef2ddb7be01fa9245ba4d8c859978a0f9a498c1ad8aa46d0890e6be");
        CU_ASSERT_EQUAL(hash_sha512("d", one, 1, digest), 0);
        CU_ASSERT_STRING_EQUAL(
                hex(digest),
                "38509c074b39f073f90d158c3c5155fd917b5b1ec4d1253f328b8f12e06da8b9"
                "a2d08a7dc080ce26206a660c9480c38aea39d0235427072af569dee3680b41ff");
        CU_ASSERT_EQUAL(hash_sha512("domain", three, 3, digest), 0);
        CU_ASSERT_STRING_EQUAL(
                hex(digest),
                "6f5a73c5930a7a99ea2ff70f563b424ea0f305c7d8c5f4bfca5384a5fe8cb5d5"
                "ae078e2c4cfb98525172250e22b9337a4b475aa71917c7a85331d88eba0e5a83");
}

/* Each length around the ends of blocks, each digest a part of the next input. */
static void test_lengths(void) {
        uint8_t digest[HASH_SHA512_BYTES] = {}, bytes[400];

        for (size_t n = 0; n < sizeof(bytes); n++) {
                const HashPart parts[] = { { digest, sizeof(digest) }, { bytes, n } };

                for (size_t i = 0; i < n; i++)
                        bytes[i] = (uint8_t)(7 * i + n);
                CU_ASSERT_EQUAL(hash_sha512("chain", parts, 2, digest), 0);
        }
        CU_ASSERT_STRING_EQUAL(
                hex(digest),
                "199fcbaed43bc5f2e0167de189d086b0e5e2a462c5bd762d606c9dc65fab84f9"
                "ae673caf3523d1a6d51645fccca12ba63b78d7ea4ac5de286911cec15fb1b2a8");
}

/* Inputs that would be one string if they were simply put together. */
static void test_separation(void) {
        static const struct {
                const char *domain;
                HashPart parts[3];
                size_t n_parts;
        } rows[] = {
                { "d", { { "ab", 2 }, { "c", 1 } }, 2 },
                { "d", { { "a", 1 }, { "bc", 2 } }, 2 },
                { "d", { { "abc", 3 } }, 1 },
                { "da", { { "bc", 2 } }, 1 },
                { "d", { { "abc", 3 }, { "", 0 } }, 2 },
                { "d", { { "", 0 }, { "abc", 3 } }, 2 },
                { "", { { "dabc", 4 } }, 1 },
                { "d", { { "abc", 4 } }, 1 },
        };
        uint8_t digests[ELEMENTSOF(rows)][HASH_SHA512_BYTES];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CU_ASSERT_EQUAL(
                        hash_sha512(rows[i].domain, rows[i].parts, rows[i].n_parts, digests[i]),
                        0);
                for (size_t j = 0; j < i; j++) {
                        harness_row("%zu and %zu", i, j);
                        CU_ASSERT(memcmp(digests[i], digests[j], HASH_SHA512_BYTES) != 0);
                }
        }
}

static void test_limits(void) {
        HashPart parts[HASH_PARTS_MAX + 1];
        uint8_t digest[HASH_SHA512_BYTES] = { 1 };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                parts[i] = (HashPart){ "x", 1 };
        CU_ASSERT_EQUAL(hash_sha512("d", parts, HASH_PARTS_MAX + 1, digest), -EINVAL);
        CU_ASSERT_EQUAL(digest[0], 1);
        CU_ASSERT_EQUAL(hash_sha512("d", parts, HASH_PARTS_MAX, digest), 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_known),  HARNESS_TEST(test_lengths), HARNESS_TEST(test_separation),
        HARNESS_TEST(test_limits), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("hash", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
