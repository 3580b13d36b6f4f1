/* SPDX-License-Identifier: MIT */
/* What is kept between boots: the seed file, the machine that it belongs to, the used seeds. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/feed/seed-mark.h"
#include "lib/feed/state-mount.h"
#include "seeder/run/static-credit.h"
#include "seeder/state/seed-file.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define MACHINE_ID    "0123456789abcdef0123456789abcdef"
#define UUID          "11111111-2222-3333-4444-555555555555"
#define NO_GENERATION "no generation ID shows that this machine was not cloned or restored"
#define VMGENID       "sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw"

static RootDir root = ROOTDIR_NULL;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
        log_set_max_level(LOG_EMERG);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

/* ---- identity ---- */

static void test_first_boot(void) {
        static const char *const bad[] = { "",
                                           "\n",
                                           "uninitialized\n",
                                           "0123456789abcdef",
                                           MACHINE_ID "0\n",
                                           "0123456789ABCDEF0123456789ABCDEF\n" };
        Identity identity;

        identity_read(&root, &identity);
        CU_ASSERT(identity.first_boot && !identity.machine_id[0] && !identity.generation_known);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                harness_row("%s", bad[i]);
                (void)scratch_write("etc/machine-id", bad[i]);
                identity_read(&root, &identity);
                CU_ASSERT(identity.first_boot && !identity.machine_id[0]);
        }
        (void)scratch_write("etc/machine-id", MACHINE_ID "\n");
        identity_read(&root, &identity);
        CU_ASSERT_FALSE(identity.first_boot);
        CU_ASSERT_STRING_EQUAL(identity.machine_id, MACHINE_ID);
        (void)scratch_write("run/systemd/first-boot", "");
        identity_read(&root, &identity);
        CU_ASSERT(identity.first_boot);
}

static void test_digest(void) {
        Identity one = { .machine_id = MACHINE_ID }, other = one;
        uint8_t salt[IDENTITY_SALT_BYTES] = { 1 }, a[IDENTITY_DIGEST_BYTES],
                b[IDENTITY_DIGEST_BYTES];

        CU_ASSERT_EQUAL(identity_digest(&one, salt, a), 0);
        CU_ASSERT_EQUAL(identity_digest(&other, salt, b), 0);
        CU_ASSERT_EQUAL(memcmp(a, b, sizeof(a)), 0);
        /* What moves from one field to the next is another machine. */
        (void)strcpy(other.product_uuid, &other.machine_id[16]);
        other.machine_id[16] = '\0';
        CU_ASSERT_EQUAL(identity_digest(&other, salt, b), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof(a)), 0);
        salt[0] = 2;
        CU_ASSERT_EQUAL(identity_digest(&one, salt, b), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof(a)), 0);
        CU_ASSERT_EQUAL(identity_digest_generation(&one, salt, b), 0);
        CU_ASSERT_EQUAL(memcmp(b, (uint8_t[IDENTITY_DIGEST_BYTES]){ 0 }, sizeof(b)), 0);
}

/* ---- the seed file ---- */

static void write_machine(const char *machine_id, const char *uuid, const char *generation) {
        uint8_t blob[64] = {};

        (void)scratch_write("etc/machine-id", machine_id);
        (void)scratch_write("sys/class/dmi/id/product_uuid", uuid);
        if (generation) {
                memcpy(blob + 40, generation, strlen(generation));
                (void)scratch_write_bytes(VMGENID, blob, sizeof(blob));
        } else
                (void)unlink(scratch_path(VMGENID));
}

static void save_in(const char *boot_id) {
        _cleanup_(seed_file_close) SeedFile file = SEED_FILE_NULL;
        bool creditable = false;
        Identity identity;

        (void)scratch_write("proc/sys/kernel/random/boot_id", boot_id);
        identity_read(&root, &identity);
        CU_ASSERT_EQUAL(seed_file_open(scratch_path("state"), true, &file), 0);
        CU_ASSERT_EQUAL(seed_file_save(&file, &identity, NULL, &creditable), 0);
        CU_ASSERT(creditable); /* the machine that runs the tests is ready */
}

static void save(void) {
        save_in("boot-1\n");
}

/* The reason, or "" for none; on a machine that is made of iron, or perhaps not. */
static const char *load_on(bool virtual_possible) {
        _cleanup_(seed_file_close) SeedFile file = SEED_FILE_NULL;
        SeedLoad seed = {};
        Identity identity;
        int r;

        identity_read(&root, &identity);
        identity.virtual_possible = virtual_possible;
        CU_ASSERT_EQUAL(seed_file_open(scratch_path("state"), true, &file), 0);
        file.why_no_memory = NULL; /* whatever the tests run on */
        r = seed_file_load(&file, &identity, &seed);
        (void)secret_free(seed.seed);
        if (r == SEED_FILE_E_NONE)
                return "none";
        if (r < 0)
                return strerror(-r);
        CU_ASSERT_EQUAL(seed.marked, !seed.why_not);
        return seed.why_not ? seed.why_not : "";
}

/* In the next boot. */
static const char *load(void) {
        (void)scratch_write("proc/sys/kernel/random/boot_id", "boot-2\n");
        return load_on(false);
}

static void test_once(void) {
        write_machine(MACHINE_ID, UUID, NULL);
        CU_ASSERT_STRING_EQUAL(load(), "none");
        save();
        CU_ASSERT_STRING_EQUAL(load(), "");
        CU_ASSERT_STRING_EQUAL(load(), "it was used before");
        save();
        CU_ASSERT_STRING_EQUAL(load(), "");
}

static void test_machines(void) {
        static const struct {
                const char *machine_id, *uuid, *generation, *why_not;
        } rows[] = {
                { MACHINE_ID, UUID, "GENERATION-ONE--", "" },
                { "fedcba9876543210fedcba9876543210",
                  UUID,
                  "GENERATION-ONE--",
                  "another machine saved it" },
                { MACHINE_ID,
                  "99999999-2222-3333-4444-555555555555",
                  "GENERATION-ONE--",
                  "another machine saved it" },
                { MACHINE_ID, "", "GENERATION-ONE--", "another machine saved it" },
                { "uninitialized", UUID, "GENERATION-ONE--", "this is the first boot" },
                { "", UUID, "GENERATION-ONE--", "this is the first boot" },
                { MACHINE_ID, UUID, "GENERATION-TWO--", "this machine was cloned or restored" },
                { MACHINE_ID, UUID, NULL, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].why_not);
                write_machine(MACHINE_ID, UUID, "GENERATION-ONE--");
                save();
                write_machine(rows[i].machine_id, rows[i].uuid, rows[i].generation);
                CU_ASSERT_STRING_EQUAL(load(), rows[i].why_not);
                /* The mark is gone in each case. */
                write_machine(MACHINE_ID, UUID, "GENERATION-ONE--");
                CU_ASSERT_STRING_EQUAL(load(), "it was used before");
        }
        /* Known now, but not when it was saved. */
        write_machine(MACHINE_ID, UUID, NULL);
        save();
        write_machine(MACHINE_ID, UUID, "GENERATION-ONE--");
        CU_ASSERT_STRING_EQUAL(load(), "");
}

static void test_this_very_boot(void) {
        static const struct {
                const char *saved_in, *loaded_in, *why_not;
        } rows[] = {
                { "boot-1\n", "boot-1\n", "it was saved in this boot" },
                { "boot-1\n", "boot-2\n", "" },
                { "boot-1\n", "", "the boot that saved it is not known" },
                { "", "boot-2\n", "the boot that saved it is not known" },
                { "", "", "the boot that saved it is not known" },
        };

        write_machine(MACHINE_ID, UUID, NULL);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("'%s' '%s'", rows[i].saved_in, rows[i].loaded_in);
                save_in(rows[i].saved_in);
                (void)scratch_write("proc/sys/kernel/random/boot_id", rows[i].loaded_in);
                CU_ASSERT_STRING_EQUAL(load_on(false), rows[i].why_not);
        }
}

/* Only the generation tells the disk of a virtual machine that was set back. */
static void test_generations(void) {
        static const struct {
                const char *saved_in, *loaded_in, *why_not;
        } rows[] = {
                { "GENERATION-ONE--", "GENERATION-ONE--", "" },
                { "GENERATION-ONE--", "GENERATION-TWO--", "this machine was cloned or restored" },
                { "GENERATION-ONE--", NULL, NO_GENERATION },
                { NULL, "GENERATION-ONE--", NO_GENERATION },
                { NULL, NULL, NO_GENERATION },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char boot[16];

                harness_row("row %zu", i);
                (void)snprintf(boot, sizeof(boot), "boot-1-%zu\n", i);
                write_machine(MACHINE_ID, UUID, rows[i].saved_in);
                save_in(boot);
                write_machine(MACHINE_ID, UUID, rows[i].loaded_in);
                (void)scratch_write("proc/sys/kernel/random/boot_id", "boot-2\n");
                CU_ASSERT_STRING_EQUAL(load_on(true), rows[i].why_not);
        }
}

/* Two copies draw the same before anybody sees the new ID: the first save's counts for the whole boot. */
static void test_generation_changes(void) {
        write_machine(MACHINE_ID, UUID, "GENERATION-ONE--");
        save();
        write_machine(MACHINE_ID, UUID, "GENERATION-TWO--");
        save();
        (void)scratch_write("proc/sys/kernel/random/boot_id", "boot-2\n");
        CU_ASSERT_STRING_EQUAL(load_on(true), "this machine was cloned or restored");
        /* The boot after that has a seed of its own again. */
        save_in("boot-2\n");
        (void)scratch_write("proc/sys/kernel/random/boot_id", "boot-3\n");
        CU_ASSERT_STRING_EQUAL(load_on(true), "");
}

/* After a copy was made of this machine: whoever sees it takes the mark away. */
static void test_strip(void) {
        _cleanup_close_ int fd = -1;

        write_machine(MACHINE_ID, UUID, NULL);
        save();
        fd = open(scratch_path("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT_EQUAL(seed_file_strip_mark(fd), 0);
        CU_ASSERT_EQUAL(seed_file_strip_mark(fd), -ENOENT);
        CU_ASSERT_STRING_EQUAL(load(), "it was used before");
}

/* As of an image under an overlay in memory: the mark that was taken away comes back. */
static void test_no_memory(void) {
        _cleanup_(seed_file_close) SeedFile file = SEED_FILE_NULL;
        SeedLoad seed = {};
        Identity identity;

        write_machine(MACHINE_ID, UUID, NULL);
        save();
        (void)scratch_write("proc/sys/kernel/random/boot_id", "boot-2\n");
        identity_read(&root, &identity);
        identity.virtual_possible = false;
        CU_ASSERT_EQUAL(seed_file_open(scratch_path("state"), true, &file), 0);
        file.why_no_memory = "no memory";
        CU_ASSERT_EQUAL(seed_file_load(&file, &identity, &seed), 0);
        (void)secret_free(seed.seed);
        CU_ASSERT_FALSE(seed.marked);
        CU_ASSERT_STRING_EQUAL(seed.why_not, "no memory");
}

static void test_strange_files(void) {
        char *big = calloc(1, 4096);

        CU_ASSERT_PTR_NOT_NULL_FATAL(big);
        write_machine(MACHINE_ID, UUID, NULL);
        save();
        CU_ASSERT_EQUAL(truncate(scratch_path("state/seed.credit"), 600), 0);
        CU_ASSERT_STRING_EQUAL(load(), strerror(EBADMSG));
        CU_ASSERT_EQUAL(unlink(scratch_path("state/seed.credit")), 0);
        (void)scratch_write_bytes(
                "state/seed.credit",
                big,
                SEED_FILE_HEADER_BYTES + SEED_FILE_BYTES);
        CU_ASSERT_STRING_EQUAL(load(), strerror(EBADMSG));
        free(big);
        CU_ASSERT_EQUAL(unlink(scratch_path("state/seed.credit")), 0);
        CU_ASSERT_EQUAL(symlink("/dev/zero", scratch_path("state/seed.credit")), 0);
        CU_ASSERT_STRING_EQUAL(load(), strerror(ELOOP));
        CU_ASSERT_EQUAL(unlink(scratch_path("state/seed.credit")), 0);
        CU_ASSERT_EQUAL(mkfifo(scratch_path("state/seed.credit"), 0600), 0);
        CU_ASSERT_STRING_EQUAL(load(), strerror(EBADMSG));
        /* A new one takes its place. */
        save();
        CU_ASSERT_STRING_EQUAL(load(), "");
}

static void test_directory(void) {
        SeedFile file = SEED_FILE_NULL, second = SEED_FILE_NULL;
        const char *path = scratch_path("state");
        struct stat status;

        CU_ASSERT_EQUAL(seed_file_open(path, false, &file), -ENOENT);
        CU_ASSERT_EQUAL(seed_file_open(path, true, &file), 0);
        CU_ASSERT(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
        CU_ASSERT_EQUAL(seed_file_open(path, true, &second), SEED_FILE_E_BUSY);
        seed_file_close(&file);
        CU_ASSERT_EQUAL(chmod(path, 0770), 0);
        CU_ASSERT_EQUAL(seed_file_open(path, true, &file), -EPERM);
        CU_ASSERT_EQUAL(chmod(path, 0701), 0);
        CU_ASSERT_EQUAL(seed_file_open(path, true, &file), 0);
        seed_file_close(&file);
}

static void test_parents(void) {
        const char *path = scratch_path("var/lib/state");
        const mode_t mask = umask(0077);
        SeedFile file = SEED_FILE_NULL;
        struct stat status;

        CU_ASSERT_EQUAL(seed_file_open(path, false, &file), -ENOENT);
        CU_ASSERT_EQUAL(seed_file_open(path, true, &file), 0);
        seed_file_close(&file);
        CU_ASSERT(stat(scratch_path("var"), &status) == 0 && (status.st_mode & 0777) == 0755);
        CU_ASSERT(stat(scratch_path("var/lib"), &status) == 0 && (status.st_mode & 0777) == 0755);
        CU_ASSERT(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
        (void)scratch_write("file", "");
        CU_ASSERT_EQUAL(seed_file_open(scratch_path("file/state"), true, &file), -ENOTDIR);
        (void)umask(mask);
}

/* Nothing is mounted beneath a scratch directory: what belongs there is missing. */
static void test_missing_mounts(void) {
        static const struct {
                const char *table, *unit;
                bool missing;
        } rows[] = {
                { "", NULL, false },
                { "/dev/vda / ext4 defaults 0 1\n", NULL, false },
                { "/dev/vdz /var ext4 nofail 0 0\n", NULL, true },
                { "# /dev/vdz /var ext4 nofail 0 0\n", NULL, false },
                { "a /x ext4\n/dev/vdz\t/var/ ext4 nofail 0 0\n", NULL, true },
                { "/dev/vdz /var/lib/guest-entropy ext4", NULL, true },
                { "/dev/vdz /var/log ext4\n/dev/vdy /var/lib/guest ext4\n", NULL, false },
                { "/dev/vdz /va ext4\n/dev/vdy /var/lib/guest-entropy/x ext4\n", NULL, false },
                { "", "etc/systemd/system/var.mount", true },
                { "", "run/systemd/generator/var-lib.mount", true },
                { "", "lib/systemd/system/var-lib-guest\\x2dentropy.mount", true },
                { "", "etc/systemd/system/var-lib-guest-entropy.mount", false },
                { "", "etc/systemd/system/-.mount", false },
        };

        (void)scratch_write("var/lib/guest-entropy/seed", "");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s%s", rows[i].table, rows[i].unit ? rows[i].unit : "");
                (void)scratch_write("etc/fstab", rows[i].table);
                if (rows[i].unit)
                        (void)scratch_write(rows[i].unit, "");
                CU_ASSERT_EQUAL(
                        state_mount_missing(&root, "/var/lib/guest-entropy"),
                        rows[i].missing);
                if (rows[i].unit)
                        CU_ASSERT_EQUAL(unlink(scratch_path(rows[i].unit)), 0);
        }
}

static void test_masked_mount(void) {
        (void)scratch_write("etc/systemd/system/x", "");
        CU_ASSERT_EQUAL(symlink("/dev/null", scratch_path("etc/systemd/system/var.mount")), 0);
        CU_ASSERT_FALSE(state_mount_missing(&root, "/var/lib/guest-entropy"));
        CU_ASSERT_EQUAL(unlink(scratch_path("etc/systemd/system/var.mount")), 0);
        CU_ASSERT_EQUAL(symlink("x", scratch_path("etc/systemd/system/var.mount")), 0);
        CU_ASSERT(state_mount_missing(&root, "/var/lib/guest-entropy"));
}

/* ---- used seeds ---- */

static const uint8_t seed_a[32] = "a seed", seed_b[32] = "another";

static StaticUse use(StaticCredit *credit, const uint8_t *seed, bool dry_run) {
        const char *note;

        return static_credit_use(credit, seed, 32, dry_run, &note);
}

static int open_state(void) {
        (void)mkdir(scratch_path("state"), 0700);
        return open(scratch_path("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_seen(void) {
        _cleanup_close_ int fd = open_state();
        StaticCredit credit;

        static_credit_init(&credit, fd, "no");
        CU_ASSERT_EQUAL(use(&credit, seed_a, true), STATIC_USE_FIRST);
        CU_ASSERT_EQUAL(
                use(&credit, seed_a, true),
                STATIC_USE_FIRST); /* a dry run leaves nothing */
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_FIRST);
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_AGAIN);
        CU_ASSERT_EQUAL(
                static_credit_use(&credit, seed_a, 31, false, &(const char *){ NULL }),
                STATIC_USE_AGAIN);
        static_credit_deinit(&credit);

        static_credit_init(&credit, fd, "no");
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_AGAIN);
        CU_ASSERT_EQUAL(use(&credit, seed_b, false), STATIC_USE_FIRST);
        static_credit_deinit(&credit);
}

/* One secret, as other carriers may hand it over. */
static void test_seen_alike(void) {
        static const char secret[] =
                "\x93\x18\xe2\x40\xfa\x07\x5c\x81\xb6\x2d\x99\xc0\x1e\x73\xa8\x5f"
                "\xd1\x0b\x66\xec\x38\x97\x42\xbd\xf5\x2a\x70\xc9\x14\x8f\xe3\x5b";
        static const struct {
                const char *before, *after;
                size_t cut;
                bool same;
        } rows[] = {
                { "", "", 0, true },   { "", "\n", 0, true },      { "", "\r\n", 0, true },
                { "\n", "", 0, true }, { " \t\n", "\n", 0, true }, { "", "more", 0, true },
                { "", "", 8, true },   { "", "", 16, true },       { "x", "", 0, false },
        };
        _cleanup_close_ int fd = open_state();

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const size_t before = strlen(rows[i].before);
                StaticCredit credit;
                const char *note;
                char other[80] = "";
                size_t length;

                harness_row("%zu", i);
                (void)unlink(scratch_path("state/seen"));
                memcpy(other, rows[i].before, before);
                memcpy(other + before, secret, 32);
                (void)strcpy(other + before + 32, rows[i].after);
                length = before + 32 + strlen(rows[i].after) - rows[i].cut;
                static_credit_init(&credit, fd, "no");
                CU_ASSERT_EQUAL(
                        static_credit_use(&credit, (const uint8_t *)secret, 32, false, &note),
                        STATIC_USE_FIRST);
                CU_ASSERT_EQUAL(
                        static_credit_use(&credit, (uint8_t *)other, length, false, &note),
                        rows[i].same ? STATIC_USE_AGAIN : STATIC_USE_FIRST);
                /* A zero byte at its end, as of a string. */
                CU_ASSERT_EQUAL(
                        static_credit_use(&credit, (const uint8_t *)secret, 33, false, &note),
                        STATIC_USE_AGAIN);
                static_credit_deinit(&credit);
        }
}

static void test_seen_damaged(void) {
        static const char *const rows[] = {
                "",
                "guest-entropy-seen 2\n",
                "guest-entropy-seen 1\nsalt 00\n",
                "guest-entropy-seen 1\nsalt 000102030405060708090a0b0c0d0e0f\n00",
                "guest-entropy-seen 1\nsalt 000102030405060708090a0b0c0d0e0f",
        };
        _cleanup_close_ int fd = open_state();
        StaticCredit credit;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i]);
                (void)scratch_write("state/seen", rows[i]);
                static_credit_init(&credit, fd, "no");
                /* It may have been in there: nobody's word helps. */
                CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_AGAIN);
                static_credit_deinit(&credit);
        }
        static_credit_init(&credit, -1, "no directory");
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_UNKNOWN);
        static_credit_deinit(&credit);
}

static void test_seen_full(void) {
        _cleanup_close_ int fd = open_state();
        uint8_t digest[SEEN_DIGEST_BYTES] = {};
        StaticCredit credit;

        static_credit_init(&credit, fd, "no");
        for (uint16_t i = 0; i < SEEN_MAX; i++) {
                memcpy(digest, &i, sizeof(i));
                CU_ASSERT_EQUAL(seen_add(&credit.seen, digest), 0);
        }
        CU_ASSERT_EQUAL(seen_add(&credit.seen, digest), -ENOSPC);
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_UNKNOWN);
        CU_ASSERT_EQUAL(seen_save(&credit.seen, fd), 0);
        static_credit_deinit(&credit);
        static_credit_init(&credit, fd, "no");
        CU_ASSERT(credit.usable && credit.seen.n_digests == SEEN_MAX);
        static_credit_deinit(&credit);
}

static void test_this_boot(void) {
        _cleanup_close_ int fd = open_state();
        StaticCredit credit;
        RunReport *earlier = calloc(1, sizeof(*earlier));
        char *run_report = NULL;

        CU_ASSERT_PTR_NOT_NULL_FATAL(earlier);
        CU_ASSERT_EQUAL(static_credit_leave(seed_a, sizeof(seed_a), &earlier->seeds), 0);
        CU_ASSERT_EQUAL(static_credit_leave(seed_a, sizeof(seed_a), &earlier->seeds), 0);
        CU_ASSERT_EQUAL(earlier->seeds.n, 1);
        CU_ASSERT(static_credit_left(seed_a, sizeof(seed_a), &earlier->seeds));
        CU_ASSERT_FALSE(static_credit_left(seed_b, sizeof(seed_b), &earlier->seeds));
        CU_ASSERT_EQUAL_FATAL(run_report_to_json(earlier, &run_report), 0);

        static_credit_init(&credit, fd, "no");
        static_credit_add_run(&credit, run_report);
        CU_ASSERT_EQUAL(credit.n_earlier, 1);
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_THIS_BOOT);
        CU_ASSERT_EQUAL(use(&credit, seed_b, false), STATIC_USE_FIRST);
        static_credit_deinit(&credit);

        /* Recorded for the next boot. */
        static_credit_init(&credit, fd, "no");
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_AGAIN);
        static_credit_deinit(&credit);
        /* A run whose run report cannot be read may have credited it. */
        static_credit_init(&credit, fd, "no");
        static_credit_add_run(&credit, "");
        CU_ASSERT_EQUAL(use(&credit, seed_b, false), STATIC_USE_AGAIN);
        static_credit_deinit(&credit);
        /* Also without the list. */
        static_credit_init(&credit, -1, "no");
        static_credit_add_run(&credit, run_report);
        CU_ASSERT_EQUAL(use(&credit, seed_a, false), STATIC_USE_THIS_BOOT);
        static_credit_deinit(&credit);
        free(run_report);
        free(earlier);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_first_boot),
        HARNESS_TEST(test_digest),
        HARNESS_TEST(test_once),
        HARNESS_TEST(test_machines),
        HARNESS_TEST(test_this_very_boot),
        HARNESS_TEST(test_generations),
        HARNESS_TEST(test_generation_changes),
        HARNESS_TEST(test_no_memory),
        HARNESS_TEST(test_strip),
        HARNESS_TEST(test_strange_files),
        HARNESS_TEST(test_directory),
        HARNESS_TEST(test_parents),
        HARNESS_TEST(test_missing_mounts),
        HARNESS_TEST(test_masked_mount),
        HARNESS_TEST(test_seen),
        HARNESS_TEST(test_seen_damaged),
        HARNESS_TEST(test_seen_full),
        HARNESS_TEST(test_this_boot),
        HARNESS_TEST(test_seen_alike),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("state", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
