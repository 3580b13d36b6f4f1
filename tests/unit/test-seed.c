/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/sources/seed.h"
#include "tests/unit/harness.h"

#define SEED_32    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SEED_31    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="
#define NESTED(n)  "[[[[[[[[" n "]]]]]]]]"
#define NESTED8(n) NESTED(NESTED(NESTED(NESTED(n))))

typedef struct Row {
        const char *text;
        int result;
} Row;

static void test_documents(void) {
        static const Row rows[] = {
                { "{\"random_seed\": \"" SEED_32 "\"}", 0 },
                { " \n{\"a\":{\"b\":[1,2.5e3,null,true]},\"random_seed\":\"" SEED_32 "\"}\n", 0 },
                { "{\"random_seed\": \"" SEED_32 "\\n\"}", 0 },
                { "{\"random_\\u0073eed\": \"\\u0041AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}",
                  0 },
                /* The last one counts. */
                { "{\"random_seed\": 1, \"random_seed\": \"" SEED_32 "\"}", 0 },
                { "{\"random_seed\": \"" SEED_32 "\", \"random_seed\": 1}", SEED_E_TYPE },
                { "{}", SEED_E_ABSENT },
                { "{\"meta\": {\"random_seed\": \"" SEED_32 "\"}}", SEED_E_ABSENT },
                { "{\"Random_seed\": \"" SEED_32 "\"}", SEED_E_ABSENT },
                { "{\"random_seed\": \"" SEED_31 "\"}", -ERANGE },
                { "{\"random_seed\": \"\"}", -ERANGE },
                { "{\"random_seed\": null}", SEED_E_TYPE },
                { "{\"random_seed\": [\"" SEED_32 "\"]}", SEED_E_TYPE },
                { "{\"random_seed\": \"AAEC*\"}", SEED_E_ENCODING },
                { "{\"random_seed\": \"550e8400-e29b-41d4-a716-446655440000\"}", SEED_E_ENCODING },
                { "", -EBADMSG },
                { "null", -EBADMSG },
                { "[]", -EBADMSG },
                { "\"random_seed\"", -EBADMSG },
                { "{\"random_seed\": \"" SEED_32 "\"", -EBADMSG },
                { "{\"random_seed\": \"" SEED_32 "\"} x", -EBADMSG },
                { "{\"random_seed\": \"" SEED_32 "\",}", -EBADMSG },
                { "{'random_seed': '" SEED_32 "'}", -EBADMSG },
                { "{\"a\": \"\xff\", \"random_seed\": \"" SEED_32 "\"}", -EBADMSG },
                { "{\"a\":" NESTED8("") ",\"random_seed\": \"" SEED_32 "\"}", -EBADMSG },
                { "<html></html>", -EBADMSG },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t buffer[SEED_MAX_BYTES];
                size_t n = 0;
                int r;

                harness_row("%s", rows[i].text);
                r = seed_from_json(
                        rows[i].text,
                        strlen(rows[i].text),
                        "random_seed",
                        buffer,
                        sizeof(buffer),
                        &n);
                CU_ASSERT_EQUAL(r, rows[i].result);
                CU_ASSERT_EQUAL(n, r == 0 ? 32 : 0);
                for (size_t j = 0; j < n; j++)
                        CU_ASSERT_EQUAL(buffer[j], j);
        }
}

static void test_zero_byte_behind_the_document(void) {
        static const char text[] = "{\"random_seed\": \"" SEED_32 "\"}";
        uint8_t buffer[SEED_MAX_BYTES];
        size_t n = 0;

        CU_ASSERT_EQUAL(
                seed_from_json(text, sizeof(text), "random_seed", buffer, sizeof(buffer), &n),
                -EBADMSG);
}

/* 'A's: 4096 bytes are 5461 of them and a padding; one group more is too many. */
static void test_longest(void) {
        static char text[8192];
        uint8_t buffer[SEED_MAX_BYTES];

        for (int groups = 1365; groups <= 1366; groups++) {
                size_t n = 0;
                int length = snprintf(text, sizeof(text), "{\"random_seed\":\"%*s", 4 * groups, "");

                for (int i = 0; i < length; i++)
                        if (text[i] == ' ')
                                text[i] = 'A';
                (void)strcpy(text + length, groups == 1365 ? "AA==\"}" : "\"}");
                harness_row("%d groups", groups);
                CU_ASSERT_EQUAL(
                        seed_from_json(
                                text,
                                strlen(text),
                                "random_seed",
                                buffer,
                                sizeof(buffer),
                                &n),
                        groups == 1365 ? 0 : -ERANGE);
                CU_ASSERT_EQUAL(n, groups == 1365 ? SEED_MAX_BYTES : 0);
        }
}

static void test_document_too_long(void) {
        char *text = malloc(JSON_DOCUMENT_MAX_BYTES + 2);
        uint8_t buffer[SEED_MAX_BYTES];
        size_t n = 0;

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        memset(text, ' ', JSON_DOCUMENT_MAX_BYTES + 2);
        memcpy(text, "{}", 2);
        CU_ASSERT_EQUAL(
                seed_from_json(
                        text,
                        JSON_DOCUMENT_MAX_BYTES + 1,
                        "random_seed",
                        buffer,
                        sizeof(buffer),
                        &n),
                -EFBIG);
        CU_ASSERT_EQUAL(
                seed_from_json(
                        text,
                        JSON_DOCUMENT_MAX_BYTES,
                        "random_seed",
                        buffer,
                        sizeof(buffer),
                        &n),
                SEED_E_ABSENT);
        free(text);
}

/* Reads DIRECTORY/NAME; the result of the seed, or -ENOENT. */
static int try_document(
        const char *directory,
        const char *name,
        uint8_t *buffer,
        size_t *ret_length) {
        static char text[65536];
        char path[512];
        size_t length;
        int fd, r;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        r = io_read_full(fd, text, sizeof(text), &length);
        (void)close(fd);
        return r < 0 ? r
                     : seed_from_json(
                               text,
                               length,
                               "random_seed",
                               buffer,
                               SEED_MAX_BYTES,
                               ret_length);
}

static void test_fixtures(void) {
        static const Row rows[] = {
                { "seed.json", 0 },
                { "seed-newline-at-end.json", 0 },
                { "seed-wrapped.json", 0 },
                { "no-seed.json", SEED_E_ABSENT },
                { "seed-in-meta-only.json", SEED_E_ABSENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t buffer[SEED_MAX_BYTES];
                size_t n = 0;

                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(
                        try_document(TEST_DATA "/openstack", rows[i].text, buffer, &n),
                        rows[i].result);
                CU_ASSERT_EQUAL(n, rows[i].result == 0 ? 512 : 0);
        }
}

/* Documents of real clouds, where they are: each is a document, and a seed has 512 bytes. */
static void test_real_documents(void) {
        const char *data = getenv("SEED_DATA");
        uint8_t buffer[SEED_MAX_BYTES];
        char directory[512];
        unsigned n_tried = 0;
        struct dirent *entry;
        DIR *stream;

        (void)snprintf(
                directory,
                sizeof(directory),
                "%s/openstack",
                data && *data ? data : TEST_DATA "/../../../shared/data");
        stream = opendir(directory);
        if (!stream) {
                /* No skip: test_fixtures has documents of the same shapes. */
                printf("# no real documents (SEED_DATA, or shared/data beside the checkout)\n");
                return;
        }
        while ((entry = readdir(stream))) {
                size_t n = 0;
                int r;

                if (!strstr(entry->d_name, ".json"))
                        continue;
                n_tried++;
                harness_row("%s", entry->d_name);
                r = try_document(directory, entry->d_name, buffer, &n);
                CU_ASSERT_EQUAL(r, strstr(entry->d_name, "without-seed") ? SEED_E_ABSENT : 0);
                CU_ASSERT_EQUAL(n, r == 0 ? 512 : 0);
        }
        (void)closedir(stream);
        CU_ASSERT(n_tried > 0);
}

/* Each has its words, and no two the same. */
static void test_words(void) {
        static const int errors[] = { SEED_E_DOCUMENT, SEED_E_ABSENT, SEED_E_TYPE,
                                      SEED_E_ENCODING, SEED_E_LENGTH, SEED_E_TOO_LONG };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                CU_ASSERT_PTR_NOT_NULL_FATAL(seed_error_to_string(errors[i]));
                for (size_t j = 0; j < i; j++)
                        CU_ASSERT_STRING_NOT_EQUAL(
                                seed_error_to_string(errors[i]),
                                seed_error_to_string(errors[j]));
        }
        CU_ASSERT_PTR_NULL(seed_error_to_string(-EIO));
}

static void test_text(void) {
        static const struct {
                const char *bytes;
                size_t length;
                bool text;
        } rows[] = {
#define ROW(_bytes, _text) { (_bytes), sizeof(_bytes) - 1, (_text) }
                ROW("thisismysupersecretseedforproductionvm0001", true),
                ROW("correct horse battery staple and more of it\n", true),
                ROW("correct horse battery staple and more of it\r\n\0", true),
                ROW("0123456789abcdef0123456789abcdef", true),
                ROW(SEED_32, true),
                ROW("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-_", true),
                ROW("w\0o\0r\0d\0s\0 \0o\0f\0 \0a\0 \0p\0e\0r\0s\0o\0n\0", true),
                ROW("pr\xc3\xbc"
                    "fe gr\xc3\xb6\xc3\x9f"
                    "e, \xe2\x82\xac 5, \xf0\x9f\x98\x80",
                    true),
                ROW("\x80"
                    "123456789abcdef0123456789abcdef",
                    false),
                ROW("0123456789abcdef\x01"
                    "123456789abcdef",
                    false),
                ROW("0123456789abcdef\x7f"
                    "123456789abcdef",
                    false),
                ROW("0123456789abcdef\xc0\xaf"
                    "23456789abcdef",
                    false),
                ROW("0123456789abcdef0123456789abcd\xe2\x82", false),
#undef ROW
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%zu", i);
                CU_ASSERT_EQUAL(
                        seed_is_text((const uint8_t *)rows[i].bytes, rows[i].length),
                        rows[i].text);
        }
}

static void test_padding(void) {
        uint8_t bytes[40] = "0123456789abcdef0123456789abcdef01 \t\r\n";

        CU_ASSERT_EQUAL(seed_length_without_padding(bytes, 38), 34);
        CU_ASSERT_EQUAL(seed_length_without_padding(bytes, 40), 34);
        CU_ASSERT_EQUAL(seed_length_without_padding(bytes, 34), 34);
        memset(bytes + 20, 0, 20);
        CU_ASSERT_EQUAL(seed_length_without_padding(bytes, 40), SEED_MIN_BYTES);
        CU_ASSERT_EQUAL(seed_length_without_padding(bytes, 25), 25);
}

/* Of the bytes of a generator, none. */
static void test_no_text(void) {
        uint64_t state = UINT64_C(88172645463325252);

        for (unsigned n = 0; n < 100000; n++) {
                uint8_t bytes[32];

                for (size_t i = 0; i < sizeof(bytes); i++) {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        bytes[i] = (uint8_t)(state >> 32);
                }
                CU_ASSERT_FALSE_FATAL(seed_is_text(bytes, sizeof(bytes)));
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_documents),
        HARNESS_TEST(test_zero_byte_behind_the_document),
        HARNESS_TEST(test_longest),
        HARNESS_TEST(test_document_too_long),
        HARNESS_TEST(test_fixtures),
        HARNESS_TEST(test_real_documents),
        HARNESS_TEST(test_words),
        HARNESS_TEST(test_text),
        HARNESS_TEST(test_padding),
        HARNESS_TEST(test_no_text),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("seed", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
