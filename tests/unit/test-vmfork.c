/* SPDX-License-Identifier: MIT */
/* Which signs are of one fork, and the number that each answer gives. */
#include "lib/base/parse.h"
#include "rngd/vmfork.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int directory_fd = -1;

static void setup(void) {
        scratch_setup();
        directory_fd = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT_FATAL(directory_fd >= 0);
}

static void teardown(void) {
        cleanup_close(&directory_fd);
        scratch_teardown();
}

static const char *generation(void) {
        static char text[32];
        int fd = open(scratch_path("generation"), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        text[n > 0 ? n : 0] = '\0';
        cleanup_close(&fd);
        return text;
}

static void test_signs(void) {
        static const struct {
                VmforkSign sign;
                uint64_t at_sec;
                bool is_new;
        } signs[] = {
                { VMFORK_SIGN_KERNEL_LOG, 100, true },
                { VMFORK_SIGN_VMGENID, 101, false }, /* the same, seen by another */
                { VMFORK_SIGN_VMCLOCK, 109, false },
                { VMFORK_SIGN_KERNEL_LOG, 109, true }, /* nobody tells twice of one */
                { VMFORK_SIGN_VMCLOCK, 118, false },
                { VMFORK_SIGN_VMCLOCK, 119, true }, /* long after the last that was new */
                { VMFORK_SIGN_VMGENID, 3000, true },
        };
        Vmfork vmfork = VMFORK_NULL;
        uint64_t n_new = 0;

        for (size_t i = 0; i < ELEMENTSOF(signs); i++) {
                const bool is_new =
                        vmfork_seen(&vmfork, signs[i].sign, signs[i].at_sec * USEC_PER_SEC);

                harness_row("sign %zu", i);
                CU_ASSERT_EQUAL(is_new, signs[i].is_new);
                n_new += signs[i].is_new;
        }
        CU_ASSERT_EQUAL(vmfork.count, n_new);
        CU_ASSERT(vmfork.pending);
}

static void test_answers(void) {
        static const struct {
                bool seen;
                uint32_t fresh_bits;
                bool reseeded;
                bool answers;
                const char *generation;
        } rounds[] = {
                { false, 256, true, false, "0\n" }, /* of another request */
                { true, 256, true, true, "1\n" },
                { false, 256, true, false, "1\n" }, /* it was answered */
                { true, 256, false, true, "2\n" },
                { true, 0, false, true, "3\n" }, /* it is told even if nothing fresh came */
                { false, 512, true, false, "3\n" },
        };
        Vmfork vmfork = VMFORK_NULL;
        uint64_t now_usec = USEC_PER_SEC;

        vmfork_start(&vmfork, directory_fd);
        for (size_t i = 0; i < ELEMENTSOF(rounds); i++, now_usec += USEC_PER_SEC) {
                if (rounds[i].seen)
                        CU_ASSERT(vmfork_seen(&vmfork, VMFORK_SIGN_VMCLOCK, now_usec));
                harness_row("round %zu", i);
                CU_ASSERT_EQUAL(
                        vmfork_answered(
                                &vmfork,
                                rounds[i].fresh_bits,
                                rounds[i].reseeded,
                                now_usec),
                        rounds[i].answers);
                CU_ASSERT_STRING_EQUAL(generation(), rounds[i].generation);
        }
}

/* Two forks before the first is answered are two, and one answer does for both. */
static void test_a_fork_in_the_middle(void) {
        Vmfork vmfork = VMFORK_NULL;

        vmfork_start(&vmfork, directory_fd);
        CU_ASSERT(vmfork_seen(&vmfork, VMFORK_SIGN_VMGENID, USEC_PER_SEC));
        CU_ASSERT(vmfork_seen(&vmfork, VMFORK_SIGN_VMGENID, 2 * USEC_PER_SEC));
        CU_ASSERT(vmfork_answered(&vmfork, 256, true, 3 * USEC_PER_SEC));
        CU_ASSERT_FALSE(vmfork_answered(&vmfork, 256, true, 3 * USEC_PER_SEC));
        CU_ASSERT_EQUAL(vmfork.count, 2);
        CU_ASSERT_STRING_EQUAL(generation(), "1\n");
}

static void test_start(void) {
        static const struct {
                const char *before;
                uint64_t generation;
                const char *after;
        } cases[] = {
                { NULL, 0, "0\n" },
                { "41\n", 41, "41\n" }, /* of an earlier run in this boot */
                { "", 0, "0\n" },
                { "many\n", 0, "0\n" },
                { "-1\n", 0, "0\n" },
                { "18446744073709551615\n", 0, "0\n" }, /* it could not grow any more */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Vmfork vmfork = VMFORK_NULL;

                (void)unlink(scratch_path("generation"));
                if (cases[i].before)
                        (void)scratch_write("generation", cases[i].before);
                vmfork_start(&vmfork, directory_fd);
                CU_ASSERT_EQUAL(vmfork.generation, cases[i].generation);
                CU_ASSERT_STRING_EQUAL(generation(), cases[i].after);
        }
}

/* Without a runtime directory it is counted all the same. */
static void test_no_directory(void) {
        Vmfork vmfork = VMFORK_NULL;

        vmfork_start(&vmfork, -1);
        CU_ASSERT(vmfork_seen(&vmfork, VMFORK_SIGN_VMCLOCK, USEC_PER_SEC));
        CU_ASSERT(vmfork_answered(&vmfork, 256, true, USEC_PER_SEC));
        CU_ASSERT_EQUAL(vmfork.generation, 1);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_signs),
        HARNESS_TEST(test_answers),
        HARNESS_TEST(test_a_fork_in_the_middle),
        HARNESS_TEST(test_start),
        HARNESS_TEST(test_no_directory),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("vmfork", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
