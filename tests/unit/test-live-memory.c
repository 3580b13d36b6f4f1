/* SPDX-License-Identifier: MIT */
/* What servers sent before. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "lib/base/log.h"
#include "lib/feed/live-memory.h"
#include "lib/feed/seen.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static const uint8_t seed_a[32] = "a seed", seed_b[32] = "another";

static void setup(void) {
        scratch_setup();
        log_set_max_level(LOG_EMERG);
}

static int open_state(void) {
        (void)mkdir(scratch_path("state"), 0700);
        return open(scratch_path("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The oldest make room, and nobody waits for ever. */
static void test_seen_live(void) {
        _cleanup_close_ int fd = open_state(), lock_fd = -1;
        uint8_t bytes[32] = { 1 };

        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, true), 0);
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, true), 0);
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, false), 0);
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, false), SEEN_E_BEFORE);
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 20, true), SEEN_E_BEFORE);
        CU_ASSERT_EQUAL(seen_live(fd, seed_b, 32, true), 0);
        for (uint16_t i = 0; i < SEEN_LIVE_MAX - 1; i++) {
                memcpy(bytes + 2, &i, sizeof(i));
                CU_ASSERT_EQUAL(seen_live(fd, bytes, 32, false), 0);
        }
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, false), SEEN_E_BEFORE);
        CU_ASSERT_EQUAL(seen_live(fd, seed_b, 32, false), 0);
        CU_ASSERT_EQUAL(seen_live(fd, seed_a, 32, true), 0);

        lock_fd = open(scratch_path("state/seen-live.lock"), O_RDWR | O_CLOEXEC);
        CU_ASSERT_EQUAL(flock(lock_fd, LOCK_EX), 0);
        bytes[0] = 2;
        CU_ASSERT_EQUAL(seen_live(fd, bytes, 32, false), -EBUSY);
        CU_ASSERT_EQUAL(flock(lock_fd, LOCK_UN), 0);
        (void)scratch_write("state/seen-live", "damaged");
        CU_ASSERT_EQUAL(seen_live(fd, bytes, 32, false), -EBADMSG);
        CU_ASSERT_EQUAL(seen_live(-1, bytes, 32, false), -EBADF);
}

/* One stream, sent again and cut in another way. */
static void test_cut_otherwise(void) {
        _cleanup_close_ int fd = open_state();
        uint8_t stream[512];

        for (size_t i = 0; i < sizeof(stream); i++)
                stream[i] = (uint8_t)(1 + i / 32 + 7 * (i % 32));
        CU_ASSERT_EQUAL(seen_live(fd, stream, 128, false), 0);
        CU_ASSERT_EQUAL(seen_live(fd, stream + 64, 64, true), SEEN_E_BEFORE);
        CU_ASSERT_EQUAL(seen_live(fd, stream + 96, 416, false), SEEN_E_BEFORE);
        CU_ASSERT_EQUAL(seen_live(fd, stream + 128, 47, false), 0);
        CU_ASSERT_EQUAL(seen_live(fd, stream + 128 + 32, 32, true), 0);
        CU_ASSERT_EQUAL(seen_live(fd, stream + 128, 64, true), SEEN_E_BEFORE);
}

/* rngd and the seeder: what a server sent again, and what cannot be recorded, is not new. */
static void test_live_memory(void) {
        _cleanup_free_ char *lasting = strdup(scratch_path("lasting"));
        _cleanup_free_ char *open_one = strdup(scratch_path("open"));
        _cleanup_free_ char *link_one = strdup(scratch_path("link"));
        _cleanup_close_ int fd = open_state();
        const struct {
                const char *name;
                uint8_t first_byte;
                LiveMemory memory;
                bool repeated;
                int result;
        } rows[] = {
                { "nowhere", 1, { .boot_fd = -1 }, true, -ENOENT },
                { "nowhere, and not recorded", 1, { .boot_fd = -1, .look_only = true }, false, 0 },
                { "not recorded", 1, { .boot_fd = fd, .look_only = true }, false, 0 },
                { "new", 1, { .boot_fd = fd }, false, 0 },
                { "again", 1, { .boot_fd = fd }, true, 0 },
                { "again, not recorded", 1, { .boot_fd = fd, .look_only = true }, true, 0 },
                { "others", 2, { .boot_fd = fd }, false, 0 },
                { "no state directory", 3, { "/proc/none", fd, false }, false, 0 },
                { "in both", 4, { lasting, fd, false }, false, 0 },
                { "in both again", 4, { lasting, fd, false }, true, 0 },
                { "only there", 4, { lasting, -1, false }, true, 0 },
                { "open to others", 5, { open_one, fd, false }, true, -EPERM },
                { "a link", 6, { link_one, fd, false }, true, -ENOTDIR },
        };
        CreditInput credit = { .source_class = SOURCE_CLASS_LIVE_NETWORK,
                               .healthy = true,
                               .fresh = true,
                               .enabled_by_admin = true,
                               .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                               .override_per_1024 = CREDIT_OVERRIDE_NONE };
        Batch batch;

        CU_ASSERT(mkdir(open_one, 0700) == 0 && chmod(open_one, 0770) == 0);
        CU_ASSERT_EQUAL(symlink("state", link_one), 0);
        CU_ASSERT_FATAL(batch_init(&batch) == 0);
        batch.length = 32;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].name);
                batch.secret->bytes[0] = rows[i].first_byte;
                credit.repeated = false;
                CU_ASSERT(credit_per_1024(&credit) > 0);
                CU_ASSERT_EQUAL(
                        live_memory_judge(&rows[i].memory, &batch, &credit),
                        rows[i].result);
                CU_ASSERT_EQUAL(credit.repeated, rows[i].repeated);
        }
        batch_deinit(&batch);
}

/* Nobody looks where nothing is credited anyway, or where no server sent it. */
static void test_no_live_memory(void) {
        const LiveMemory nowhere = { .boot_fd = -1 };
        const Batch none = {};
        CreditInput credit = { .source_class = SOURCE_CLASS_LIVE_NETWORK,
                               .healthy = true,
                               .fresh = true };

        CU_ASSERT_EQUAL(live_memory_judge(&nowhere, &none, &credit), 0);
        credit.source_class = SOURCE_CLASS_LIVE_HOST;
        credit.quality_per_1024 = CREDIT_PER_1024_MAX;
        credit.override_per_1024 = CREDIT_OVERRIDE_NONE;
        CU_ASSERT_EQUAL(live_memory_judge(&nowhere, &none, &credit), 0);
        CU_ASSERT_FALSE(credit.repeated);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_seen_live),
        HARNESS_TEST(test_cut_otherwise),
        HARNESS_TEST(test_live_memory),
        HARNESS_TEST(test_no_live_memory),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("live memory", setup, scratch_teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
