/* SPDX-License-Identifier: MIT */
#include "lib/feed/worker-user.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static uid_t uid;
static gid_t gid;

static void find(const char *text, bool for_programs) {
        uid = gid = 4711;
        worker_user_find(scratch_write("passwd", text), for_programs, &uid, &gid);
}

static void test_found(void) {
        static const char text[] = "root:x:0:0::/root:/bin/sh\n"
                                   "_rng-readers:x:7:7::/:/bin/false\n"
                                   "_rng-reader:x:801:802:a comment:/:/bin/false\n"
                                   "_rng-exec:x:803:804::/:/bin/false\n";

        find(text, false);
        CU_ASSERT(uid == 801 && gid == 802);
        find(text, true);
        CU_ASSERT(uid == 803 && gid == 804);
}

/* Never nobody, never root, never one for both. */
static void test_not_found(void) {
        static const char *const texts[] = {
                "",
                "garbage",
                "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
                "_rng-reader:x:0:0::/:/bin/sh\n_rng-exec:x:0:0::/:/bin/sh\n",
                "_rng-reader:x:801:0::/:/bin/sh\n_rng-exec:x:801:0::/:/bin/sh\n",
                "_rng-reader:x::\n_rng-exec\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                harness_row("%zu", i);
                find(texts[i], false);
                CU_ASSERT(uid == WORKER_ID_READER && gid == WORKER_ID_READER);
                find(texts[i], true);
                CU_ASSERT(uid == WORKER_ID_PROGRAMS && gid == WORKER_ID_PROGRAMS);
        }
        worker_user_find(scratch_path("missing"), true, &uid, &gid);
        CU_ASSERT(uid == WORKER_ID_PROGRAMS && gid == WORKER_ID_PROGRAMS);
        CU_ASSERT_NOT_EQUAL(WORKER_ID_PROGRAMS, WORKER_ID_READER);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_found),
        HARNESS_TEST(test_not_found),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("worker-user", scratch_setup, scratch_teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
