/* SPDX-License-Identifier: MIT */
/* The source metadata up to the program that it runs, and the running of programs itself. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/io.h"
#include "lib/kernel/clock.h"
#include "lib/sources/metadata-format.h"
#include "lib/sources/run-program.h"
#include "lib/sources/source.h"
#include "tests/unit/harness.h"

static char directory[] = "/tmp/test-metadata-XXXXXX";
static RootDir root = ROOTDIR_NULL;

/* ---- a tree with DMI files ---- */

static void remove_tree(void) {
        char command[64];

        (void)snprintf(command, sizeof(command), "rm -rf -- %s", directory);
        CU_ASSERT_EQUAL(system(command), 0); // NOLINT(cert-env33-c)
}

static void make_directories(const char *path) {
        char part[256];

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
                (void)mkdirat(root.fd, part, 0755);
        }
}

static void write_file(const char *path, const char *text, mode_t mode) {
        make_directories(path);
        CU_ASSERT_EQUAL(io_write_atomic_at(root.fd, path, mode, text, strlen(text)), 0);
}

static void setup(void) {
        memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
        CU_ASSERT_PTR_NOT_NULL(mkdtemp(directory));
        CU_ASSERT_EQUAL(rootdir_open(directory, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        remove_tree();
}

static int look(const SourceConfig *config, SourceProbe *ret_probe) {
        *ret_probe = (SourceProbe){};
        return source_probe(source_ops(SOURCE_METADATA), config, &root, ret_probe);
}

#define PROGRAM      &PROGRAM_DIRECTORY "/entropy-metadata"[1]
#define PRODUCT_NAME "sys/class/dmi/id/product_name"
#define ASSET_TAG    "sys/class/dmi/id/chassis_asset_tag"

static void test_dmi(void) {
        static const struct {
                const char *product;
                const char *tag;
                bool there;
        } rows[] = {
                { "OpenStack Nova\n", "\n", true },
                { "OpenStack Compute\n", "", true },
                { "KVM\n", "OpenStack Nova\n", true },
                { "KVM\n", "OpenStack Compute\n", true },
                { "KVM\n", "HUAWEICLOUD\n", true },
                { "KVM\n", "OpenTelekomCloud\n", true },
                { "KVM\n", "SAP CCloud VM\n", true },
                { "KVM\n", "Samsung Cloud Platform\n", true },
                { "Standard PC (Q35 + ICH9, 2009)\n", "\n", false },
                { "HUAWEICLOUD\n", "Not Specified\n", false },
                { "OpenStack\n", "OpenStack Nova 2\n", false },
                { "openstack nova\n", "Amazon EC2\n", false },
                { "", "", false },
        };
        const SourceConfig config = {};
        SourceProbe found;

        CU_ASSERT_EQUAL(look(&config, &found), -ENOENT); /* no DMI at all, as on arm64 */
        write_file(PROGRAM, "", 0755);
        CU_ASSERT_EQUAL(look(&config, &found), -ENOENT);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%zu: %s", i, rows[i].product);
                write_file(PRODUCT_NAME, rows[i].product, 0644);
                write_file(ASSET_TAG, rows[i].tag, 0644);
                CU_ASSERT_EQUAL(look(&config, &found), rows[i].there ? 0 : -ENOENT);
                CU_ASSERT_EQUAL(found.source_class, SOURCE_CLASS_LIVE_NETWORK);
                CU_ASSERT_STRING_EQUAL(found.detail, "OpenStack");
                CU_ASSERT_EQUAL(found.fresh, rows[i].there);
        }
}

static void test_enabled(void) {
        SourceConfig config = { .enabled_by_admin = true };
        SourceProbe found;

        CU_ASSERT_EQUAL(look(&config, &found), -ENOENT);
        CU_ASSERT_STRING_EQUAL(found.detail, "entropy-metadata is not installed");
        write_file(PROGRAM, "", 0644);
        CU_ASSERT_EQUAL(look(&config, &found), -ENOENT); /* cannot be run */
        write_file(PROGRAM, "", 0755);
        CU_ASSERT_EQUAL(look(&config, &found), 0);

        config.url = "http://127.0.0.1/";
        CU_ASSERT_EQUAL(look(&config, &found), 0);
        CU_ASSERT_STRING_EQUAL(found.detail, "http://127.0.0.1/");
}

/* ---- words of the administrator ---- */

static void test_urls(void) {
        static const struct {
                const char *url;
                int expected;
        } rows[] = {
                { "http://127.0.0.1", 0 },
                { "https://[::1]:443/a?b#c", 0 },
                { "http://h/@", 0 },
                { "http://h?@", 0 },
                { "", -EINVAL },
                { "http://", -EINVAL },
                { "https:///x", -EINVAL },
                { "HTTP://h/", -EINVAL },
                { "file:///etc/passwd", -EINVAL },
                { "ftp://h/", -EINVAL },
                { "127.0.0.1", -EINVAL },
                { "http://me@h/", -EINVAL },
                { "http://me:word@h", -EINVAL },
                { "http://h/a b", -EINVAL },
                { "http://h/\n", -EINVAL },
                { "http://h/\xc3\xa4", -EINVAL },
        };
        char text[METADATA_URL_MAX + 1] = "http://h/";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].url);
                CU_ASSERT_EQUAL(metadata_check_url(rows[i].url), rows[i].expected);
        }
        memset(text + 9, 'x', METADATA_URL_MAX - 10);
        CU_ASSERT_EQUAL(metadata_check_url(text), 0);
        text[METADATA_URL_MAX - 1] = 'x';
        CU_ASSERT_EQUAL(metadata_check_url(text), -EINVAL);
}

static void test_formats(void) {
        static const char *const refused[] = {
                "", "RAW", "raw ", "json", "json:", "hex", "base64:x"
        };
        MetadataFormat format = {};

        CU_ASSERT_EQUAL(metadata_parse_format("raw", &format), 0);
        CU_ASSERT_EQUAL(format.kind, METADATA_RAW);
        CU_ASSERT_EQUAL(metadata_parse_format("base64", &format), 0);
        CU_ASSERT_EQUAL(format.kind, METADATA_BASE64);
        CU_ASSERT_EQUAL(metadata_parse_format("json:a:b", &format), 0);
        CU_ASSERT_EQUAL(format.kind, METADATA_JSON);
        CU_ASSERT_STRING_EQUAL(format.key, "a:b");
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                harness_row("%s", refused[i]);
                CU_ASSERT_EQUAL(metadata_parse_format(refused[i], &format), -EINVAL);
        }
}

/* ---- programs ---- */

static int run(const char *script, uint64_t wait_usec, char *output, size_t size, int *ret_status) {
        char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, (char *)(uintptr_t)script, NULL };
        size_t length = 0;
        int r;

        r = program_read(argv, wait_usec, (uint8_t *)output, size - 1, &length, ret_status);
        output[length] = '\0';
        return r;
}

static void test_program(void) {
        static const struct {
                const char *script;
                int expected;
                int status;
                const char *output;
        } rows[] = {
                { "echo a", 0, 0, "a\n" },
                { "echo a; exit 69", PROGRAM_E_FAILED, 69, "" },
                { "exit 1", PROGRAM_E_FAILED, 1, "" },
                { "echo a; kill -9 $$", PROGRAM_E_FAILED, -1, "" },
                { "exit 127", -ENOENT, 0, "" },
                { "exit 0", -ENODATA, 0, "" },
                { "printf 123456789", 0, 0, "1234567" },
                { "printf 123456789; exit 5", 0, 0, "1234567" },
                { "env | grep -v -e PWD= -e SHLVL= -e _=", 0, 0, "PATH=/u" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char output[8];
                int status = 0;

                harness_row("%s", rows[i].script);
                CU_ASSERT_EQUAL(
                        run(rows[i].script, 5000000, output, sizeof(output), &status),
                        rows[i].expected);
                CU_ASSERT_EQUAL(status, rows[i].status);
                CU_ASSERT_STRING_EQUAL(output, rows[i].output);
        }
}

static void test_no_program(void) {
        char *argv[] = { (char[]){ "/no/such/program" }, NULL };
        uint8_t output[8];
        size_t length = 0;
        int status = 0;

        CU_ASSERT_EQUAL(
                program_read(argv, 1000000, output, sizeof(output), &length, &status),
                -ENOENT);
}

static void test_late_program(void) {
        uint64_t began_usec = clock_monotonic_usec(), took_usec;
        char output[8];
        int status = 0;

        CU_ASSERT_EQUAL(run("sleep 60", 200000, output, sizeof(output), &status), -ETIMEDOUT);
        CU_ASSERT_EQUAL(run("echo a; sleep 60", 200000, output, sizeof(output), &status), 0);
        CU_ASSERT_STRING_EQUAL(output, "a\n");
        took_usec = clock_monotonic_usec() - began_usec;
        CU_ASSERT(took_usec >= 400000 && took_usec < 5000000);
        CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left */
}

static CU_TestInfo look_tests[] = {
        HARNESS_TEST(test_dmi),
        HARNESS_TEST(test_enabled),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo text_tests[] = {
        HARNESS_TEST(test_urls),
        HARNESS_TEST(test_formats),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo program_tests[] = {
        HARNESS_TEST(test_program),
        HARNESS_TEST(test_no_program),
        HARNESS_TEST(test_late_program),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("metadata/look", setup, teardown, look_tests),
        HARNESS_SUITE("metadata/text", text_tests),
        HARNESS_SUITE("metadata/program", program_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
