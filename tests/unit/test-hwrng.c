/* SPDX-License-Identifier: MIT */
/* Captured and hand-made trees of tests/data/kernel. */
#include <stdio.h>
#include <string.h>

#include "lib/kernel/hwrng.h"
#include "lib/kernel/random.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

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
                bool host_made;
                bool quality_known;
                uint32_t quality_per_1024;
        } rows[] = {
                { "virtio-6.18", 0, "virtio_rng.0", true, true, 1024 },
                { "counting-5.10", 0, "virtio_rng.0", true, false, 0 },
                { "tpm", 0, "tpm-rng-0", true, true, 1000 },
                { "soc", 0, "bcm2835-rng", false, true, 1000 },
                { "none", -ENODEV, "before", false, false, 7 },
                { "truncated", -ENODEV, "before", false, false, 7 },
                { "garbage", 0, "\001\002/../x", false, true, 0 },
                { "zeros", -EINVAL, "before", false, false, 7 },
                { "long", -EFBIG, "before", false, false, 7 },
                { ".", -ENOENT, "before", false, false, 7 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Hwrng hwrng = { .name = "before", .quality_per_1024 = 7 };
                RootDir root = ROOTDIR_NULL;

                harness_row("%s", rows[i].tree);
                CU_ASSERT_EQUAL_FATAL(open_tree(rows[i].tree, &root), 0);
                CU_ASSERT_EQUAL(hwrng_read_current(&root, &hwrng), rows[i].r);
                CU_ASSERT_STRING_EQUAL(hwrng.name, rows[i].name);
                CU_ASSERT_EQUAL(hwrng.host_made, rows[i].host_made);
                CU_ASSERT_EQUAL(hwrng.quality_known, rows[i].quality_known);
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

static void write_unless_null(const char *path, const char *text) {
        if (text)
                (void)scratch_write(path, text);
}

/* A 0 that was stated is no credit; a 0 that nobody stated is no word at all. */
static void test_quality(void) {
        static const struct {
                const char *what, *name, *quality, *current_quality, *default_quality, *release;
                bool known;
                uint32_t quality_per_1024;
        } rows[] = {
                { "stated", "virtio_rng.0", "1000", "1000", "0", "6.1.0-44", true, 1000 },
                { "lowered", "virtio_rng.0", "1", "1", "1024", "6.12.1", true, 1 },
                { "0 by hand", "virtio_rng.0", "0", "0", "1024", "6.12.1", true, 0 },
                { "0 by hand, 6.1", "virtio_rng.0", "0", "0", "0", "6.1.0-44", true, 0 },
                { "0 by rng_core.default_quality", "amd", "0", "0", "0", "6.2.0", true, 0 },
                { "the same, 10.0", "amd", "0", "0", "0", "10.0.0", true, 0 },
                { "0 of a default of 700, 6.1", "amd", "0", "0", "700", "6.1.9", true, 0 },
                { "unstated, 6.1", "amd", "0", "0", "0", "6.1.0-44-cloud-amd64", false, 0 },
                { "unstated, 5.19", "amd", "0", "0", "0", "5.19.17", false, 0 },
                { "no release", "amd", "0", "0", "0", NULL, true, 0 },
                { "a release without numbers", "amd", "0", "0", "0", "linux", true, 0 },
                { "a release without a dot", "amd", "0", "0", "0", "6", true, 0 },
                { "a release of one number", "amd", "0", "0", "0", "6.", true, 0 },
                { "a huge release", "amd", "0", "0", "0", "5.99999999999", true, 0 },
                { "no default", "amd", "0", "0", NULL, "6.1.9", true, 0 },
                { "no number", "amd", "lots", "0", "0", "6.1.9", true, 0 },
                { "no file, 5.10", "virtio_rng.0", NULL, "1000", "0", "5.10.46", true, 1000 },
                { "no file, thread off", "virtio_rng.0", NULL, "0", "0", "5.10.46", false, 0 },
                { "no file, no module", "virtio_rng.0", NULL, NULL, NULL, "5.10.46", false, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                RootDir root = ROOTDIR_NULL;
                Hwrng hwrng = {};

                harness_row("%s", rows[i].what);
                scratch_setup();
                write_unless_null("sys/class/misc/hw_random/rng_current", rows[i].name);
                write_unless_null("sys/class/misc/hw_random/rng_quality", rows[i].quality);
                write_unless_null(
                        "sys/module/rng_core/parameters/current_quality",
                        rows[i].current_quality);
                write_unless_null(
                        "sys/module/rng_core/parameters/default_quality",
                        rows[i].default_quality);
                write_unless_null("proc/sys/kernel/osrelease", rows[i].release);
                CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
                CU_ASSERT_EQUAL(hwrng_read_current(&root, &hwrng), 0);
                CU_ASSERT_EQUAL(hwrng.quality_known, rows[i].known);
                CU_ASSERT_EQUAL(hwrng.quality_per_1024, rows[i].quality_per_1024);
                rootdir_close(&root);
                scratch_teardown();
        }
}

/* The names of virtual RNGs are few; a chip's may be anything, such as its address. */
static void test_host_made(void) {
        static const char *const host[] = {
                "virtio_rng.0", "virtio_rng.12", "virtio",      "nsm-hwrng",
                "smccc_trng",   "pseries_rng",   "pseries-rng", "tpm-rng-0",
                "tpm-rng",      "hw_random",     "n2rng",
        };
        static const char *const local[] = {
                "intel",       "amd",         "geode",         "via",          "ccp-1-rng",
                "bcm2835-rng", "powernv-rng", "3f104000.rng",  "fe104000.rng", "mtk-rng",
                "s390-trng",   "zcrypt",      "optee-rng",     "rng-caam",     "",
                "tpm",         "nsm",         "xvirtio_rng.0",
        };

        for (size_t i = 0; i < ELEMENTSOF(host); i++) {
                harness_row("%s", host[i]);
                CU_ASSERT(hwrng_is_host_made(host[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(local); i++) {
                harness_row("%s", local[i]);
                CU_ASSERT_FALSE(hwrng_is_host_made(local[i]));
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
        HARNESS_TEST(test_trees),     HARNESS_TEST(test_sysctls), HARNESS_TEST(test_quality),
        HARNESS_TEST(test_host_made), HARNESS_TEST(test_real),    CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("hwrng", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
