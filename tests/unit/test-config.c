/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "lib/policy/credit.h"
#include "lib/sources/source.h"
#include "rngd/settings/options.h"
#include "tests/unit/harness.h"

#define SECTIONS                                                                                             \
        "expected one of: [rngd], [seeder], [seed-file], [hwrng], [cpu], [tpm], [egd], [metadata], [file], " \
        "[exec], [jitter], [platform], [config-drive]"

static int parse(const char *text, Settings *ret_settings, Messages *errors) {
        ConfigSections sections;
        int r;

        r = settings_init(ret_settings);
        if (r < 0)
                return r;
        sections = options_sections(ret_settings);
        return config_read_text("conf", text, strlen(text), &sections, errors);
}

static void test_everything(void) {
        static const char text[] = "# all keys\n"
                                   "[rngd]\n"
                                   "log-level = info\n"
                                   "watermark = 90%\n"
                                   "random-step = 128\n"
                                   "reseed-interval = 30min\n"
                                   "fork-check = 0\n"
                                   "timeout = 5s\n"
                                   "require-source = yes\n"
                                   "user = 0:0\n"
                                   "[hwrng]\n"
                                   "enabled = yes\n"
                                   "path = /dev/hwrng7\n"
                                   "credit = 512\n"
                                   "timeout = 250ms\n"
                                   "[cpu]\n"
                                   "enabled = no\n"
                                   "credit = 0\n"
                                   "[tpm]\n"
                                   "path = /dev/tpm1\n"
                                   "[egd]\n"
                                   "address = tcp:[::1]:8888\n"
                                   "timeout = 2s\n"
                                   "[metadata]\n"
                                   "enabled = yes\n"
                                   "url = https://[::1]:8443/seed?n=1\n"
                                   "format = json:key\n"
                                   "ca-file = /etc/ca.pem\n"
                                   "timeout = 3s\n"
                                   "[jitter]\n"
                                   "enabled = no\n"
                                   "[file]\n"
                                   "path = /run/pipe\n"
                                   "credit = auto\n"
                                   "timeout = 1h\n"
                                   "[exec]\n"
                                   "command = /bin/cat \"/a file\" 'b\"c' d\n"
                                   "user = root\n"
                                   "credit = 1024\n"
                                   "timeout = 1min\n"
                                   "enabled = on\n";
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        const SourceSettings *sources = settings.sources;
        char **argv;

        CU_ASSERT_EQUAL(parse(text, &settings, &errors), 0);
        CU_ASSERT_FALSE(errors.n_lines + errors.n_dropped > 0);
        CU_ASSERT_EQUAL(settings.log_level, LOG_INFO);
        CU_ASSERT_EQUAL(settings.watermark.unit, WATERMARK_PERCENT);
        CU_ASSERT_EQUAL(settings.watermark.value, 90);
        CU_ASSERT_EQUAL(settings.random_step_bytes, 128);
        CU_ASSERT_EQUAL(settings.reseed_interval_usec, UINT64_C(1800000000));
        CU_ASSERT_EQUAL(settings.fork_check_usec, 0);
        CU_ASSERT_EQUAL(settings.timeout_usec, UINT64_C(5000000));
        CU_ASSERT(settings.require_source);
        CU_ASSERT_EQUAL(settings.worker.uid, 0);

        CU_ASSERT(sources[SOURCE_HWRNG].enabled);
        CU_ASSERT_EQUAL(sources[SOURCE_HWRNG].enabled_origin, ORIGIN_CONFIG);
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_HWRNG].path, "/dev/hwrng7");
        CU_ASSERT_EQUAL(sources[SOURCE_HWRNG].credit_override_per_1024, 512);
        CU_ASSERT_EQUAL(sources[SOURCE_HWRNG].timeout_usec, 250000);
        CU_ASSERT_FALSE(sources[SOURCE_CPU].enabled);
        CU_ASSERT_EQUAL(sources[SOURCE_CPU].credit_override_per_1024, 0);
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_TPM].path, "/dev/tpm1");
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_EGD].address, "tcp:[::1]:8888");
        CU_ASSERT_EQUAL(sources[SOURCE_EGD].timeout_usec, 2000000);
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_METADATA].url, "https://[::1]:8443/seed?n=1");
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_METADATA].format, "json:key");
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_METADATA].ca_file, "/etc/ca.pem");
        CU_ASSERT_EQUAL(sources[SOURCE_METADATA].timeout_usec, 3000000);
        CU_ASSERT_FALSE(sources[SOURCE_JITTER].enabled);
        CU_ASSERT_STRING_EQUAL(sources[SOURCE_FILE].path, "/run/pipe");
        CU_ASSERT_EQUAL(sources[SOURCE_FILE].credit_override_per_1024, CREDIT_OVERRIDE_NONE);
        CU_ASSERT_EQUAL(sources[SOURCE_EXEC].credit_override_per_1024, 1024);
        CU_ASSERT_EQUAL(sources[SOURCE_EXEC].user_origin, ORIGIN_CONFIG);
        CU_ASSERT_EQUAL(sources[SOURCE_EXEC].user.uid, 0);

        argv = sources[SOURCE_EXEC].argv;
        CU_ASSERT_STRING_EQUAL(argv[0], "/bin/cat");
        CU_ASSERT_STRING_EQUAL(argv[1], "/a file");
        CU_ASSERT_STRING_EQUAL(argv[2], "b\"c");
        CU_ASSERT_STRING_EQUAL(argv[3], "d");
        CU_ASSERT_PTR_NULL(argv[4]);
}

/* Texts that say step = 128 in a way of their own. */
static void test_shapes(void) {
        static const char *const rows[] = {
                "[rngd]\nrandom-step=128\n",
                "[rngd]\nrandom-step = 128",
                "\xef\xbb\xbf[rngd]\nrandom-step = 128\n",
                "[rngd]\r\nrandom-step = 128\r\n",
                "\n\n  [rngd]  \n\t random-step\t=\t128\t\n",
                "[rngd] # here\nrandom-step = 128 ; or there\n",
                ";c\n#c\n[rngd]\n;random-step = 64\nrandom-step = 128\n",
                "[cpu]\nenabled = yes\n[rngd]\nrandom-step = 128\n[cpu]\ncredit = 1024\n",
                /* Indented: another setting, not more of the one before. */
                "[rngd]\nlog-level = notice\n  random-step = 128\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };

                harness_row("%zu", i);
                CU_ASSERT_EQUAL(parse(rows[i], &settings, &errors), 0);
                CU_ASSERT_EQUAL(settings.random_step_bytes, 128);
                CU_ASSERT_FALSE(errors.n_lines + errors.n_dropped > 0);
        }
}

static void test_refused(void) {
        static const struct {
                const char *text;
                const char *expected; /* the only line */
        } rows[] = {
                { "[rngd]\nspeed = 1\n",
                  "conf:2: [rngd] has no key 'speed', expected one of: user, require-source, log-level, "
                  "timeout, watermark, random-step, reseed-interval, fork-check" },
                { "[cpu]\npath = /x\n",
                  "conf:2: [cpu] has no key 'path', expected one of: enabled, credit" },
                { "[cpu]\nEnabled = yes\n",
                  "conf:2: [cpu] has no key 'Enabled', expected one of: enabled, credit" },
                { "\n[pkcs11]\nenabled = yes\npath = x\n",
                  "conf:2: 'pkcs11' is an unknown section, " SECTIONS },
                { "[egd]\naddress = tcp:localhost:8888\n",
                  "conf:2: [egd] address 'tcp:localhost:8888': expected unix:/PATH, "
                  "tcp:ADDRESS:PORT, tcp:[IPV6]:PORT or vsock:CID:PORT, all in numbers" },
                { "[metadata]\nurl = ftp://127.0.0.1/\n",
                  "conf:2: [metadata] url '...': expected http://HOST... or "
                  "https://HOST..., without user and password" },
                { "[metadata]\nurl = http://me:word@127.0.0.1/\n",
                  "conf:2: [metadata] url '...': expected http://HOST... or "
                  "https://HOST..., without user and password" },
                { "[metadata]\nurl = http:///x\n",
                  "conf:2: [metadata] url '...': expected http://HOST... or "
                  "https://HOST..., without user and password" },
                { "[metadata]\nformat = json:\n",
                  "conf:2: [metadata] format 'json:': expected raw, base64 or json:KEY" },
                { "[metadata]\nca-file = ca.pem\n",
                  "conf:2: [metadata] ca-file 'ca.pem': expected an absolute path" },
                { "[nist]", "conf:1: 'nist' is an unknown section, " SECTIONS },
                { "[]\n", "conf:1: '' is an unknown section, " SECTIONS },
                { "[cpu\nenabled = no\n", "conf:1: '[cpu' is no section, " SECTIONS },
                { "[cpu] x\n", "conf:1: '[cpu] x' is no section, " SECTIONS },
                { "enabled = yes\n", "conf:1: 'enabled = yes' is outside of a section, " SECTIONS },
                { "[cpu]\nenabled\n", "conf:2: 'enabled' is no setting, expected KEY = VALUE" },
                { "[cpu]\nenabled: yes\n",
                  "conf:2: 'enabled: yes' is no setting, expected KEY = VALUE" },
                { "[cpu]\n= yes\n", "conf:2: '= yes' is no setting, expected KEY = VALUE" },
                { "[cpu]\nenabled = yes\n\nenabled = yes\n",
                  "conf:4: 'enabled' was set in line 2 already" },
                { "[cpu]\nenabled = yes\n[hwrng]\n[cpu]\nenabled = no\n",
                  "conf:5: 'enabled' was set in line 2 already" },
                { "[cpu]\nenabled = maybe\n", "conf:2: [cpu] enabled 'maybe': expected yes or no" },
                { "[cpu]\nenabled =\n", "conf:2: [cpu] enabled '': expected yes or no" },
                { "[cpu]\ncredit = 1025\n",
                  "conf:2: [cpu] credit '1025': expected 0 to 1024, or auto" },
                { "[cpu]\ncredit = -1\n",
                  "conf:2: [cpu] credit '-1': expected 0 to 1024, or auto" },
                { "[hwrng]\npath = hwrng\n",
                  "conf:2: [hwrng] path 'hwrng': expected an absolute path" },
                { "[exec]\ncommand = cat /x\n",
                  "conf:2: [exec] command 'cat /x': expected an absolute path of a program, and "
                  "its arguments" },
                { "[exec]\ncommand = /bin/cat 'x\n",
                  "conf:2: [exec] command '/bin/cat 'x': expected an absolute path of a program, "
                  "and its arguments" },
                { "[exec]\ncommand =\n",
                  "conf:2: [exec] command '': expected an absolute path of a program, and its "
                  "arguments" },
                { "[exec]\nuser = no-such-user\n",
                  "conf:2: [exec] user 'no-such-user': expected USER or USER:GROUP, names or ids "
                  "that exist" },
                { "[exec]\ntimeout = 0\n",
                  "conf:2: [exec] timeout '0': expected a time from 100ms to 1h" },
                { "[rngd]\nwatermark = 5000\n",
                  "conf:2: [rngd] watermark '5000': expected 0 to 4096 bits, or 0% to 100%" },
                { "[rngd]\nrandom-step = 16\n",
                  "conf:2: [rngd] random-step '16': expected 32 to 512 bytes" },
                { "[rngd]\nlog-level = loud\n",
                  "conf:2: [rngd] log-level 'loud': expected error, notice, info or debug" },
                { "[rngd]\nfork-check = 2d\n",
                  "conf:2: [rngd] fork-check '2d': expected 0, or a time like 500ms, 10s, 5min or 1h up to 1d" },
                { "[rngd]\nreseed-interval = 1w\n",
                  "conf:2: [rngd] reseed-interval '1w': expected 0, or a time like 500ms, 10s, 5min or 1h up to 365d" },
                { "[rngd]\nlog-level = \x1b[2J\n",
                  "conf:2: [rngd] log-level '\\x1b[2J': expected error, notice, info or debug" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };

                harness_row("%zu: %s", i, rows[i].expected);
                CU_ASSERT_EQUAL(parse(rows[i].text, &settings, &errors), CONFIG_E_FILE);
                CU_ASSERT_EQUAL(errors.n_lines, 1);
                if (errors.n_lines > 0)
                        CU_ASSERT_STRING_EQUAL(errors.lines[0], rows[i].expected);
        }
}

/* Nobody should have to start rngd three times to find three errors. */
static void test_all_errors(void) {
        _cleanup_settings_ Settings settings = { 0 }, other = { 0 };
        _cleanup_messages_ Messages errors = { 0 }, many = { 0 };
        char text[1024] = "[cpu]\n";

        CU_ASSERT_EQUAL(
                parse("a = b\n[cpu]\nx = 1\ncredit = 2000\n[nope]\ny = 1\n", &settings, &errors),
                CONFIG_E_FILE);
        CU_ASSERT_EQUAL(errors.n_lines, 4);
        CU_ASSERT_PTR_NOT_NULL(strstr(errors.lines[3], "conf:5: 'nope'"));

        for (unsigned i = 0; i < MESSAGES_MAX + 5; i++)
                (void)snprintf(text + strlen(text), 16, "key%u = 1\n", i);
        CU_ASSERT_EQUAL(parse(text, &other, &many), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(many.n_lines, MESSAGES_MAX);
        CU_ASSERT_EQUAL(many.n_dropped, 5);
}

/* "path = /aaa...": length bytes, after as many blanks, before a comment of any length. */
static int parse_long_line(unsigned length, Messages *errors) {
        _cleanup_settings_ Settings settings = { 0 };
        char text[2048];
        int n;

        n = snprintf(
                text,
                sizeof(text),
                "[hwrng]\n%*spath = /%0*d %*s#%0600d\n[rngd]\nrandom-step = 99\n",
                300,
                "",
                (int)length - 8,
                0,
                200,
                "",
                0);
        if (n < 0 || (size_t)n >= sizeof(text))
                return -EOVERFLOW;
        return parse(text, &settings, errors);
}

static void test_long_lines(void) {
        _cleanup_messages_ Messages good = { 0 }, bad = { 0 };

        CU_ASSERT_EQUAL(parse_long_line(CONFIG_MAX_LINE_BYTES, &good), 0);
        CU_ASSERT_EQUAL(good.n_lines, 0);
        CU_ASSERT_EQUAL(parse_long_line(CONFIG_MAX_LINE_BYTES + 1, &bad), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(bad.n_lines, 1);
        if (bad.n_lines == 1)
                CU_ASSERT_STRING_EQUAL(bad.lines[0], "conf:2: the line is longer than 190 bytes");
}

static void test_zero_bytes(void) {
        static const char text[] = "[cpu]\nenabled = no\0\ncredit = 0\n";
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        ConfigSections sections;

        CU_ASSERT_EQUAL(settings_init(&settings), 0);
        sections = options_sections(&settings);
        CU_ASSERT_EQUAL(
                config_read_text("conf", text, sizeof(text) - 1, &sections, &errors),
                CONFIG_E_FILE);
        CU_ASSERT_STRING_EQUAL(errors.lines[0], "conf:2: there is a zero byte, expected text");
        CU_ASSERT(settings.sources[SOURCE_CPU].enabled);
        CU_ASSERT_EQUAL(config_read_text("conf", "", 0, &sections, &errors), 0);
}

static void test_words(void) {
        static const struct {
                const char *text;
                int r;
                const char *words; /* joined with | */
        } rows[] = {
                { "/a", 0, "/a" },
                { "  /a  b\tc  ", 0, "/a|b|c" },
                { "/a '' \"\"", 0, "/a||" },
                { "/a b'c d'e", 0, "/a|bc de" },
                { "'/a b' \"'\"", 0, "/a b|'" },
                { "/a $HOME;x `y` \\", 0, "/a|$HOME;x|`y`|\\" },
                { "", -EINVAL, NULL },
                { "  ", -EINVAL, NULL },
                { "a", -EINVAL, NULL },
                { "''", -EINVAL, NULL },
                { "/a \"", -EINVAL, NULL },
                { "/ 2 3 4 5 6 7 8 9 10 1 2 3 4 5 6 7 8 9 20 1 2 3 4 5 6 7 8 9 30 1 2 ",
                  0,
                  "/|2|3|4|5|6|7|8|9|10|1|2|3|4|5|6|7|8|9|20|1|2|3|4|5|6|7|8|9|30|1|2" },
                { "/ 2 3 4 5 6 7 8 9 10 1 2 3 4 5 6 7 8 9 20 1 2 3 4 5 6 7 8 9 30 1 2 33",
                  -EINVAL,
                  NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char joined[256] = "";
                char **argv = NULL;

                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(values_set_command(&argv, rows[i].text), rows[i].r);
                CU_ASSERT_EQUAL(argv != NULL, rows[i].r == 0);
                for (size_t j = 0; argv && argv[j]; j++)
                        (void)snprintf(
                                joined + strlen(joined),
                                sizeof(joined) - strlen(joined),
                                "%s%s",
                                j ? "|" : "",
                                argv[j]);
                if (rows[i].words)
                        CU_ASSERT_STRING_EQUAL(joined, rows[i].words);
                values_free_command(argv);
        }
}

static char directory[64];
static char path[96];

static void setup_directory(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-config.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/conf", directory);
}

static void teardown_directory(void) {
        (void)unlink(path);
        (void)rmdir(path);
        (void)rmdir(directory);
}

static void make_file(mode_t mode, size_t length) {
        _cleanup_close_ int fd = -1;

        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CU_ASSERT(fd >= 0);
        for (; length > 0; length--)
                CU_ASSERT_EQUAL(write(fd, "\n", 1), 1);
        CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
}

/* What config_read_file() answers, and whether its one line holds part. */
static int load(const char *file, bool must_exist, const char *part) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        ConfigSections sections;
        int r;

        CU_ASSERT_EQUAL(settings_init(&settings), 0);
        sections = options_sections(&settings);
        r = config_read_file(file, must_exist, &sections, &errors);
        CU_ASSERT_EQUAL(errors.n_lines, part ? 1 : 0);
        if (part && errors.n_lines == 1) {
                harness_row("%s", errors.lines[0]);
                CU_ASSERT_PTR_NOT_NULL(strstr(errors.lines[0], part));
                CU_ASSERT(strncmp(errors.lines[0], file, strlen(file)) == 0);
        }
        return r;
}

static void test_missing(void) {
        CU_ASSERT_EQUAL(load(path, false, NULL), 0);
        CU_ASSERT_EQUAL(load(path, true, "No such file"), CONFIG_E_FILE);
        /* A directory on the way that is no directory is not the same as no file. */
        make_file(0644, 0);
        CU_ASSERT_EQUAL(load("/dev/null/x", false, "Not a directory"), CONFIG_E_FILE);
}

static void test_modes(void) {
        static const struct {
                mode_t mode;
                const char *part;
        } rows[] = {
                { 0644, NULL },
                { 0600, NULL },
                { 0400, NULL },
                { 0646, "everybody may write it" },
                { 0666, "everybody may write it" },
                { 0602, "everybody may write it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                make_file(rows[i].mode, 1);
                CU_ASSERT_EQUAL(load(path, true, rows[i].part), rows[i].part ? CONFIG_E_FILE : 0);
        }
}

static void test_owners(void) {
        if (geteuid() != 0)
                HARNESS_SKIP("not root: cannot give files away");

        make_file(0664, 1);
        CU_ASSERT_EQUAL(chown(path, 0, 0), 0);
        CU_ASSERT_EQUAL(load(path, true, NULL), 0);
        CU_ASSERT_EQUAL(chown(path, 0, 1234), 0);
        CU_ASSERT_EQUAL(load(path, true, "a group may write it"), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(chmod(path, 0644), 0);
        CU_ASSERT_EQUAL(load(path, true, NULL), 0);
        CU_ASSERT_EQUAL(chown(path, 1234, 0), 0);
        CU_ASSERT_EQUAL(load(path, true, "its owner"), CONFIG_E_FILE);
}

static void test_kinds(void) {
        CU_ASSERT_EQUAL(load(directory, true, "not a regular file"), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(load("/dev/zero", true, "not a regular file"), CONFIG_E_FILE);
        /* Nobody writes into it: a blocking open would wait for ever. */
        CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
        CU_ASSERT_EQUAL(load(path, true, "not a regular file"), CONFIG_E_FILE);
}

static void test_links(void) {
        char target[128];

        make_file(0666, 1);
        (void)snprintf(target, sizeof(target), "%s/target", directory);
        CU_ASSERT_EQUAL(rename(path, target), 0);
        CU_ASSERT_EQUAL(symlink("target", path), 0);
        CU_ASSERT_EQUAL(load(path, true, "everybody may write it"), CONFIG_E_FILE);
        CU_ASSERT_EQUAL(chmod(target, 0644), 0);
        CU_ASSERT_EQUAL(load(path, true, NULL), 0);
        CU_ASSERT_EQUAL(unlink(target), 0);
        CU_ASSERT_EQUAL(load(path, true, "No such file"), CONFIG_E_FILE);
}

static void test_sizes(void) {
        make_file(0644, CONFIG_MAX_BYTES);
        CU_ASSERT_EQUAL(load(path, true, NULL), 0);
        make_file(0644, CONFIG_MAX_BYTES + 1);
        CU_ASSERT_EQUAL(load(path, true, "larger than 65536 bytes"), CONFIG_E_FILE);
}

static CU_TestInfo text_tests[] = {
        HARNESS_TEST(test_everything), HARNESS_TEST(test_shapes),
        HARNESS_TEST(test_refused),    HARNESS_TEST(test_all_errors),
        HARNESS_TEST(test_long_lines), HARNESS_TEST(test_zero_bytes),
        HARNESS_TEST(test_words),      CU_TEST_INFO_NULL,
};

static CU_TestInfo file_tests[] = {
        HARNESS_TEST(test_missing), HARNESS_TEST(test_modes), HARNESS_TEST(test_owners),
        HARNESS_TEST(test_kinds),   HARNESS_TEST(test_links), HARNESS_TEST(test_sizes),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("text", text_tests),
        HARNESS_SUITE_WITH("file", setup_directory, teardown_directory, file_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
