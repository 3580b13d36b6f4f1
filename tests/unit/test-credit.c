/* SPDX-License-Identifier: MIT */
/*
 * The table of credit.h three times over: its rows written out, every combination of the inputs
 * against an oracle of another shape, and laws that hold between neighbouring inputs.
 */
#include "lib/base/cleanup.h"
#include "lib/policy/credit.h"
#include "tests/unit/harness.h"

#define N_FLAGS 9U

static const uint32_t qualities[] = { 0, 1, 512, 1000, 1024, 5000 };
static const uint32_t overrides[] = { CREDIT_OVERRIDE_NONE, 0, 1, 700, 1024, 1025 };

/* Bit i set: the good answer to question i, so that more bits are fewer doubts. */
static CreditInput make_input(SourceClass source_class, unsigned flags) {
        return (CreditInput){
                .source_class = source_class,
                .length_bytes = 64,
                .healthy = (flags & 1) != 0,
                .fresh = (flags & 2) != 0,
                .first_use = (flags & 4) != 0,
                .in_initramfs = (flags & 8) == 0,
                .marked_creditable = (flags & 16) != 0,
                .first_boot = (flags & 32) == 0,
                .confidential_guest = (flags & 64) == 0,
                .enabled_by_admin = (flags & 128) != 0,
                .always = (flags & 256) != 0,
                .override_per_1024 = CREDIT_OVERRIDE_NONE,
        };
}

/* What each class asks for, as masks over the flags; `or_always` too: always will do instead. */
static const struct {
        unsigned needs;
        unsigned or_always;
        uint32_t per_1024;
} oracle_rows[_SOURCE_CLASS_MAX] = {
        [SOURCE_CLASS_LOCAL_HARDWARE] = { 2, 0, 1024 },
        [SOURCE_CLASS_LIVE_HOST] = { 2 + 64, 0, 1024 },
        [SOURCE_CLASS_LIVE_NETWORK] = { 2 + 64 + 128, 0, 1024 },
        [SOURCE_CLASS_STATIC_HOST] = { 64, 4 + 8, 1024 },
        [SOURCE_CLASS_SAVED] = { 16 + 32, 0, 1024 },
        [SOURCE_CLASS_LOCAL_SOFTWARE] = { 2, 0, 1024 },
        [SOURCE_CLASS_CONFIGURED] = { 2, 0, 0 },
};

static uint32_t oracle(SourceClass source_class, unsigned flags, uint32_t quality, uint32_t said) {
        unsigned needs = oracle_rows[source_class].needs;
        uint32_t value = said < 1024 ? said : 1024;

        if ((flags & 256) == 0)
                needs |= oracle_rows[source_class].or_always;
        if ((flags & needs) != needs)
                return 0;
        if (said == CREDIT_OVERRIDE_NONE)
                value = oracle_rows[source_class].per_1024;
        return quality != 0 && quality < value ? quality : value;
}

static void test_all_combinations(void) {
        unsigned n = 0, n_wrong = 0;

        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (unsigned flags = 0; flags < 1U << N_FLAGS; flags++)
                        for (size_t i = 0; i < ELEMENTSOF(qualities) * ELEMENTSOF(overrides); i++) {
                                CreditInput input = make_input((SourceClass)c, flags);
                                uint32_t wanted;

                                input.quality_per_1024 = qualities[i % ELEMENTSOF(qualities)];
                                input.override_per_1024 = overrides[i / ELEMENTSOF(qualities)];
                                wanted =
                                        oracle((SourceClass)c,
                                               flags,
                                               input.quality_per_1024,
                                               input.override_per_1024);
                                n_wrong += credit_per_1024(&input) != wanted;
                                n_wrong += credit_bits(&input) !=
                                           ((flags & 1) != 0 ? 64 * 8 * wanted / 1024 : 0);
                                n++;
                        }

        CU_ASSERT_EQUAL(n, 7 * 512 * 36);
        CU_ASSERT_EQUAL(n_wrong, 0);
}

/* No doubt that appears raises the credit, whatever else holds. */
static void test_doubt_never_raises(void) {
        unsigned n_raised = 0, n_lowered = 0;

        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (unsigned flags = 0; flags < 1U << N_FLAGS; flags++)
                        for (unsigned doubt = 0; doubt < N_FLAGS; doubt++) {
                                CreditInput sure = make_input((SourceClass)c, flags | 1U << doubt);
                                CreditInput unsure =
                                        make_input((SourceClass)c, flags & ~(1U << doubt));

                                sure.override_per_1024 = unsure.override_per_1024 = 1024;
                                n_raised += credit_bits(&unsure) > credit_bits(&sure);
                                n_lowered += credit_bits(&unsure) < credit_bits(&sure);
                        }

        CU_ASSERT_EQUAL(n_raised, 0);
        CU_ASSERT(n_lowered > 0);
}

static void test_override_only_lowers(void) {
        for (int c = 0; c < _SOURCE_CLASS_MAX; c++) {
                CreditInput input = make_input((SourceClass)c, UINT32_MAX);
                uint32_t by_default = credit_per_1024(&input);

                for (uint32_t said = 0; said <= 1100; said += 50) {
                        harness_row(
                                "%s, override %u",
                                source_class_to_string((SourceClass)c),
                                said);
                        input.override_per_1024 = said;
                        /* Only where the default is 0 for want of knowledge may it be more. */
                        CU_ASSERT_EQUAL(credit_per_1024(&input), MIN(said, 1024U));
                        CU_ASSERT(
                                credit_per_1024(&input) <= by_default ||
                                c == SOURCE_CLASS_CONFIGURED);
                }
        }
}

static void test_never_above_eight_bits(void) {
        static const size_t lengths[] = { 0,          1,       31, 32, 64, 4096, UINT32_MAX / 8,
                                          UINT32_MAX, SIZE_MAX };

        for (size_t i = 0; i < ELEMENTSOF(lengths); i++)
                for (size_t q = 0; q < ELEMENTSOF(qualities); q++) {
                        CreditInput input = make_input(SOURCE_CLASS_LIVE_HOST, UINT32_MAX);

                        harness_row("%zu bytes, quality %u", lengths[i], qualities[q]);
                        input.length_bytes = lengths[i];
                        input.quality_per_1024 = qualities[q];
                        CU_ASSERT(credit_bits(&input) / 8 <= lengths[i]);
                        input.healthy = false;
                        CU_ASSERT_EQUAL(credit_bits(&input), 0);
                }
}

static void test_rounds_down(void) {
        CreditInput input = make_input(SOURCE_CLASS_LIVE_HOST, UINT32_MAX);

        input.quality_per_1024 = 1000;
        CU_ASSERT_EQUAL(credit_bits(&input), 500);
        input.length_bytes = 1;
        CU_ASSERT_EQUAL(credit_bits(&input), 7);
        input.quality_per_1024 = 127;
        CU_ASSERT_EQUAL(credit_bits(&input), 0);
}

static void test_unknown_class_is_worth_nothing(void) {
        static const int wrong[] = { _SOURCE_CLASS_MAX, _SOURCE_CLASS_MAX + 1, -1, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                CreditInput input = make_input((SourceClass)wrong[i], UINT32_MAX);

                harness_row("class %d", wrong[i]);
                input.override_per_1024 = 1024;
                CU_ASSERT_EQUAL(credit_per_1024(&input), 0);
                CU_ASSERT_EQUAL(credit_bits(&input), 0);
                CU_ASSERT_STRING_EQUAL(source_class_to_string((SourceClass)wrong[i]), "unknown");
        }
}

static void test_rows_of_the_table(void) {
        static const struct {
                const char *what;
                CreditInput input;
                uint32_t bits;
        } rows[] = {
                { "CPU instruction", { SOURCE_CLASS_LOCAL_HARDWARE, .fresh = true }, 512 },
                { "CPU instruction in a confidential guest",
                  { SOURCE_CLASS_LOCAL_HARDWARE, .fresh = true, .confidential_guest = true },
                  512 },
                { "virtio-rng", { SOURCE_CLASS_LIVE_HOST, .fresh = true }, 512 },
                { "virtio-rng, driver's quality of 1000",
                  { SOURCE_CLASS_LIVE_HOST, .fresh = true, .quality_per_1024 = 1000 },
                  500 },
                { "virtio-rng in a confidential guest",
                  { SOURCE_CLASS_LIVE_HOST, .fresh = true, .confidential_guest = true },
                  0 },
                { "virtio-rng read before a snapshot", { SOURCE_CLASS_LIVE_HOST }, 0 },
                { "network source that nobody asked for",
                  { SOURCE_CLASS_LIVE_NETWORK, .fresh = true },
                  0 },
                { "network source, enabled",
                  { SOURCE_CLASS_LIVE_NETWORK, .fresh = true, .enabled_by_admin = true },
                  512 },
                { "config drive, first use", { SOURCE_CLASS_STATIC_HOST, .first_use = true }, 512 },
                { "config drive again", { SOURCE_CLASS_STATIC_HOST }, 0 },
                { "config drive in the initramfs",
                  { SOURCE_CLASS_STATIC_HOST, .first_use = true, .in_initramfs = true },
                  0 },
                { "the same with credit=always",
                  { SOURCE_CLASS_STATIC_HOST, .in_initramfs = true, .always = true },
                  512 },
                { "credit=always in a confidential guest",
                  { SOURCE_CLASS_STATIC_HOST, .always = true, .confidential_guest = true },
                  0 },
                { "saved seed", { SOURCE_CLASS_SAVED, .marked_creditable = true }, 512 },
                { "saved seed without its mark", { SOURCE_CLASS_SAVED }, 0 },
                { "saved seed of an image",
                  { SOURCE_CLASS_SAVED, .marked_creditable = true, .first_boot = true },
                  0 },
                { "jitter", { SOURCE_CLASS_LOCAL_SOFTWARE, .fresh = true }, 512 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CreditInput input = rows[i].input;

                harness_row("%s", rows[i].what);
                input.healthy = true;
                input.length_bytes = 64;
                input.override_per_1024 = CREDIT_OVERRIDE_NONE;
                CU_ASSERT_EQUAL(credit_bits(&input), rows[i].bits);
        }
}

static void test_configured(void) {
        CreditInput input = {
                .source_class = SOURCE_CLASS_CONFIGURED,
                .length_bytes = 64,
                .healthy = true,
                .fresh = true,
                .override_per_1024 = CREDIT_OVERRIDE_NONE,
        };

        CU_ASSERT_EQUAL(credit_bits(&input), 0);
        input.override_per_1024 = 512;
        CU_ASSERT_EQUAL(credit_bits(&input), 256);
        input.fresh = false;
        CU_ASSERT_EQUAL(credit_bits(&input), 0);
}

static void test_names_differ(void) {
        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (int d = 0; d < c; d++)
                        CU_ASSERT_STRING_NOT_EQUAL(
                                source_class_to_string((SourceClass)c),
                                source_class_to_string((SourceClass)d));
        CU_ASSERT_STRING_EQUAL(source_class_to_string(SOURCE_CLASS_LIVE_HOST), "live-host");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_rows_of_the_table),
        HARNESS_TEST(test_all_combinations),
        HARNESS_TEST(test_doubt_never_raises),
        HARNESS_TEST(test_override_only_lowers),
        HARNESS_TEST(test_never_above_eight_bits),
        HARNESS_TEST(test_rounds_down),
        HARNESS_TEST(test_unknown_class_is_worth_nothing),
        HARNESS_TEST(test_configured),
        HARNESS_TEST(test_names_differ),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("credit", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
