/* SPDX-License-Identifier: MIT */
/* Captured and hand-made trees of tests/data/kernel. */
#include <stdio.h>
#include <string.h>

#include "lib/kernel/hwrng.h"
#include "lib/kernel/random.h"
#include "tests/unit/harness.h"

static int open_tree(const char *name, RootDir *ret_root) {
        char path[512];

        (void)snprintf(path, sizeof(path), TEST_DATA "/kernel/%s", name);
        return rootdir_open(path, ret_root);
}

static void test_trees(void) {
        static const struct {
                const char *tree;
                int r;
                const char *name;
                bool local;
                uint32_t quality_per_1024;
        } rows[] = {
                { "virtio-6.18", 0, "virtio_rng.0", false, 1024 },
                { "counting-5.10", 0, "virtio_rng.0", false, 0 },
                { "tpm", 0, "tpm-rng-0", false, 1000 },
                { "soc", 0, "bcm2835-rng", true, 1000 },
                { "none", -ENODEV, "before", false, 7 },
                { "truncated", -ENODEV, "before", false, 7 },
                { "garbage", 0, "\001\002/../x", false, 0 },
                { "zeros", -EINVAL, "before", false, 7 },
                { "long", -EFBIG, "before", false, 7 },
                { ".", -ENOENT, "before", false, 7 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Hwrng hwrng = { .name = "before", .quality_per_1024 = 7 };
                RootDir root = ROOTDIR_NULL;

                harness_row("%s", rows[i].tree);
                CU_ASSERT_EQUAL_FATAL(open_tree(rows[i].tree, &root), 0);
                CU_ASSERT_EQUAL(hwrng_read_current(&root, &hwrng), rows[i].r);
                CU_ASSERT_STRING_EQUAL(hwrng.name, rows[i].name);
                CU_ASSERT_EQUAL(hwrng.local, rows[i].local);
                CU_ASSERT_EQUAL(hwrng.quality_per_1024, rows[i].quality_per_1024);
                rootdir_close(&root);
        }
}

static void test_sysctls(void) {
        static const struct {
                const char *tree;
                int pool_r;
                uint32_t pool_bits;
                int threshold_r;
                uint32_t threshold_bits;
        } rows[] = {
                { "virtio-6.18", 0, 256, 0, 256 },     { "counting-5.10", 0, 4096, 0, 896 },
                { "garbage", -EINVAL, 7, -EINVAL, 7 }, { "truncated", -EINVAL, 7, -EINVAL, 7 },
                { "zeros", -EINVAL, 7, -ENOENT, 7 },   { "long", -EFBIG, 7, -ENOENT, 7 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint32_t pool_bits = 7, threshold_bits = 7;
                RootDir root = ROOTDIR_NULL;

                harness_row("%s", rows[i].tree);
                CU_ASSERT_EQUAL_FATAL(open_tree(rows[i].tree, &root), 0);
                CU_ASSERT_EQUAL(random_pool_bits(&root, &pool_bits), rows[i].pool_r);
                CU_ASSERT_EQUAL(pool_bits, rows[i].pool_bits);
                CU_ASSERT_EQUAL(random_threshold_bits(&root, &threshold_bits), rows[i].threshold_r);
                CU_ASSERT_EQUAL(threshold_bits, rows[i].threshold_bits);
                rootdir_close(&root);
        }
}

/* The doubt falls to the host, whose bytes a confidential guest does not credit. */
static void test_local(void) {
        static const char *const host[] = {
                "virtio_rng.0", "virtio_rng.1", "tpm-rng-0", "none",   "",        "xen-rng",
                "unknown",      "Intel",        " amd",      "hyperv", "efi-rng", "x intel",
        };
        static const char *const local[] = {
                "intel", "amd", "via", "ccp-1-rng", "bcm2835-rng", "powernv-rng", "mtk-rng",
        };

        for (size_t i = 0; i < ELEMENTSOF(host); i++) {
                harness_row("%s", host[i]);
                CU_ASSERT_FALSE(hwrng_is_local(host[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(local); i++) {
                harness_row("%s", local[i]);
                CU_ASSERT(hwrng_is_local(local[i]));
        }
}

static void test_real(void) {
        RootDir root = ROOTDIR_NULL;
        Hwrng hwrng;
        int r;

        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        r = hwrng_read_current(&root, &hwrng);
        rootdir_close(&root);
        CU_ASSERT(r == 0 || r == -ENODEV || r == -ENOENT);
        if (r < 0)
                HARNESS_SKIP("this machine has no hardware RNG");
        CU_ASSERT(hwrng.name[0] != '\0');
        CU_ASSERT(hwrng.quality_per_1024 <= 1024);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_trees), HARNESS_TEST(test_sysctls), HARNESS_TEST(test_local),
        HARNESS_TEST(test_real),  CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("hwrng", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
