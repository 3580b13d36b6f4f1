/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/policy/credit.h"
#include "lib/sources/source.h"
#include "rngd/settings/options.h"
#include "tests/unit/harness.h"

enum {
        MAX_WORDS = 32,
};

typedef struct Line {
        char text[512];
        char *argv[MAX_WORDS + 1];
        int argc;
} Line;

/* "-f -W 0" to an argv of its own; only blanks separate words. */
static void split_line(const char *text, Line *line) {
        char *word, *state = NULL;

        *line = (Line){ .argc = 1 };
        (void)snprintf(line->text, sizeof(line->text), "%s", text);
        line->argv[0] = (char *)"rngd";
        for (word = strtok_r(line->text, " ", &state); word && line->argc < MAX_WORDS;
             word = strtok_r(NULL, " ", &state))
                line->argv[line->argc++] = word;
}

static char conf_path[64];

static void setup_conf(void) {
        int fd;

        (void)snprintf(conf_path, sizeof(conf_path), "/tmp/test-options.XXXXXX");
        fd = mkstemp(conf_path);
        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT_EQUAL(fchmod(fd, 0644), 0);
        (void)close(fd);
}

static void teardown_conf(void) {
        (void)unlink(conf_path);
}

static void write_conf(const char *text) {
        _cleanup_close_ int fd = -1;

        fd = open(conf_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int load_line(
        const char *options,
        const Settings *previous,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices) {
        char text[256];
        Line line;

        (void)snprintf(text, sizeof(text), "-c %s %s", conf_path, options);
        split_line(text, &line);
        return options_load(line.argc, line.argv, previous, ret_settings, errors, notices);
}

/* Neither root nor nobody, and programs apart: by the package's users, or where there are none. */
static void check_users(const SourceSettings sources[static _SOURCE_MAX]) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                const UserIds *user = &sources[id].user;

                CU_ASSERT(user->uid != 0 && user->uid != 65534);
                CU_ASSERT(user->gid != 0 && user->gid != 65534);
                CU_ASSERT_EQUAL(user->uid == sources[SOURCE_EXEC].user.uid, id == SOURCE_EXEC);
        }
}

/* -D is for all workers, unless one has a user of its own. */
static void test_users(void) {
        _cleanup_settings_ Settings all = { 0 }, own = { 0 };
        _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };

        write_conf("");
        CU_ASSERT_EQUAL(load_line("-D 65534", NULL, &all, &errors, &notices), 0);
        CU_ASSERT_EQUAL(all.sources[SOURCE_EXEC].user.uid, 65534);
        CU_ASSERT_EQUAL(all.sources[SOURCE_HWRNG].user.uid, 65534);
        write_conf("[exec]\nuser = 0\n");
        CU_ASSERT_EQUAL(load_line("-D 65534", NULL, &own, &errors, &notices), 0);
        CU_ASSERT_EQUAL(own.sources[SOURCE_EXEC].user.uid, 0);
        CU_ASSERT_EQUAL(own.sources[SOURCE_HWRNG].user.uid, 65534);
}

/* A later layer wins, key by key. */
static void test_layers(void) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };

        write_conf("[rngd]\nwatermark = 1024\nreseed-interval = 5min\ntimeout = 3s\n"
                   "[hwrng]\ncredit = 512\n[cpu]\nenabled = no\ncredit = 256\n"
                   "[file]\npath = /a\ncredit = 128\n");
        CU_ASSERT_EQUAL(load_line("-W 2048 -n cpu -e 4 -i", NULL, &settings, &errors, &notices), 0);
        CU_ASSERT_EQUAL(settings.watermark.value, 2048);
        CU_ASSERT_EQUAL(settings.reseed_interval_usec, UINT64_C(300000000));
        CU_ASSERT(settings.sources[SOURCE_CPU].enabled);
        CU_ASSERT_EQUAL(settings.sources[SOURCE_HWRNG].credit_override_per_1024, 512);
        CU_ASSERT_EQUAL(settings.sources[SOURCE_CPU].credit_override_per_1024, 512);
        /* -e is for what the command line named; this path came from the file. */
        CU_ASSERT_EQUAL(settings.sources[SOURCE_FILE].credit_override_per_1024, 128);
        CU_ASSERT_EQUAL(settings.sources[SOURCE_HWRNG].timeout_usec, UINT64_C(3000000));
        check_users(settings.sources);
        CU_ASSERT_FALSE(settings.sources[SOURCE_EXEC].enabled);
        CU_ASSERT_EQUAL(notices.n_lines, 1);
}

static void test_load_codes(void) {
        static const struct {
                const char *conf;
                const char *options;
                int r;
                int exit_status;
        } rows[] = {
                { "", "", 0, 0 },
                { "[rngd]\nnope = 1\n", "", CONFIG_E_FILE, 78 },
                { "[rngd]\nnope = 1\n", "-W 9999", CONFIG_E_USAGE, 64 },
                /* A broken file must not keep anybody from these. */
                { "[rngd]\nnope = 1\n", "--help", 0, 0 },
                { "[rngd]\nnope = 1\n", "--version", 0, 0 },
                { "[rngd]\nnope = 1\n", "--status", 0, 0 },
                { "[rngd]\nnope = 1\n", "-O jitter", 0, 0 },
                { "[rngd]\nnope = 1\n", "-l", CONFIG_E_FILE, 78 },
                { "[file]\nenabled = yes\n", "", CONFIG_E_FILE, 78 },
                { "[file]\nenabled = yes\n", "-O namedpipe:path:/x", 0, 0 },
                { "[file]\nenabled = yes\n", "-x file", 0, 0 },
                { "[exec]\nenabled = yes\n", "", CONFIG_E_FILE, 78 },
                { "[exec]\ncommand = /bin/true\n", "-n exec", 0, 0 },
                { "", "-n exec", CONFIG_E_USAGE, 64 },
                { "", "-n namedpipe", CONFIG_E_USAGE, 64 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                int r;

                harness_row("%zu: %s", i, rows[i].options);
                write_conf(rows[i].conf);
                r = load_line(rows[i].options, NULL, &settings, &errors, NULL);
                CU_ASSERT_EQUAL(r, rows[i].r);
                CU_ASSERT_EQUAL(config_exit_status(r), rows[i].exit_status);
                CU_ASSERT_EQUAL(errors.n_lines, r == 0 ? 0 : 1);
                /* Written on success only. */
                CU_ASSERT_EQUAL(settings.config_path == NULL, r != 0);
        }
        CU_ASSERT_EQUAL(config_exit_status(-ENOMEM), 1);
}

static void test_missing_config(void) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };

        (void)unlink(conf_path);
        CU_ASSERT_EQUAL(load_line("", NULL, &settings, &errors, NULL), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(errors.n_lines, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(errors.lines[0], conf_path));
}

/* After chdir("/") a relative path must still mean what it meant. */
static void test_reload(void) {
        _cleanup_settings_ Settings first = { 0 }, second = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        _cleanup_free_ char *directory = getcwd(NULL, 0);
        const char *base;

        CU_ASSERT_EQUAL(load_line("-r fifo", NULL, &first, &errors, NULL), 0);
        CU_ASSERT_EQUAL(chdir("/"), 0);
        CU_ASSERT_EQUAL(load_line("-r fifo", &first, &second, &errors, NULL), 0);
        CU_ASSERT_EQUAL(chdir(directory), 0);
        CU_ASSERT_STRING_EQUAL(first.sources[SOURCE_HWRNG].path, second.sources[SOURCE_HWRNG].path);
        base = strrchr(second.sources[SOURCE_HWRNG].path, '/');
        CU_ASSERT_STRING_EQUAL(base, "/fifo");
        CU_ASSERT(strncmp(second.sources[SOURCE_HWRNG].path, directory, strlen(directory)) == 0);
}

static void test_device_to_file(void) {
        static const struct {
                const char *conf;
                const char *options;
                bool enabled;
                uint32_t credit;
        } rows[] = {
                { "", "-r /f", true, CREDIT_OVERRIDE_NONE },
                { "", "-r /f -e 2", true, 256 },
                /* What was said of the hwrng does not become true of a FIFO. */
                { "[hwrng]\ncredit = 1024\n", "-r /f", true, CREDIT_OVERRIDE_NONE },
                { "[file]\npath = /g\ncredit = 12\n", "-r /f", true, 12 },
                { "[file]\npath = /g\ncredit = 12\n", "-r /f -H 1", true, 1024 },
                { "", "-r /f -x hwrng", false, CREDIT_OVERRIDE_NONE },
                { "", "-r /f -x namedpipe", true, CREDIT_OVERRIDE_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                const SourceSettings *file = &settings.sources[SOURCE_FILE];

                harness_row("%zu: %s", i, rows[i].options);
                write_conf(rows[i].conf);
                CU_ASSERT_EQUAL(load_line(rows[i].options, NULL, &settings, &errors, NULL), 0);
                CU_ASSERT(settings.sources[SOURCE_HWRNG].path_origin == ORIGIN_COMMAND_LINE);
                settings_rng_device_to_file(&settings);
                CU_ASSERT_STRING_EQUAL(file->path, "/f");
                CU_ASSERT_EQUAL(file->enabled, rows[i].enabled);
                CU_ASSERT_EQUAL(file->credit_override_per_1024, rows[i].credit);
                CU_ASSERT_FALSE(settings.sources[SOURCE_HWRNG].enabled);
        }
}

static void test_messages(void) {
        _cleanup_messages_ Messages list = { 0 };
        char quoted[MESSAGES_QUOTE_SIZE], text[200];

        for (unsigned i = 0; i < MESSAGES_MAX + 3; i++)
                messages_add(&list, "line %u", i);
        messages_add(&list, "line 0");
        CU_ASSERT_EQUAL(list.n_lines, MESSAGES_MAX);
        CU_ASSERT_EQUAL(list.n_dropped, 3);

        CU_ASSERT_STRING_EQUAL(messages_quote("a\nb\\\xff", quoted), "a\\x0ab\\x5c\\xff");
        memset(text, 'a', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        CU_ASSERT_EQUAL(strlen(messages_quote(text, quoted)), MESSAGES_QUOTE_SIZE - 1);
        CU_ASSERT_STRING_EQUAL(quoted + MESSAGES_QUOTE_SIZE - 4, "...");
        memset(text, '\n', sizeof(text) - 1);
        CU_ASSERT(strlen(messages_quote(text, quoted)) < MESSAGES_QUOTE_SIZE);
}

static CU_TestInfo load_tests[] = {
        HARNESS_TEST(test_layers),     HARNESS_TEST(test_users),
        HARNESS_TEST(test_load_codes), HARNESS_TEST(test_missing_config),
        HARNESS_TEST(test_reload),     HARNESS_TEST(test_device_to_file),
        HARNESS_TEST(test_messages),   CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("settings", setup_conf, teardown_conf, load_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
