/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sources/platform-seed.h"
#include "lib/sources/seed.h"
#include "lib/sources/source-list.h"
#include "tests/unit/harness.h"

#define SEED_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define BINARY  "io.systemd.credential.binary:entropy.seed="
#define TEXT    "io.systemd.credential:entropy.seed="
#define HEX_32  "0123456789abcdeffedcba9876543210"

/* A header of type, length and handle, then what follows; string literals bring the last zero. */
#define OEM_STRINGS(strings)   "\x0b\x05\x00\x10\x01" strings "\0"
#define OTHER_STRINGS(strings) "\x01\x05\x00\x01\x00" strings "\0"
#define NO_STRINGS             "\x20\x06\x00\x02\xff\xff\0\0"
#define END_OF_TABLE           "\x7f\x04\xff\xfe\0\0"

#define TABLE(text) (const uint8_t *)(text), sizeof(text) - 1

typedef struct Row {
        const char *what;
        const uint8_t *table;
        size_t length;
        int results[4]; /* of the calls, up to -ENODATA */
} Row;

static const Row smbios_rows[] = {
        { "empty", TABLE(""), { -ENODATA } },
        { "no OEM strings", TABLE(NO_STRINGS END_OF_TABLE), { -ENODATA } },
        { "one", TABLE(NO_STRINGS OEM_STRINGS(BINARY SEED_32 "\0")), { 0, -ENODATA } },
        { "among others",
          TABLE(NO_STRINGS OEM_STRINGS("hello\0" BINARY SEED_32 "\0x=y\0") NO_STRINGS END_OF_TABLE),
          { 0, -ENODATA } },
        { "two structures, two seeds",
          TABLE(OEM_STRINGS(BINARY SEED_32 "\0") NO_STRINGS OEM_STRINGS(TEXT HEX_32 "\0")),
          { 0, 0, -ENODATA } },
        { "a broken one first",
          TABLE(OEM_STRINGS(BINARY "AAEC\0" BINARY "A*C=\0" BINARY SEED_32 "\0")),
          { -ERANGE, -EBADMSG, 0, -ENODATA } },
        { "in another type", TABLE(OTHER_STRINGS(BINARY SEED_32 "\0")), { -ENODATA } },
        { "behind the end", TABLE(END_OF_TABLE OEM_STRINGS(BINARY SEED_32 "\0")), { -ENODATA } },
        { "another name",
          TABLE(OEM_STRINGS("io.systemd.credential:entropy.seed2=" HEX_32 "\0")),
          { -ENODATA } },
        { "not at the start", TABLE(OEM_STRINGS("x" BINARY SEED_32 "\0")), { -ENODATA } },
        { "no value", TABLE(OEM_STRINGS(TEXT "\0")), { -ERANGE, -ENODATA } },
        { "cut in a string", (const uint8_t *)OEM_STRINGS(BINARY SEED_32), 60, { -ENODATA } },
        { "cut in a header", TABLE("\x0b\x05"), { -ENODATA } },
        { "a length of 3", TABLE("\x0b\x03\0\0" BINARY SEED_32 "\0\0"), { -ENODATA } },
        { "a length beyond the table", TABLE("\x0b\xff\0\0\x01" BINARY "\0\0"), { -ENODATA } },
};

static void test_smbios(void) {
        for (size_t i = 0; i < ELEMENTSOF(smbios_rows); i++) {
                const Row *row = &smbios_rows[i];
                PlatformPlace place = { PLATFORM_SMBIOS, row->table, row->length, false, {} };

                for (size_t call = 0; call < 4; call++) {
                        uint8_t buffer[SEED_MAX_BYTES];
                        size_t n = 0;
                        int r;

                        harness_row("%s, call %zu", row->what, call);
                        r = platform_next_seed(&place, buffer, sizeof(buffer), &n);
                        CU_ASSERT_EQUAL(r, row->results[call]);
                        CU_ASSERT_EQUAL(n, r == 0 ? 32 : 0);
                        if (r == -ENODATA)
                                break;
                }
        }
}

/* The header as ACPICA prints it: signature, length, revision, checksum, OEM id, OEM table id. */
static size_t make_oem0(uint8_t table[static 128], const char *id, size_t n_seed) {
        memset(table, 0, 128);
        memcpy(table, "OEM0", 4);
        table[4] = (uint8_t)(36 + n_seed);
        memcpy(table + 10, "VRTUAL", 6);
        memcpy(table + 16, id, 8);
        memset(table + 36, 0x77, n_seed);
        return 36 + n_seed;
}

static void test_oem0(void) {
        static const struct {
                const char *what, *id;
                size_t n_seed, cut;
                int result;
        } rows[] = {
                { "64 bytes", "MICROSFT", 64, 0, 0 },
                { "32 bytes", "MICROSFT", 32, 0, 0 },
                { "31 bytes", "MICROSFT", 31, 0, -ERANGE },
                { "header only: taken by the kernel", "MICROSFT", 0, 0, -ENODATA },
                { "another table", "BXPC    ", 64, 0, -ENODATA },
                { "shorter than it says", "MICROSFT", 64, 1, -EBADMSG },
                { "half a header", "MICROSFT", 64, 70, -ENODATA },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t table[128], buffer[SEED_MAX_BYTES];
                size_t n = 0, length = make_oem0(table, rows[i].id, rows[i].n_seed) - rows[i].cut;
                PlatformPlace place = { PLATFORM_OEM0, table, length, false, {} };
                int r;

                harness_row("%s", rows[i].what);
                r = platform_next_seed(&place, buffer, sizeof(buffer), &n);
                CU_ASSERT_EQUAL(r, rows[i].result);
                CU_ASSERT_EQUAL(n, r == 0 ? rows[i].n_seed : 0);
                CU_ASSERT_EQUAL(platform_next_seed(&place, buffer, sizeof(buffer), &n), -ENODATA);
        }
}

/* ---- the source, over a tree of files ---- */

static char root[64];

static void setup_root(void) {
        (void)snprintf(root, sizeof(root), "/tmp/test-platform.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
}

static void teardown_root(void) {
        char command[96];

        (void)snprintf(command, sizeof(command), "rm -rf %s", root);
        CU_ASSERT_EQUAL(system(command), 0);
}

static void write_file(const char *path, const void *bytes, size_t length) {
        char full[256], command[320];
        FILE *stream;

        (void)snprintf(full, sizeof(full), "%s/%s", root, path);
        (void)snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\"", full);
        CU_ASSERT_EQUAL(system(command), 0);
        stream = fopen(full, "we");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT_EQUAL(fwrite(bytes, 1, length, stream), length);
        CU_ASSERT_EQUAL(fclose(stream), 0);
}

/* All labels with their lengths or errors: "fw_cfg 32, smbios -34". */
static void read_all(const char *credentials, char text[static 512]) {
        Source source = {
                .ops = &source_platform,
                .config = { .root = root, .credentials = credentials },
                .fd = -1,
        };
        uint8_t buffer[SOURCE_READ_MAX_BYTES];
        size_t at = 0;

        text[0] = '\0';
        CU_ASSERT_EQUAL(source.ops->open(&source), 0);
        for (unsigned i = 0; i < 32; i++) {
                size_t n = 0;
                int r = source.ops->read(&source, buffer, sizeof(buffer), &n);

                if (r == -ENODATA)
                        break;
                at += (size_t)snprintf(
                        text + at,
                        512 - at,
                        "%s%s %d",
                        at > 0 ? ", " : "",
                        source.label,
                        r < 0 ? r : (int)n);
        }
        source.ops->close(&source);
        CU_ASSERT_PTR_NULL(source.state);
}

static SeedOrigin origin_of(const char *credentials, const char *label) {
        Source source = {
                .ops = &source_platform,
                .config = { .root = root, .credentials = credentials },
                .fd = -1,
        };
        uint8_t buffer[SOURCE_READ_MAX_BYTES];
        SeedOrigin origin = _SEED_ORIGIN_MAX;
        size_t n;

        CU_ASSERT_EQUAL(source.ops->open(&source), 0);
        while (source.ops->read(&source, buffer, sizeof(buffer), &n) == 0)
                if (strcmp(source.label, label) == 0)
                        origin = source.origin;
        source.ops->close(&source);
        return origin;
}

static int look(const char *credentials, SourceProbe *ret_probe) {
        const SourceConfig config = { .root = root, .credentials = credentials };
        RootDir dir;
        int r;

        CU_ASSERT_EQUAL(rootdir_open(root, &dir), 0);
        r = source_probe(&source_platform, &config, &dir, ret_probe);
        rootdir_close(&dir);
        return r;
}

static void test_nothing_there(void) {
        SourceProbe what = {};
        char text[512];

        CU_ASSERT_EQUAL(look(NULL, &what), -ENOENT);
        CU_ASSERT_EQUAL(look("/nowhere", &what), -ENOENT);
        read_all(NULL, text);
        CU_ASSERT_STRING_EQUAL(text, "");
        read_all("/nowhere", text);
        CU_ASSERT_STRING_EQUAL(text, "");
}

static void test_every_place(void) {
        static const char two[] = OEM_STRINGS(BINARY SEED_32 "\0" TEXT HEX_32 "\0");
        static const char bad[] = OEM_STRINGS(BINARY "A\0");
        uint8_t seed[4097], table[128];
        char text[512], credentials[128];
        SourceProbe what = {};

        memset(seed, 0x77, sizeof(seed));
        (void)snprintf(credentials, sizeof(credentials), "%s/credentials", root);
        seed[64] = '\n'; /* put there by a shell */
        write_file("credentials/entropy.seed", seed, 65);
        write_file("run/credentials/@system/entropy.seed", seed, 31);
        write_file("sys/firmware/qemu_fw_cfg/by_name/opt/guest-entropy/seed/raw", seed, 4096);
        write_file(
                "sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials/entropy.seed/raw",
                seed,
                4097);
        write_file("sys/firmware/dmi/entries/11-0/raw", two, sizeof(two) - 1);
        write_file("sys/firmware/dmi/entries/11-1/raw", bad, sizeof(bad) - 1);
        write_file("sys/firmware/acpi/tables/OEM0", table, make_oem0(table, "MICROSFT", 64));

        CU_ASSERT_EQUAL(look(credentials, &what), 0);
        CU_ASSERT_EQUAL(what.source_class, SOURCE_CLASS_STATIC_HOST);
        CU_ASSERT_FALSE(what.fresh);
        CU_ASSERT_STRING_EQUAL(
                what.detail,
                "credential, system-credential, fw_cfg, fw_cfg-credential, acpi-oem0, smbios");
        read_all(credentials, text);
        CU_ASSERT_STRING_EQUAL(
                text,
                "credential 64, system-credential -34, fw_cfg 4096, fw_cfg-credential -34, "
                "acpi-oem0 64, smbios 32, smbios-2 32, smbios-3 -74");
}

/* Who else can have a credential: by the places where it was found, "-" for no such place. */
static void test_origins(void) {
        static const struct {
                const char *line, *own, *system, *store;
                SeedOrigin of_own, of_system;
        } rows[] = {
                { "quiet", "A", "A", NULL, SEED_ORIGIN_PLATFORM, SEED_ORIGIN_PLATFORM },
                { "quiet", "A", "B", NULL, SEED_ORIGIN_UNKNOWN, SEED_ORIGIN_PLATFORM },
                { "quiet", "A", NULL, NULL, SEED_ORIGIN_UNKNOWN, 0 },
                { "quiet", "A", NULL, "etc/credstore", SEED_ORIGIN_IMAGE, 0 },
                { "quiet", "A", NULL, "usr/lib/credstore.encrypted", SEED_ORIGIN_IMAGE, 0 },
                { "quiet", "A", "A", "etc/credstore", SEED_ORIGIN_PLATFORM, SEED_ORIGIN_PLATFORM },
#define PUBLIC "A", "B", NULL, SEED_ORIGIN_PUBLIC, SEED_ORIGIN_PUBLIC
                { "ro systemd.set_credential=entropy.seed:abc", PUBLIC },
                { "systemd.set_credential_binary=entropy.seed:QUJD quiet", PUBLIC },
                { "rd.systemd.set-credential=entropy.seed:abc", PUBLIC },
                { "\"systemd.set_credential=entropy.seed:a b\"", PUBLIC },
                { "systemd.set_credential='entropy.seed:a b'", PUBLIC },
                { "systemd.set_credential=entropy.\"seed\":abc", PUBLIC },
#undef PUBLIC
                { "systemd.set_credential=entropy.seeds:abc",
                  "A",
                  "A",
                  NULL,
                  SEED_ORIGIN_PLATFORM,
                  SEED_ORIGIN_PLATFORM },
                { NULL, "A", "A", NULL, SEED_ORIGIN_UNKNOWN, SEED_ORIGIN_UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char seed[33], path[96];

                harness_row("%s", rows[i].line ? rows[i].line : "unreadable");
                teardown_root();
                setup_root();
                if (rows[i].line)
                        write_file("proc/cmdline", rows[i].line, strlen(rows[i].line));
                else
                        write_file("proc/cmdline/x", "", 0);
                (void)snprintf(seed, sizeof(seed), "%s%031d", rows[i].own, 0);
                write_file("credentials/entropy.seed", seed, 32);
                if (rows[i].system) {
                        (void)snprintf(seed, sizeof(seed), "%s%031d", rows[i].system, 0);
                        write_file("run/credentials/@system/entropy.seed", seed, 32);
                }
                if (rows[i].store) {
                        (void)snprintf(path, sizeof(path), "%s/entropy.seed", rows[i].store);
                        write_file(path, seed, 32);
                }
                (void)snprintf(path, sizeof(path), "%s/credentials", root);
                CU_ASSERT_EQUAL(origin_of(path, "credential"), rows[i].of_own);
                if (rows[i].system)
                        CU_ASSERT_EQUAL(origin_of(path, "system-credential"), rows[i].of_system);
        }
}

/* Without dmi-sysfs the whole table is one file. */
static void test_whole_table(void) {
        static const char table[] = NO_STRINGS OEM_STRINGS(TEXT HEX_32 "\0") END_OF_TABLE;
        SourceProbe what = {};
        char text[512];

        write_file("sys/firmware/dmi/tables/DMI", table, sizeof(table) - 1);
        CU_ASSERT_EQUAL(look(NULL, &what), 0);
        CU_ASSERT_STRING_EQUAL(what.detail, "smbios");
        read_all(NULL, text);
        CU_ASSERT_STRING_EQUAL(text, "smbios 32");
}

static CU_TestInfo parser_tests[] = {
        HARNESS_TEST(test_smbios),
        HARNESS_TEST(test_oem0),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo source_tests[] = {
        HARNESS_TEST(test_nothing_there),
        HARNESS_TEST(test_every_place),
        HARNESS_TEST(test_origins),
        HARNESS_TEST(test_whole_table),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("what a place holds", parser_tests),
        HARNESS_SUITE_WITH("platform", setup_root, teardown_root, source_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
