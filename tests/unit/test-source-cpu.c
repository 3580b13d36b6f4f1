/* SPDX-License-Identifier: MIT */
/* This machine's instruction, and by including the file, instructions that are broken. */
#include "lib/sources/cpu-instruction.h"

static const CpuInstruction *test_instruction(void);

#define cpu_instruction test_instruction
#include "lib/sources/source-cpu.c"
#undef cpu_instruction

#include "lib/policy/health.h"
#include "tests/unit/harness.h"

static const CpuInstruction *instruction;

static const CpuInstruction *test_instruction(void) {
        return instruction;
}

static uint64_t next_word;
static unsigned calls, fail_at;

static bool read_counter(uint64_t *ret_word) {
        calls++;
        if (calls == fail_at)
                return false;
        *ret_word = next_word++;
        return true;
}

static bool read_zero(uint64_t *ret_word) {
        *ret_word = 0;
        return true;
}

static bool read_ones(uint64_t *ret_word) {
        *ret_word = UINT64_MAX;
        return true;
}

static const CpuInstruction counter = { "counter", 1, read_counter };
static const CpuInstruction generator = { "generator", 1024, read_counter };

static void setup(void) {
        instruction = NULL;
        next_word = 1;
        calls = fail_at = 0;
}

static int read_cpu(uint8_t *buffer, size_t size, size_t *ret_length) {
        Source source = { .ops = &source_cpu, .fd = -1 };

        return source_cpu.read(&source, buffer, size, ret_length);
}

static void test_none(void) {
        uint8_t buffer[8];
        size_t length = 7;

        CU_ASSERT_EQUAL(read_cpu(buffer, sizeof(buffer), &length), -ENODEV);
        CU_ASSERT_EQUAL(length, 7);
}

static void test_seeds(void) {
        for (size_t size = 1; size <= 24; size++) {
                uint8_t buffer[32] = {};
                size_t length = 0;

                setup();
                instruction = &counter;
                CU_ASSERT_EQUAL(read_cpu(buffer, size, &length), 0);
                CU_ASSERT_EQUAL(length, size);
                CU_ASSERT_EQUAL(calls, (size + 7) / 8);
                CU_ASSERT_EQUAL(buffer[size], 0);
        }
}

/* A generator's words are hashed, so many for each sixteen bytes. */
static void test_generator(void) {
        uint8_t first[64] = {}, second[64] = {};
        size_t length = 0;

        instruction = &generator;
        CU_ASSERT_EQUAL(read_cpu(first, 40, &length), 0);
        CU_ASSERT_EQUAL(length, 40);
        CU_ASSERT_EQUAL(calls, 3 * 1024);
        CU_ASSERT_EQUAL(first[40], 0);
        CU_ASSERT(memcmp(first, first + 16, 16) != 0);
        CU_ASSERT_EQUAL(read_cpu(second, 40, &length), 0);
        CU_ASSERT(memcmp(first, second, 40) != 0);
}

static void test_stuck(void) {
        static const CpuInstruction stuck[] = {
                { "zero", 1, read_zero },
                { "ones", 1, read_ones },
                { "zero generator", 1024, read_zero },
                { "ones generator", 1024, read_ones },
        };
        uint8_t buffer[64];
        size_t length = 7;

        for (size_t i = 0; i < ELEMENTSOF(stuck); i++) {
                harness_row("%s", stuck[i].name);
                instruction = &stuck[i];
                CU_ASSERT_EQUAL(read_cpu(buffer, sizeof(buffer), &length), -EIO);
                CU_ASSERT_EQUAL(length, 7);
        }
}

/* One stuck word among good ones is enough. */
static void test_stuck_later(void) {
        uint8_t buffer[64];
        size_t length = 7;

        instruction = &counter;
        next_word = UINT64_MAX - 3;
        CU_ASSERT_EQUAL(read_cpu(buffer, sizeof(buffer), &length), -EIO);
        CU_ASSERT_EQUAL(calls, 4);
}

static void test_gives_up(void) {
        static const CpuInstruction *const both[] = { &counter, &generator };
        uint8_t buffer[64];
        size_t length = 7;

        for (size_t i = 0; i < ELEMENTSOF(both); i++)
                for (unsigned n = 1; n <= 8; n++) {
                        setup();
                        instruction = both[i];
                        fail_at = n;
                        CU_ASSERT_EQUAL(read_cpu(buffer, sizeof(buffer), &length), -EAGAIN);
                        CU_ASSERT_EQUAL(calls, n);
                        CU_ASSERT_EQUAL(length, 7);
                }
}

static void test_real(void) {
        uint8_t buffer[512];
        SourceProbe probe = {};
        Health health;
        size_t length;

        instruction = (cpu_instruction)();
        if (!instruction)
                HARNESS_SKIP("this CPU has no such instruction");
        CU_ASSERT_EQUAL(source_probe(&source_cpu, &(SourceConfig){}, NULL, &probe), 0);
        CU_ASSERT_STRING_EQUAL(probe.detail, instruction->name);
        CU_ASSERT(probe.fresh);
        CU_ASSERT_EQUAL(probe.source_class, SOURCE_CLASS_CPU);
        CU_ASSERT_EQUAL(read_cpu(buffer, sizeof(buffer), &length), 0);
        CU_ASSERT_EQUAL(length, sizeof(buffer));
        health_init(&health, 1024);
        CU_ASSERT_EQUAL(health_test(&health, buffer, length), HEALTH_PASS);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_none),        HARNESS_TEST(test_seeds),
        HARNESS_TEST(test_generator),   HARNESS_TEST(test_stuck),
        HARNESS_TEST(test_stuck_later), HARNESS_TEST(test_gives_up),
        HARNESS_TEST(test_real),        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("source-cpu", setup, NULL, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
