/* SPDX-License-Identifier: MIT */
/* What decides of a run: our command line, the kernel's, the file, and all of them together. */
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "seeder/command-line.h"
#include "seeder/run/plan.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

/* ---- hex ---- */

static void test_hex(void) {
        static const char *const bad[] = { "",       "0",      "00",      "0001f",
                                           "0001fF", "0001fg", "0001ff0", "0001ff00" };
        uint8_t bytes[3];
        char text[7];

        hex_encode((const uint8_t *)"\x00\x1a\xff", 3, text);
        CU_ASSERT_STRING_EQUAL(text, "001aff");
        CU_ASSERT(hex_decode("001aff", bytes, 3));
        CU_ASSERT_EQUAL(memcmp(bytes, "\x00\x1a\xff", 3), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                harness_row("%s", bad[i]);
                CU_ASSERT_FALSE(hex_decode(bad[i], bytes, 3));
        }
        CU_ASSERT(hex_decode_prefix("001affxx", 8, bytes, 3));
        CU_ASSERT_FALSE(hex_decode_prefix("001af", 5, bytes, 3));
}

/* ---- the kernel's command line ---- */

static void apply(Settings *settings, const char *line) {
        CU_ASSERT_EQUAL(settings_init(settings), 0);
        settings->kernel_line = strdup(line);
        command_line_apply(settings);
}

static void test_command_line(void) {
        static const struct {
                const char *text;
                bool off;
                uint32_t cpu, drive, seed_file;
                unsigned n_ignored;
        } rows[] = {
#define NONE CREDIT_OVERRIDE_NONE
                { "", false, NONE, NONE, NONE, 0 },
                { "root=/dev/vda ro quiet", false, NONE, NONE, NONE, 0 },
                { "entropy.seeder=off", true, NONE, NONE, NONE, 0 },
                { "ro entropy.seeder=0\n", true, NONE, NONE, NONE, 0 },
                { "entropy.seeder=off entropy.seeder=on", false, NONE, NONE, NONE, 0 },
                { "entropy.seeder=maybe", false, NONE, NONE, NONE, 1 },
                { "entropy.seeder", false, NONE, NONE, NONE, 0 },
                { "xentropy.seeder=off", false, NONE, NONE, NONE, 0 },
                { "entropy.credit=cpu:0", false, 0, NONE, NONE, 0 },
                { "entropy.credit=cpu:1024\tentropy.credit=config-drive:7",
                  false,
                  1024,
                  7,
                  NONE,
                  0 },
                { "entropy.credit=seed-file:12", false, NONE, NONE, 12, 0 },
                { "entropy.credit=cpu:1 entropy.credit=cpu:2", false, 2, NONE, NONE, 0 },
                { "entropy.credit=cpu:1025", false, NONE, NONE, NONE, 1 },
                { "entropy.credit=cpu:-1", false, NONE, NONE, NONE, 1 },
                { "entropy.credit=cpu:", false, NONE, NONE, NONE, 1 },
                { "entropy.credit=cpu", false, NONE, NONE, NONE, 1 },
                { "entropy.credit=cp:1 entropy.credit=cpus:1 entropy.credit=:1",
                  false,
                  NONE,
                  NONE,
                  NONE,
                  3 },
                { "entropy.credit=seed-fil:1", false, NONE, NONE, NONE, 1 },
                { "entropy.credit=cpu:always", false, NONE, NONE, NONE, 1 },
#undef NONE
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = {};
                const SourceSettings *drive = &settings.sources[SOURCE_CONFIG_DRIVE];
                const SourceSettings *cpu = &settings.sources[SOURCE_CPU];

                harness_row("%s", rows[i].text);
                apply(&settings, rows[i].text);
                CU_ASSERT_EQUAL(settings.off, rows[i].off);
                CU_ASSERT_EQUAL(cpu->credit_override_per_1024, rows[i].cpu);
                CU_ASSERT_EQUAL(drive->credit_override_per_1024, rows[i].drive);
                CU_ASSERT_EQUAL(settings.saved.credit_override_per_1024, rows[i].seed_file);
                CU_ASSERT_EQUAL(settings.n_ignored, rows[i].n_ignored);
        }
}

static void test_command_line_trust(void) {
        static const struct {
                const char *text;
                CreditTrust drive;
                unsigned n_ignored;
        } rows[] = {
                { "", CREDIT_TRUST_PLATFORM, 0 },
                { "entropy.trust=config-drive:always", CREDIT_TRUST_ALWAYS, 0 },
                { "entropy.trust=config-drive:always entropy.trust=config-drive:never",
                  CREDIT_TRUST_NEVER,
                  0 },
                { "entropy.trust=config-drive:never entropy.trust=config-drive:platform",
                  CREDIT_TRUST_PLATFORM,
                  0 },
                { "entropy.trust=config-drive:ever", CREDIT_TRUST_PLATFORM, 1 },
                { "entropy.trust=config-drive entropy.trust=:always", CREDIT_TRUST_PLATFORM, 2 },
                { "entropy.trust=cpu:always entropy.trust=metadata:always",
                  CREDIT_TRUST_PLATFORM,
                  2 },
                { "entropy.credit=config-drive:always", CREDIT_TRUST_PLATFORM, 1 },
        };
        _cleanup_settings_ Settings saved = {};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = {};

                harness_row("%s", rows[i].text);
                apply(&settings, rows[i].text);
                CU_ASSERT_EQUAL(settings.sources[SOURCE_CONFIG_DRIVE].trust, rows[i].drive);
                CU_ASSERT_EQUAL(settings.sources[SOURCE_CPU].trust, CREDIT_TRUST_PLATFORM);
                CU_ASSERT_EQUAL(settings.n_ignored, rows[i].n_ignored);
        }
        apply(&saved, "entropy.trust=seed-file:never");
        CU_ASSERT_EQUAL(saved.saved.trust, CREDIT_TRUST_NEVER);
}

static void test_command_line_files(void) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        static char text[100000];
        _cleanup_settings_ Settings settings = {};
        const uint32_t *credit = &settings.sources[SOURCE_CPU].credit_override_per_1024;

        CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
        CU_ASSERT_EQUAL(settings_init(&settings), 0);
        command_line_read(&root, &settings); /* no /proc: the kernel's own is read, by root */
        CU_ASSERT_FALSE(settings.off);
        CU_ASSERT_EQUAL(settings.kernel_line == NULL, geteuid() != 0);
        (void)scratch_write("proc/cmdline", "quiet entropy.seeder=off\n");
        command_line_read(&root, &settings);
        CU_ASSERT(settings.off && settings.kernel_line);

        /* However long it is. */
        for (size_t length = 4090; length < sizeof(text); length = 2 * length + 7) {
                harness_row("%zu", length);
                memset(text, 'x', length);
                (void)strcpy(text + length - 23, " entropy.credit=cpu:0\n");
                (void)scratch_write("proc/cmdline", text);
                command_line_read(&root, &settings);
                CU_ASSERT(settings.kernel_line && *credit == 0);
        }
        /* What cannot be read may have said so, too. */
        CU_ASSERT_EQUAL(unlink(scratch_path("proc/cmdline")), 0);
        CU_ASSERT_EQUAL(mkdir(scratch_path("proc/cmdline"), 0700), 0);
        command_line_read(&root, &settings);
        CU_ASSERT(!settings.kernel_line && *credit == 0);
        CU_ASSERT_EQUAL(settings.saved.credit_override_per_1024, 0);
}

/* ---- where this is ---- */

static void test_phase(void) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;

        CU_ASSERT_EQUAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL(phase_detect(&root), PHASE_REAL_ROOT);
        rootdir_close(&root);
        (void)scratch_write("etc/initrd-release", "");
        CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
        CU_ASSERT_EQUAL(phase_detect(&root), PHASE_INITRAMFS);
        rootdir_close(&root);
        CU_ASSERT_EQUAL(rootdir_open("/dev/shm", &root), 0);
        CU_ASSERT_EQUAL(phase_detect(&root), PHASE_INITRAMFS);

        CU_ASSERT_EQUAL(plan_deadline_usec(PHASE_INITRAMFS), 2000000);
        CU_ASSERT_EQUAL(plan_deadline_usec(PHASE_REAL_ROOT), 10000000);
        CU_ASSERT_STRING_EQUAL(phase_to_string(PHASE_REAL_ROOT), "real-root");
}

static void test_classes(void) {
        /* What the administrator made is rngd's; what burns CPU is the last. */
        CU_ASSERT_EQUAL(plan_class(SOURCE_FILE), PLAN_NEVER);
        CU_ASSERT_EQUAL(plan_class(SOURCE_EXEC), PLAN_NEVER);
        CU_ASSERT_EQUAL(plan_class(SOURCE_JITTER), PLAN_LAST);
        CU_ASSERT_EQUAL(plan_class(SOURCE_METADATA), PLAN_SLOW);
        CU_ASSERT_EQUAL(plan_class(SOURCE_CONFIG_DRIVE), PLAN_QUICK);
}

/* ---- options ---- */

static int parse(const char *words, Settings *settings) {
        static char copy[256]; /* the settings point into it */
        char *argv[16] = { (char[]){ "entropy-seeder" } };
        int argc = 1;

        (void)snprintf(copy, sizeof(copy), "%s", words);
        for (char *word = strtok(copy, " "); word && argc < 15; word = strtok(NULL, " "))
                argv[argc++] = word;
        return settings_read_options(settings, argc, argv, NULL);
}

static void test_options(void) {
        Settings settings = {};

        CU_ASSERT_EQUAL(parse("", &settings), 0);
        CU_ASSERT_EQUAL(settings.action, ACTION_RUN);
        CU_ASSERT(!settings.only_named && settings.deadline_usec == 0);
        CU_ASSERT_EQUAL(settings.phase_origin, ORIGIN_DEFAULT);

        CU_ASSERT_EQUAL(parse("run --deadline=2s --initramfs --dry-run -q -c /x", &settings), 0);
        CU_ASSERT_EQUAL(settings.deadline_usec, 2000000);
        CU_ASSERT_EQUAL(settings.phase_origin, ORIGIN_COMMAND_LINE);
        CU_ASSERT_EQUAL(settings.phase, PHASE_INITRAMFS);
        CU_ASSERT(settings.dry_run && settings.log_level == LOG_ERR);
        CU_ASSERT_STRING_EQUAL(settings.config_path, "/x");

        settings = (Settings){};
        CU_ASSERT_EQUAL(
                parse("--source=cpu --source=seed-file --source config-drive", &settings),
                0);
        CU_ASSERT(settings.only_named && settings.named[SOURCE_CPU] && settings.seed_file_named);
        CU_ASSERT(settings.named[SOURCE_CONFIG_DRIVE] && !settings.named[SOURCE_TPM]);

        CU_ASSERT_EQUAL(parse("save --verbose", &settings), 0);
        CU_ASSERT(settings.action == ACTION_SAVE && settings.log_level == LOG_DEBUG);
        /* It is read once more over the file. */
        CU_ASSERT_EQUAL(parse("save --verbose", &settings), 0);
        CU_ASSERT_EQUAL(settings.action, ACTION_SAVE);
        /* Nothing is done but what was asked for. */
        for (unsigned i = 0; i < 4; i++) {
                static const char *const words[] = { "save --help", "--help save", "run -h", "-h" };

                harness_row("%s", words[i]);
                settings = (Settings){};
                CU_ASSERT_EQUAL(parse(words[i], &settings), 0);
                CU_ASSERT_EQUAL(settings.action, ACTION_HELP);
        }
        CU_ASSERT_EQUAL(parse("save --version", &settings), 0);
        CU_ASSERT_EQUAL(settings.action, ACTION_VERSION);
        CU_ASSERT_EQUAL(parse("--report", &settings), 0);
        CU_ASSERT(settings.action == ACTION_REPORT);
        CU_ASSERT_EQUAL(parse("--report=json", &settings), 0);
        CU_ASSERT(settings.action == ACTION_REPORT_JSON);
}

static void test_bad_options(void) {
        static const char *const rows[] = {
                "--deadline=0",
                "--deadline=2h",
                "--deadline=x",
                "--source=file",
                "--source=",
                "--source=none",
                "--report=xml",
                "--unknown",
                "load",
                "run save",
                "save now",
                "--real-root=yes",
                "-c",
                "-x",
                "save --report",
                "--report run",
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Settings settings = {};

                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(parse(rows[i], &settings), CONFIG_E_USAGE);
        }
}

/* ---- the file ---- */

static int load(const char *text, Settings *settings, Messages *errors) {
        CU_ASSERT_EQUAL(settings_init(settings), 0);
        return settings_read_file(settings, scratch_write("conf", text), true, errors);
}

static void test_defaults(void) {
        _cleanup_settings_ Settings settings = {};

        CU_ASSERT_EQUAL(settings_init(&settings), 0);
        CU_ASSERT_EQUAL(settings_read_file(&settings, scratch_path("not-there"), false, NULL), 0);
        CU_ASSERT(settings.enabled && settings.seed_file && settings.deadline_usec == 0);
        CU_ASSERT(
                settings.sources[SOURCE_CPU].enabled && settings.sources[SOURCE_PLATFORM].enabled);
        CU_ASSERT_FALSE(settings.sources[SOURCE_EGD].enabled); /* no address */
        CU_ASSERT_STRING_EQUAL(settings.sources[SOURCE_HWRNG].path, "/dev/hwrng");
}

static void test_file(void) {
        _cleanup_settings_ Settings settings = {};
        _cleanup_messages_ Messages errors = {};

        CU_ASSERT_EQUAL(
                load("[seeder]\nenabled = no\ndeadline = 500ms\nseed-file = no\n"
                     "[rngd]\nthis is not = ours to judge\nnor this\n"
                     "[config-drive]\ntrust = always\n[platform]\ncredit = 12\nenabled = no\n"
                     "[seed-file]\ntrust = never\n"
                     "[egd]\naddress = unix:/run/egd\ntimeout = 3s\n",
                     &settings,
                     &errors),
                0);
        CU_ASSERT(!settings.enabled && !settings.seed_file);
        CU_ASSERT_EQUAL(settings.deadline_usec, 500000);
        CU_ASSERT(settings.sources[SOURCE_CONFIG_DRIVE].trust == CREDIT_TRUST_ALWAYS);
        CU_ASSERT(settings.sources[SOURCE_PLATFORM].trust == CREDIT_TRUST_PLATFORM);
        CU_ASSERT(settings.saved.trust == CREDIT_TRUST_NEVER);
        CU_ASSERT_EQUAL(
                settings.sources[SOURCE_CONFIG_DRIVE].credit_override_per_1024,
                CREDIT_OVERRIDE_NONE);
        CU_ASSERT_EQUAL(settings.sources[SOURCE_PLATFORM].credit_override_per_1024, 12);
        CU_ASSERT_FALSE(settings.sources[SOURCE_PLATFORM].enabled);
        CU_ASSERT(settings.sources[SOURCE_EGD].enabled && settings.sources[SOURCE_EGD].by_admin);
        CU_ASSERT_FALSE(errors.n_lines + errors.n_dropped > 0);
}

static void test_bad_file(void) {
        static const char *const rows[] = {
                "[seeder]\nspeed = 1\n",           "[seeder]\ndeadline = 0\n",
                "[seeder]\ndeadline = 2h\n",       "[cpu]\ncredit = always\n",
                "[config-drive]\npath = /x\n",     "[seeders]\n",
                "[config-drive]\ncredit = 1025\n", "[egd]\nenabled = yes\n",
                "[seeder]\nseed-file = 2\n",       "[config-drive]\ncredit = always\n",
                "[cpu]\ntrust = always\n",         "[platform]\ntrust = yes\n",
                "[seed-file]\ncredit = 1\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = {};
                _cleanup_messages_ Messages errors = {};

                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(load(rows[i], &settings, &errors), CONFIG_E_FILE);
                CU_ASSERT_EQUAL(errors.n_lines, 1);
        }
}

/* ---- all together ---- */

static RunSettings make(const char *config, const char *kernel, const char *words, Phase phase) {
        static Settings settings; /* the run points into it */
        RunSettings run;

        settings_deinit(&settings);
        CU_ASSERT_EQUAL(load(config, &settings, NULL), 0);
        settings.kernel_line = strdup(kernel);
        command_line_apply(&settings);
        CU_ASSERT_EQUAL(parse(words, &settings), 0);
        settings_make_run(&settings, phase, &run);
        return run;
}

static void test_run_sources(void) {
        RunSettings run = make("", "", "", PHASE_REAL_ROOT);

        CU_ASSERT(run.sources[SOURCE_CPU].reader.enabled && run.use_seed_file && !run.dry_run);
        CU_ASSERT_FALSE(run.sources[SOURCE_METADATA].reader.enabled);
        CU_ASSERT_FALSE(run.sources[SOURCE_CPU].awaited);
        CU_ASSERT_FALSE(run.sources[SOURCE_JITTER].reader.config.enabled_by_admin);
        CU_ASSERT_STRING_EQUAL(run.state_directory, "/var/lib/guest-entropy");

        run = make("[metadata]\nenabled = yes\n", "", "", PHASE_REAL_ROOT);
        CU_ASSERT(run.sources[SOURCE_METADATA].reader.enabled);
        CU_ASSERT(run.sources[SOURCE_METADATA].reader.config.enabled_by_admin);
        run = make("[metadata]\nenabled = yes\n", "", "", PHASE_INITRAMFS);
        CU_ASSERT_FALSE(run.sources[SOURCE_METADATA].reader.enabled);
        CU_ASSERT(!run.use_seed_file && !run.state_directory);

        /* A module is loaded for who wants it. */
        run = make("[jitter]\nenabled = yes\n", "", "", PHASE_REAL_ROOT);
        CU_ASSERT(run.sources[SOURCE_JITTER].reader.config.enabled_by_admin);
        run = make("", "", "--source=jitter", PHASE_INITRAMFS);
        CU_ASSERT(run.sources[SOURCE_JITTER].awaited);

        /* Named is asked, but that is no word of the administrator about its worth. */
        run = make("[cpu]\nenabled = no\n", "", "--source=metadata --source=cpu", PHASE_REAL_ROOT);
        CU_ASSERT(
                run.sources[SOURCE_METADATA].reader.enabled &&
                run.sources[SOURCE_METADATA].awaited);
        CU_ASSERT_FALSE(run.sources[SOURCE_METADATA].reader.config.enabled_by_admin);
        CU_ASSERT(
                run.sources[SOURCE_CPU].reader.enabled && !run.sources[SOURCE_TPM].reader.enabled);
        CU_ASSERT_FALSE(run.use_seed_file);

        CU_ASSERT_FALSE(make("[seeder]\nseed-file = no\n", "", "", PHASE_REAL_ROOT).use_seed_file);
        CU_ASSERT(make("", "", "--source=seed-file", PHASE_REAL_ROOT).use_seed_file);
}

static void test_run_credit(void) {
        RunSettings run =
                make("[config-drive]\ntrust = always\n[cpu]\ncredit = 5\n"
                     "[platform]\ntrust = always\n",
                     "entropy.credit=config-drive:3 entropy.credit=seed-file:9 "
                     "entropy.trust=platform:never",
                     "",
                     PHASE_REAL_ROOT);

        CU_ASSERT_EQUAL(run.sources[SOURCE_CPU].reader.credit_override_per_1024, 5);
        CU_ASSERT_EQUAL(run.sources[SOURCE_CONFIG_DRIVE].reader.credit_override_per_1024, 3);
        CU_ASSERT(run.sources[SOURCE_CONFIG_DRIVE].reader.trust == CREDIT_TRUST_ALWAYS);
        CU_ASSERT(run.sources[SOURCE_CONFIG_DRIVE].reader.config.vouched_for);
        CU_ASSERT(run.sources[SOURCE_PLATFORM].reader.trust == CREDIT_TRUST_NEVER);
        CU_ASSERT_FALSE(run.sources[SOURCE_PLATFORM].reader.config.vouched_for);
        CU_ASSERT_EQUAL(run.seed_file_credit_per_1024, 9);
        run = make("[config-drive]\ntrust = always\n", "", "", PHASE_INITRAMFS);
        CU_ASSERT(run.sources[SOURCE_CONFIG_DRIVE].reader.trust == CREDIT_TRUST_ALWAYS);
        CU_ASSERT_EQUAL(run.seed_file_credit_per_1024, CREDIT_OVERRIDE_NONE);
}

/* As main() reads them: both command lines, the file, and both over it again. */
static void test_order(void) {
        char *argv[] = { (char[]){ "seeder" }, (char[]){ "--deadline=1s" }, NULL };
        _cleanup_settings_ Settings settings = {};
        const char *path = scratch_write(
                "conf",
                "[seeder]\ndeadline = 7s\n[cpu]\ncredit = 5\n[seed-file]\ntrust = always\n"
                "[platform]\ntrust = always\n");

        CU_ASSERT_EQUAL(settings_init(&settings), 0);
        settings.kernel_line = strdup("entropy.credit=cpu:3 entropy.trust=seed-file:never");
        for (int i = 0; i < 2; i++) {
                CU_ASSERT_EQUAL(settings_read_options(&settings, 2, argv, NULL), 0);
                command_line_apply(&settings);
                CU_ASSERT_EQUAL(settings.deadline_usec, 1000000);
                CU_ASSERT_EQUAL(settings.sources[SOURCE_CPU].credit_override_per_1024, 3);
                CU_ASSERT_EQUAL(settings.saved.trust, CREDIT_TRUST_NEVER);
                if (i == 0)
                        CU_ASSERT_EQUAL(settings_read_file(&settings, path, true, NULL), 0);
        }
        CU_ASSERT_EQUAL(settings.sources[SOURCE_PLATFORM].trust, CREDIT_TRUST_ALWAYS);
}

static void test_run_times(void) {
        const char *slow =
                "[seeder]\ndeadline = 7s\n[egd]\naddress = tcp:127.0.0.1:1\ntimeout = 20s\n";

        CU_ASSERT_EQUAL(make("", "", "", PHASE_INITRAMFS).deadline_usec, 2000000);
        CU_ASSERT_EQUAL(make(slow, "", "", PHASE_INITRAMFS).deadline_usec, 7000000);
        CU_ASSERT_EQUAL(make(slow, "", "--deadline=1s", PHASE_INITRAMFS).deadline_usec, 1000000);
        CU_ASSERT_EQUAL(
                make(slow, "", "", PHASE_REAL_ROOT).sources[SOURCE_EGD].reader.config.wait_usec,
                7000000);
        CU_ASSERT_EQUAL(
                make("[tpm]\ntimeout = 1s\n", "", "", PHASE_REAL_ROOT)
                        .sources[SOURCE_TPM]
                        .reader.config.wait_usec,
                1000000);
}

static CU_TestInfo words[] = {
        HARNESS_TEST(test_hex),
        HARNESS_TEST(test_command_line),
        HARNESS_TEST(test_command_line_trust),
        HARNESS_TEST(test_command_line_files),
        HARNESS_TEST(test_phase),
        HARNESS_TEST(test_classes),
        HARNESS_TEST(test_options),
        HARNESS_TEST(test_bad_options),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo settings[] = {
        HARNESS_TEST(test_defaults),   HARNESS_TEST(test_file),
        HARNESS_TEST(test_bad_file),   HARNESS_TEST(test_run_sources),
        HARNESS_TEST(test_run_credit), HARNESS_TEST(test_order),
        HARNESS_TEST(test_run_times),  CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("words", scratch_setup, scratch_teardown, words),
        HARNESS_SUITE_WITH("settings", scratch_setup, scratch_teardown, settings),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
