/* SPDX-License-Identifier: MIT */
/*
 * The table of credit.h three times over: its rows written out, every combination of the inputs
 * against an oracle of another shape, and laws that hold between neighbouring inputs.
 */
#include "lib/base/cleanup.h"
#include "lib/policy/credit.h"
#include "tests/unit/harness.h"

#define N_FLAGS  9U
#define N_STATES (_SEED_ORIGIN_MAX * _SEED_USE_MAX * _CREDIT_TRUST_MAX)

static const uint32_t qualities[] = { CREDIT_QUALITY_UNKNOWN, 0, 1, 512, 1000, 1024, 5000 };
static const uint32_t overrides[] = { CREDIT_OVERRIDE_NONE, 0, 1, 700, 1024, 1025 };

enum {
        HEALTHY = 1 << 0,
        FRESH = 1 << 1,
        NOT_STALE = 1 << 2,
        NOT_REPEATED = 1 << 3,
        NOT_CONFIDENTIAL = 1 << 4,
        ENABLED = 1 << 5,
        NO_TEXT = 1 << 6,
        MARKED = 1 << 7,
        NOT_FIRST_BOOT = 1 << 8,
        ALL = (1 << N_FLAGS) - 1,
        LIVE = FRESH | NOT_STALE | NOT_REPEATED,
};

/* A flag that is set is the good answer to its question, so that more flags are fewer doubts. */
static CreditInput make_input(SourceClass source_class, unsigned flags, unsigned state) {
        return (CreditInput){
                .source_class = source_class,
                .length_bytes = 64,
                .healthy = (flags & HEALTHY) != 0,
                .fresh = (flags & FRESH) != 0,
                .maybe_stale = (flags & NOT_STALE) == 0,
                .repeated = (flags & NOT_REPEATED) == 0,
                .confidential_guest = (flags & NOT_CONFIDENTIAL) == 0,
                .enabled_by_admin = (flags & ENABLED) != 0,
                .text = (flags & NO_TEXT) == 0,
                .marked_creditable = (flags & MARKED) != 0,
                .first_boot = (flags & NOT_FIRST_BOOT) == 0,
                .origin = (SeedOrigin)(state % _SEED_ORIGIN_MAX),
                .use = (SeedUse)(state / _SEED_ORIGIN_MAX % _SEED_USE_MAX),
                .trust = (CreditTrust)(state / _SEED_ORIGIN_MAX / _SEED_USE_MAX),
                .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                .override_per_1024 = CREDIT_OVERRIDE_NONE,
        };
}

static unsigned make_state(SeedOrigin origin, SeedUse use, CreditTrust trust) {
        return origin + _SEED_ORIGIN_MAX * (use + (unsigned)_SEED_USE_MAX * trust);
}

static CreditInput best_input(SourceClass source_class) {
        return make_input(
                source_class,
                ALL,
                make_state(SEED_ORIGIN_PLATFORM, SEED_USE_FIRST, CREDIT_TRUST_PLATFORM));
}

/* What each class asks for, as masks over the flags. */
static const struct {
        unsigned needs;
        uint32_t per_1024;
} oracle_rows[_SOURCE_CLASS_MAX] = {
        [SOURCE_CLASS_CPU] = { LIVE, 1024 },
        [SOURCE_CLASS_LOCAL_HARDWARE] = { LIVE | NOT_CONFIDENTIAL, 1024 },
        [SOURCE_CLASS_LIVE_HOST] = { LIVE | NOT_CONFIDENTIAL, 1024 },
        [SOURCE_CLASS_LIVE_NETWORK] = { LIVE | NOT_CONFIDENTIAL | ENABLED, 1024 },
        [SOURCE_CLASS_STATIC_HOST] = { NO_TEXT | NOT_CONFIDENTIAL, 1024 },
        [SOURCE_CLASS_SAVED] = { MARKED | NOT_FIRST_BOOT | NOT_CONFIDENTIAL, 1024 },
        [SOURCE_CLASS_LOCAL_SOFTWARE] = { LIVE | NOT_CONFIDENTIAL, 1024 },
        [SOURCE_CLASS_CONFIGURED] = { LIVE | NOT_CONFIDENTIAL, 0 },
};

/* Written as a table: [trust][use][origin] */
static const bool static_oracle[_CREDIT_TRUST_MAX][_SEED_USE_MAX][_SEED_ORIGIN_MAX] = {
        [CREDIT_TRUST_PLATFORM] = { [SEED_USE_FIRST] = { [SEED_ORIGIN_PLATFORM] = true } },
        [CREDIT_TRUST_ALWAYS] = {
                [SEED_USE_FIRST] = { [SEED_ORIGIN_PLATFORM] = true, [SEED_ORIGIN_UNKNOWN] = true },
                [SEED_USE_UNKNOWN] = { [SEED_ORIGIN_PLATFORM] = true, [SEED_ORIGIN_UNKNOWN] = true },
        },
};

static uint32_t oracle(const CreditInput *input, unsigned flags) {
        unsigned needs = oracle_rows[input->source_class].needs;
        uint32_t value = MIN(input->override_per_1024, 1024U);

        if ((flags & needs) != needs)
                return 0;
        if (input->source_class == SOURCE_CLASS_STATIC_HOST &&
            !static_oracle[input->trust][input->use][input->origin])
                return 0;
        if ((input->source_class == SOURCE_CLASS_SAVED ||
             input->source_class == SOURCE_CLASS_LIVE_NETWORK ||
             input->source_class == SOURCE_CLASS_CONFIGURED) &&
            input->trust == CREDIT_TRUST_NEVER)
                return 0;
        if (input->override_per_1024 == CREDIT_OVERRIDE_NONE)
                value = oracle_rows[input->source_class].per_1024;
        return MIN(input->quality_per_1024, value);
}

static unsigned n_checked, n_wrong, n_credited;

static void check_against_oracle(SourceClass source_class, unsigned flags, unsigned state) {
        for (size_t i = 0; i < ELEMENTSOF(qualities) * ELEMENTSOF(overrides); i++) {
                CreditInput input = make_input(source_class, flags, state);
                CreditVerdict verdict;
                uint32_t wanted;

                input.quality_per_1024 = qualities[i % ELEMENTSOF(qualities)];
                input.override_per_1024 = overrides[i / ELEMENTSOF(qualities)];
                wanted = oracle(&input, flags | NOT_STALE | NOT_REPEATED);
                n_wrong += credit_per_1024(&input) != wanted;

                wanted = (flags & HEALTHY) != 0 ? oracle(&input, flags) : 0;
                verdict = credit_judge(&input);
                n_wrong += verdict.bits != 64 * 8 * wanted / 1024;
                /* A report never shows bits without credit, nor a zero without its reason. */
                n_wrong += (verdict.reason == CREDIT_GRANTED) != (verdict.bits > 0);
                n_credited += verdict.bits > 0;
                n_checked++;
        }
}

static void test_all_combinations(void) {
        n_checked = n_wrong = n_credited = 0;
        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (unsigned flags = 0; flags <= ALL; flags++)
                        for (unsigned state = 0; state < N_STATES; state++)
                                check_against_oracle((SourceClass)c, flags, state);

        CU_ASSERT_EQUAL(n_checked, 8 * 512 * 36 * 42);
        CU_ASSERT_EQUAL(n_wrong, 0);
        CU_ASSERT(n_credited > 0);
}

/* No doubt that appears raises the credit, whatever else holds. */
static void test_doubt_never_raises(void) {
        unsigned n_raised = 0, n_lowered = 0;

        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (unsigned flags = 0; flags <= ALL; flags++)
                        for (unsigned i = 0; i < N_FLAGS * N_STATES; i++) {
                                unsigned doubt = 1U << i % N_FLAGS, state = i / N_FLAGS;
                                CreditInput sure = make_input((SourceClass)c, flags | doubt, state);
                                CreditInput unsure =
                                        make_input((SourceClass)c, flags & ~doubt, state);

                                sure.override_per_1024 = unsure.override_per_1024 = 1024;
                                n_raised += credit_judge(&unsure).bits > credit_judge(&sure).bits;
                                n_lowered += credit_judge(&unsure).bits < credit_judge(&sure).bits;
                        }

        CU_ASSERT_EQUAL(n_raised, 0);
        CU_ASSERT(n_lowered > 0);
}

static void test_override_only_lowers(void) {
        for (int c = 0; c < _SOURCE_CLASS_MAX; c++) {
                CreditInput input = best_input((SourceClass)c);
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
                        CreditInput input = best_input(SOURCE_CLASS_LIVE_HOST);

                        harness_row("%zu bytes, quality %u", lengths[i], qualities[q]);
                        input.length_bytes = lengths[i];
                        input.quality_per_1024 = qualities[q];
                        CU_ASSERT(credit_judge(&input).bits / 8 <= lengths[i]);
                        input.healthy = false;
                        CU_ASSERT_EQUAL(credit_judge(&input).bits, 0);
                }
}

static void test_rounds_down(void) {
        CreditInput input = best_input(SOURCE_CLASS_LIVE_HOST);

        input.quality_per_1024 = 1000;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 500);
        input.length_bytes = 1;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 7);
        input.quality_per_1024 = 127;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 0);
        CU_ASSERT_EQUAL(credit_judge(&input).reason, CREDIT_NO_LENGTH);
}

/* What no enum has: a field that was read from a file or a socket without a check. */
static void test_unknown_values_are_worth_nothing(void) {
        static const int wrong[] = { 100, -1, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                CreditInput inputs[3];

                harness_row("value %d", wrong[i]);
                inputs[0] = best_input((SourceClass)wrong[i]);
                inputs[1] = best_input(SOURCE_CLASS_STATIC_HOST);
                inputs[1].origin = (SeedOrigin)wrong[i];
                inputs[2] = best_input(SOURCE_CLASS_STATIC_HOST);
                inputs[2].use = (SeedUse)wrong[i];
                for (size_t j = 0; j < ELEMENTSOF(inputs); j++) {
                        inputs[j].override_per_1024 = 1024;
                        CU_ASSERT_EQUAL(credit_per_1024(&inputs[j]), 0);
                        CU_ASSERT_EQUAL(credit_judge(&inputs[j]).bits, 0);
                        CU_ASSERT_EQUAL(credit_judge(&inputs[j]).reason, CREDIT_NO_CLASS);
                }
                CU_ASSERT_STRING_EQUAL(source_class_to_string((SourceClass)wrong[i]), "unknown");
        }
}

/* One doubt at a time, in an otherwise perfect case: the reason names it. */
static void test_reasons(void) {
        static const struct {
                SourceClass source_class;
                unsigned doubt;
                SeedOrigin origin;
                SeedUse use;
                CreditTrust trust;
                CreditReason reason;
        } rows[] = {
                { SOURCE_CLASS_CPU, 0, 1, 1, 0, CREDIT_GRANTED },
                { SOURCE_CLASS_CPU, NOT_CONFIDENTIAL, 1, 1, 0, CREDIT_GRANTED },
                { SOURCE_CLASS_CPU, HEALTHY, 1, 1, 0, CREDIT_NO_HEALTH },
                { SOURCE_CLASS_LOCAL_HARDWARE, NOT_CONFIDENTIAL, 1, 1, 0, CREDIT_NO_CONFIDENTIAL },
                { SOURCE_CLASS_LOCAL_SOFTWARE, NOT_CONFIDENTIAL, 1, 1, 0, CREDIT_NO_CONFIDENTIAL },
                { SOURCE_CLASS_SAVED, NOT_CONFIDENTIAL, 1, 1, 0, CREDIT_NO_CONFIDENTIAL },
                { SOURCE_CLASS_LIVE_HOST, FRESH, 1, 1, 0, CREDIT_NO_REPLAY },
                { SOURCE_CLASS_LIVE_HOST, NOT_STALE, 1, 1, 0, CREDIT_NO_STALE },
                { SOURCE_CLASS_LIVE_NETWORK, NOT_REPEATED, 1, 1, 0, CREDIT_NO_REPEATED },
                { SOURCE_CLASS_LIVE_NETWORK, ENABLED, 1, 1, 0, CREDIT_NO_NOT_ENABLED },
                { SOURCE_CLASS_STATIC_HOST, 0, SEED_ORIGIN_UNKNOWN, 1, 0, CREDIT_NO_ORIGIN },
                { SOURCE_CLASS_STATIC_HOST, 0, SEED_ORIGIN_UNKNOWN, 1, 1, CREDIT_GRANTED },
                { SOURCE_CLASS_STATIC_HOST, 0, SEED_ORIGIN_IMAGE, 1, 1, CREDIT_NO_IMAGE },
                { SOURCE_CLASS_STATIC_HOST, 0, SEED_ORIGIN_PUBLIC, 1, 1, CREDIT_NO_PUBLIC },
                { SOURCE_CLASS_STATIC_HOST, NO_TEXT, 1, 1, 1, CREDIT_NO_TEXT },
                { SOURCE_CLASS_STATIC_HOST, 0, 1, SEED_USE_UNKNOWN, 0, CREDIT_NO_USE_UNKNOWN },
                { SOURCE_CLASS_STATIC_HOST, 0, 1, SEED_USE_UNKNOWN, 1, CREDIT_GRANTED },
                { SOURCE_CLASS_STATIC_HOST, 0, 1, SEED_USE_AGAIN, 1, CREDIT_NO_USED },
                { SOURCE_CLASS_STATIC_HOST, 0, 1, 1, CREDIT_TRUST_NEVER, CREDIT_NO_TRUST },
                { SOURCE_CLASS_SAVED, 0, 1, 1, CREDIT_TRUST_NEVER, CREDIT_NO_TRUST },
                { SOURCE_CLASS_SAVED, MARKED, 1, 1, 0, CREDIT_NO_MARK },
                { SOURCE_CLASS_SAVED, NOT_FIRST_BOOT, 1, 1, 0, CREDIT_NO_FIRST_BOOT },
                { SOURCE_CLASS_CONFIGURED, 0, 1, 1, 0, CREDIT_NO_STATEMENT },
                { SOURCE_CLASS_CONFIGURED, 0, 1, 1, CREDIT_TRUST_NEVER, CREDIT_NO_TRUST },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CreditInput input = make_input(
                        rows[i].source_class,
                        ALL & ~rows[i].doubt,
                        make_state(rows[i].origin, rows[i].use, rows[i].trust));

                harness_row(
                        "%s: %s",
                        source_class_to_string(rows[i].source_class),
                        credit_reason_to_string(rows[i].reason));
                CU_ASSERT_EQUAL(credit_judge(&input).reason, rows[i].reason);
                CU_ASSERT_EQUAL(
                        credit_judge(&input).bits,
                        rows[i].reason == CREDIT_GRANTED ? 512 : 0);
        }
}

/* A stated 0 is a word, and not the same as no word. */
static void test_quality(void) {
        CreditInput input = best_input(SOURCE_CLASS_LIVE_HOST);

        CU_ASSERT_EQUAL(credit_judge(&input).bits, 512);
        input.quality_per_1024 = 1;
        input.length_bytes = 128;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 1);
        input.quality_per_1024 = 0;
        CU_ASSERT_EQUAL(credit_judge(&input).reason, CREDIT_NO_QUALITY);
        input.override_per_1024 = 1024;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 0);
}

static void test_configured(void) {
        CreditInput input = best_input(SOURCE_CLASS_CONFIGURED);

        CU_ASSERT_EQUAL(credit_judge(&input).bits, 0);
        input.override_per_1024 = 512;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 256);
        input.fresh = false;
        CU_ASSERT_EQUAL(credit_judge(&input).bits, 0);
}

static void test_names_differ(void) {
        for (int c = 0; c < _SOURCE_CLASS_MAX; c++)
                for (int d = 0; d < c; d++)
                        CU_ASSERT_STRING_NOT_EQUAL(
                                source_class_to_string((SourceClass)c),
                                source_class_to_string((SourceClass)d));
        for (int c = 0; c < _CREDIT_REASON_MAX; c++)
                for (int d = 0; d < c; d++)
                        CU_ASSERT_STRING_NOT_EQUAL(
                                credit_reason_to_string((CreditReason)c),
                                credit_reason_to_string((CreditReason)d));
        CU_ASSERT_STRING_EQUAL(source_class_to_string(SOURCE_CLASS_LIVE_HOST), "live-host");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_reasons),
        HARNESS_TEST(test_all_combinations),
        HARNESS_TEST(test_doubt_never_raises),
        HARNESS_TEST(test_override_only_lowers),
        HARNESS_TEST(test_never_above_eight_bits),
        HARNESS_TEST(test_rounds_down),
        HARNESS_TEST(test_quality),
        HARNESS_TEST(test_unknown_values_are_worth_nothing),
        HARNESS_TEST(test_configured),
        HARNESS_TEST(test_names_differ),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("credit", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
