/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "seeder/image/uki.h"
#include "tests/unit/harness.h"

#define PE_AT    128U
#define OPTIONAL 112U
#define TABLE_AT (PE_AT + 24 + OPTIONAL)

static uint8_t head[1024];

static void put(size_t at, uint32_t value, size_t n_bytes) {
        for (size_t i = 0; i < n_bytes; i++)
                head[at + i] = (uint8_t)(value >> (8 * i));
}

static void make_head(unsigned n_sections) {
        memset(head, 0, sizeof(head));
        memcpy(head, "MZ", 2);
        put(60, PE_AT, 4);
        memcpy(head + PE_AT, "PE\0\0", 4);
        put(PE_AT + 6, n_sections, 2);
        put(PE_AT + 20, OPTIONAL, 2);
}

static void make_section(unsigned i, const char *name, uint32_t in_memory, uint32_t in_file) {
        size_t at = TABLE_AT + 40 * (size_t)i;

        memcpy(head + at, name, strlen(name));
        put(at + 8, in_memory, 4);
        put(at + 16, in_file, 4);
        put(at + 20, 0x1000 * (i + 1), 4);
}

static int next(size_t length, unsigned *number, UkiSection *section) {
        return uki_next_section(head, length, ".cmdline", number, section);
}

static void test_sections(void) {
        UkiSection section = {};
        unsigned number = 0;

        make_head(5);
        make_section(0, ".text", 8, 8);
        make_section(1, ".cmdline", 10, 512);
        make_section(2, ".cmdlin", 9, 9);
        make_section(3, ".cmdline", 700, 512);
        make_section(4, ".cmdline", 0, 512);

        CU_ASSERT_EQUAL(next(sizeof(head), &number, &section), 0);
        CU_ASSERT(number == 2 && section.offset == 0x2000 && section.length == 10);
        CU_ASSERT_EQUAL(next(sizeof(head), &number, &section), 0);
        CU_ASSERT(number == 4 && section.offset == 0x4000 && section.length == 512);
        CU_ASSERT_EQUAL(next(sizeof(head), &number, &section), 0);
        CU_ASSERT(number == 5 && section.offset == 0x5000 && section.length == 512);
        CU_ASSERT_EQUAL(next(sizeof(head), &number, &section), UKI_E_NONE);
}

/* Each length of the head, up to the last byte of the table. */
static void test_lengths(void) {
        make_head(1);
        make_section(0, ".cmdline", 10, 10);

        for (size_t length = 0; length <= TABLE_AT + 41; length++) {
                UkiSection section = { .length = 42 };
                unsigned number = 0;
                int r = next(length, &number, &section);

                harness_row("%zu bytes", length);
                CU_ASSERT_EQUAL(
                        r,
                        length >= TABLE_AT + 40 ? 0
                        : length < 64           ? UKI_E_OTHER
                                                : -EBADMSG);
                CU_ASSERT_EQUAL(section.length, r == 0 ? 10 : 42);
        }
}

static void test_broken(void) {
        static const struct {
                const char *what;
                size_t at;
                uint32_t value;
                size_t n_bytes;
                int expected;
        } rows[] = {
                { "no DOS header", 0, 0, 2, UKI_E_OTHER },
                { "a DOS program", PE_AT, 0x454e, 4, UKI_E_OTHER },
                { "PE far away", 60, UINT32_MAX, 4, -EBADMSG },
                { "PE at the end", 60, sizeof(head) - 23, 4, -EBADMSG },
                { "an optional header without end", PE_AT + 20, UINT16_MAX, 2, -EBADMSG },
                { "sections without end", PE_AT + 6, UINT16_MAX, 2, -EBADMSG },
                { "no sections", PE_AT + 6, 0, 2, UKI_E_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                UkiSection section;
                unsigned number = 0;

                harness_row("%s", rows[i].what);
                make_head(1);
                make_section(0, ".cmdline", 10, 10);
                put(rows[i].at, rows[i].value, rows[i].n_bytes);
                CU_ASSERT_EQUAL(next(sizeof(head), &number, &section), rows[i].expected);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_sections),
        HARNESS_TEST(test_lengths),
        HARNESS_TEST(test_broken),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("image-uki", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
