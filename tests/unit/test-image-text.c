/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "seeder/image-text.h"
#include "tests/unit/harness.h"

static void test_kernel_option(void) {
        static const struct {
                const char *text;
                ImageKernelOption expected;
        } rows[] = {
                { "CONFIG_A=y\n", IMAGE_KERNEL_OPTION_BUILTIN },
                { "CONFIG_A=m", IMAGE_KERNEL_OPTION_MODULE },
                { "CONFIG_A=n\n", IMAGE_KERNEL_OPTION_OFF },
                { "# CONFIG_A is not set\n", IMAGE_KERNEL_OPTION_OFF },
                { "", IMAGE_KERNEL_OPTION_UNNAMED },
                { "CONFIG_A", IMAGE_KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=", IMAGE_KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=yes\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "CONFIG_AB=y\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "XCONFIG_A=y\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "#CONFIG_A=y\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "# CONFIG_AB is not set\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "# CONFIG_A is not settled\n", IMAGE_KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=y\nCONFIG_A=m\n", IMAGE_KERNEL_OPTION_MODULE },
                { "\n\nCONFIG_B=m\nCONFIG_A=y", IMAGE_KERNEL_OPTION_BUILTIN },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_kernel_option(rows[i].text, strlen(rows[i].text), "CONFIG_A"),
                        rows[i].expected);
        }
}

static void test_feeds_itself(void) {
        static const struct {
                const char *text;
                unsigned expected;
        } rows[] = {
                { "rngd -r /dev/urandom", 1 },
                { "RNGD_ARGS=\"-r /dev/urandom\"", 1 },
                { "RNGD_ARGS='-r/dev/random'", 1 },
                { "\n\nrngd --rng-device=/dev/urandom", 3 },
                { "rngd --rng-device /dev/random -f", 1 },
                { "rngd --rng-d=/dev/random", 1 },
                { "rngd -fr /dev/urandom", 1 },
                { "rngd -f -r //dev/urandom", 1 },
                { "rngd -r \\\n  /dev/urandom", 2 },
                { "HRNGDEVICE=/dev/urandom", 1 },
                { "path = /dev/urandom", 1 },
                { "DEVICE=\"/dev/random\"", 1 },
                { "# rngd -r /dev/urandom", 0 },
                { "; path = /dev/urandom", 0 },
                { "rngd -f # -r /dev/urandom", 0 },
                { "rngd -o /dev/random", 0 },
                { "rngd --random-device=/dev/random", 0 },
                { "rngd -r /dev/hwrng -o /dev/random", 0 },
                { "rngd -r\n/dev/urandom", 0 },
                { "rngd -r /dev/urandom2", 0 },
                { "/dev/urandom", 0 },
                { "rngd --rng-device", 0 },
                { "rngd -r", 0 },
                { "", 0 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_feeds_itself(rows[i].text, strlen(rows[i].text)),
                        rows[i].expected);
        }
}

static void test_boot_seed(void) {
        static const struct {
                const char *text;
                unsigned expected;
        } rows[] = {
                { "ro systemd.random_seed=AAAA quiet", 1 },
                { "a\noptions systemd.random_seed=AAAA", 2 },
                { "GRUB_CMDLINE_LINUX=\"systemd.random_seed=\"", 0 },
                { "systemd.random_seed= quiet", 0 },
                { "systemd.random_seed=", 0 },
                { "#systemd.random_seed=AAAA", 0 },
                { "systemd.random_see=AAAA", 0 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_has_boot_seed(rows[i].text, strlen(rows[i].text)),
                        rows[i].expected);
        }
}

static void test_listing(void) {
        enum {
                NAMES = IMAGE_LISTING_NAMES
        };
        static const struct {
                const char *line;
                unsigned expected;
        } rows[] = {
                { "usr/lib/modules/6.1/kernel/drivers/char/hw_random/virtio-rng.ko",
                  NAMES | IMAGE_LISTING_VIRTIO_RNG },
                { "-rw-r--r-- 1 root root 9 Dec 10 2022 lib/modules/6/virtio-rng.ko.xz ",
                  NAMES | IMAGE_LISTING_VIRTIO_RNG },
                { "usr/bin/entropy-seeder", NAMES | IMAGE_LISTING_SEEDER },
                { "usr/share/entropy-seeder.conf", NAMES },
                { "var/lib/guest-entropy/seed", NAMES | IMAGE_LISTING_SEED },
                { "-rw- 1 0 0 2 var/lib/guest-entropy/seed.credit", NAMES | IMAGE_LISTING_SEED },
                { "var/lib/systemd/random-seed", NAMES | IMAGE_LISTING_SEED },
                { "usr/lib/systemd/systemd-random-seed", NAMES },
                { "-rw- 1 0 0 2 squash-root.img", IMAGE_LISTING_SQUASHED },
                { "squash/root.img", NAMES | IMAGE_LISTING_SQUASHED },
                { "Image: /tmp/virtio-rng: 30M", 0 },
                { "========================", 0 },
                { "", 0 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(
                        image_text_listing_line(rows[i].line, strlen(rows[i].line)),
                        rows[i].expected);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_kernel_option),
        HARNESS_TEST(test_feeds_itself),
        HARNESS_TEST(test_boot_seed),
        HARNESS_TEST(test_listing),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("image-text", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
