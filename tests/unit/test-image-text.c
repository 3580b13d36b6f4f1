/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/image/text.h"
#include "tests/unit/harness.h"

static void test_kernel_option(void) {
        static const struct {
                const char *text;
                KernelOption expected;
        } rows[] = {
                { "CONFIG_A=y\n", KERNEL_OPTION_BUILTIN },
                { "CONFIG_A=m", KERNEL_OPTION_MODULE },
                { "CONFIG_A=n\n", KERNEL_OPTION_OFF },
                { "# CONFIG_A is not set\n", KERNEL_OPTION_OFF },
                { "", KERNEL_OPTION_UNNAMED },
                { "CONFIG_A", KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=", KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=yes\n", KERNEL_OPTION_UNNAMED },
                { "CONFIG_AB=y\n", KERNEL_OPTION_UNNAMED },
                { "XCONFIG_A=y\n", KERNEL_OPTION_UNNAMED },
                { "#CONFIG_A=y\n", KERNEL_OPTION_UNNAMED },
                { "# CONFIG_AB is not set\n", KERNEL_OPTION_UNNAMED },
                { "# CONFIG_A is not settled\n", KERNEL_OPTION_UNNAMED },
                { "CONFIG_A=y\nCONFIG_A=m\n", KERNEL_OPTION_MODULE },
                { "\n\nCONFIG_B=m\nCONFIG_A=y", KERNEL_OPTION_BUILTIN },
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
                { "ro systemd.random-seed=AAAA quiet", 1 },
                { "ro rd.systemd.random_seed=AAAA", 1 },
                { "ro systemd.random_seed=\"AAAA\"", 1 },
                { "ro \"systemd.random_seed=AAAA\"", 1 },
                { "ro systemd.\"random_seed\"=AAAA", 1 },
                { "GRUB_CMDLINE_LINUX=\"quiet systemd.random_seed='AAAA'\"", 1 },
                { "a\noptions systemd.random_seed=AAAA", 2 },
                { "a\n\n\t# b\nsystemd.random_seed= systemd.random_seed=A", 4 },
                { "GRUB_CMDLINE_LINUX=\"systemd.random_seed=\"", 0 },
                { "GRUB_CMDLINE_LINUX=\"systemd.random_seed=\" A=b", 0 },
                { "systemd.random_seed= quiet", 0 },
                { "systemd.random_seed=", 0 },
                { "#systemd.random_seed=AAAA", 0 },
                { "\t # systemd.random_seed=AAAA", 0 },
                { "systemd.random_see=AAAA", 0 },
                { "systemd_random_seed=AAAA", 0 },
                { "", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_has_boot_seed(rows[i].text, strlen(rows[i].text), true),
                        rows[i].expected);
        }
        CU_ASSERT_EQUAL(image_text_has_boot_seed("# systemd.random_seed=A", 23, false), 1);
        CU_ASSERT_EQUAL(image_text_has_boot_seed("systemd.random_seed=\0A", 22, false), 0);
}

static void test_boot_credential(void) {
        static const struct {
                const char *text;
                unsigned expected;
        } rows[] = {
                { "ro systemd.set_credential=entropy.seed:secret", 1 },
                { "ro systemd.set-credential=entropy.seed:secret", 1 },
                { "ro systemd.set_credential_binary=entropy.seed:QUJD", 1 },
                { "ro systemd.set-credential-binary=entropy.seed:QUJD", 1 },
                { "ro systemd.set_credential=\"entropy.seed:a b\"", 1 },
                { "GRUB_CMDLINE_LINUX=\"systemd.set_credential=entropy.seed:secret\"", 1 },
                { "systemd.set_credential=a:b\nsystemd.set_credential=entropy.seed:c", 2 },
                { "systemd.set_credential=entropy.seed:", 0 },
                { "systemd.set_credential=entropy.seed", 0 },
                { "systemd.set_credential=entropy.seeds:a", 0 },
                { "systemd.set_credential=my.entropy.seed:a", 0 },
                { "# systemd.set_credential=entropy.seed:secret", 0 },
                { "entropy.seed:secret", 0 },
                { "", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_has_boot_credential(rows[i].text, strlen(rows[i].text), true),
                        rows[i].expected);
        }
}

/* A line of nothing but quotes, and of what begins a key, takes no longer than other lines. */
static void test_boot_hostile(void) {
        const size_t length = 1024U * 1024;
        _cleanup_free_ char *text = malloc(length);

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        for (size_t i = 0; i < length; i++)
                text[i] = i % 3 == 0 ? 's' : '"';
        CU_ASSERT_EQUAL(image_text_has_boot_seed(text, length, false), 0);
        memset(text, '"', length);
        memcpy(text, "system", 6);
        CU_ASSERT_EQUAL(image_text_has_boot_credential(text, length, false), 0);
}

static void test_unit_credential(void) {
        static const struct {
                const char *text;
                unsigned expected;
        } rows[] = {
                { "[Service]\nSetCredential=entropy.seed:secret", 2 },
                { " SetCredential = entropy.seed:secret", 1 },
                { "SetCredentialEncrypted=entropy.seed: \\\n QUJD", 1 },
                { "SetCredential=entropy.seed:", 0 },
                { "SetCredential=other:secret", 0 },
                { "#SetCredential=entropy.seed:secret", 0 },
                { "LoadCredential=entropy.seed", 0 },
                { "XSetCredential=entropy.seed:a", 0 },
                { "SetCredential", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_has_unit_credential(rows[i].text, strlen(rows[i].text)),
                        rows[i].expected);
        }
}

static void test_key(void) {
        static const struct {
                const char *text;
                bool expected;
        } rows[] = {
                { "random_seed", true },
                { "{\"random_seed\": 1}", true },
                { "{\"random\\u005fseed\": 1}", true },
                { "\"\\u0072\\u0061\\u006e\\u0064\\u006F\\u006d\\u005F\\u0073\\u0065\\u0065\\u0064\"",
                  true },
                { "\"random\\x5fseed\"", true },
                { "\"random\\U0000005fseed\"", true },
                { "rrandom_seed", true },
                { "random\\u015fseed", false },
                { "random\\u105fseed", false },
                { "random\\u005gseed", false },
                { "random\\u5fseed", false },
                { "random\\U0001005fseed", false },
                { "random-seed", false },
                { "random\\u005fsee", false },
                { "random\\u005", false },
                { "random\\", false },
                { "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        image_text_has_key(rows[i].text, strlen(rows[i].text), "random_seed"),
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
                { "run/credentials/@initrd/entropy.seed", NAMES | IMAGE_LISTING_SEED },
                { "etc/entropy.seed", NAMES },
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
        HARNESS_TEST(test_boot_credential),
        HARNESS_TEST(test_boot_hostile),
        HARNESS_TEST(test_unit_credential),
        HARNESS_TEST(test_key),
        HARNESS_TEST(test_listing),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("image-text", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
