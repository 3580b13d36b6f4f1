/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

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

static void add(char *buffer, size_t size, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void add(char *buffer, size_t size, const char *format, ...) {
        size_t n = strlen(buffer);
        va_list args;

        va_start(args, format);
        (void)vsnprintf(buffer + n, size - n, format, args);
        va_end(args);
}

static void describe_source(const Settings *settings, SourceId id, char *text, size_t size) {
        const SourceSettings *source = &settings->sources[id];
        const char *name = source_name(id);

        if (source->enabled_origin != ORIGIN_DEFAULT)
                add(text, size, " %s=%s", name, source->enabled ? "on" : "off");
        if (source->credit_override_per_1024 != CREDIT_OVERRIDE_NONE)
                add(text, size, " %s.credit=%u", name, source->credit_override_per_1024);
        if (source->path && strcmp(source->path, SOURCE_SETTINGS_DEFAULT_HWRNG) != 0)
                add(text, size, " %s.path=%s", name, source->path);
        if (source->timeout_usec > 0)
                add(text, size, " %s.timeout=%lu", name, (unsigned long)source->timeout_usec);
}

static void describe_run(const Settings *settings, char *text, size_t size) {
        static const char *const actions[] = {
                [ACTION_LIST] = " list",        [ACTION_TEST] = " test",
                [ACTION_OUTPUT] = " output",    [ACTION_STATUS] = " status",
                [ACTION_STATUS_JSON] = " json", [ACTION_HELP] = " help",
                [ACTION_VERSION] = " version",  [ACTION_SOURCE_KEYS] = " keys",
                [ACTION_HRNG_NAMES] = " hrngs",
        };

        if (settings->action != ACTION_RUN)
                add(text, size, "%s", actions[settings->action]);
        if (settings->topic)
                add(text, size, ":%s", settings->topic);
        if (settings->output_path)
                add(text, size, ":%s", settings->output_path);
        if (settings->foreground)
                add(text, size, " foreground");
        if (settings->require_source)
                add(text, size, " require");
        if (settings->log_level != LOG_NOTICE)
                add(text, size, " log=%d", settings->log_level);
        if (settings->config_origin == ORIGIN_COMMAND_LINE)
                add(text, size, " config=%s", settings->config_path);
        if (strcmp(settings->pid_file, SETTINGS_DEFAULT_PID_FILE) != 0)
                add(text, size, " pid=%s", settings->pid_file);
}

/* What differs from the defaults, in one fixed order, without the first blank. */
static const char *describe(const Settings *settings, char *text, size_t size) {
        static const char *const units[] = { "", "%", "keep:" };
        const Watermark *mark = &settings->watermark;

        text[0] = '\0';
        describe_run(settings, text, size);
        if (mark->unit != WATERMARK_BITS || mark->value != SETTINGS_DEFAULT_WATERMARK_BITS)
                add(text, size, " watermark=%s%u", units[mark->unit], mark->value);
        if (settings->random_step_bytes > 0)
                add(text, size, " step=%u", settings->random_step_bytes);
        if (settings->reseed_interval_usec != SETTINGS_DEFAULT_RESEED_USEC)
                add(text, size, " reseed=%lu", (unsigned long)settings->reseed_interval_usec);
        if (settings->fork_check_usec != SETTINGS_DEFAULT_FORK_CHECK_USEC)
                add(text, size, " fork=%lu", (unsigned long)settings->fork_check_usec);
        if (settings->timeout_usec != SETTINGS_DEFAULT_TIMEOUT_USEC)
                add(text, size, " timeout=%lu", (unsigned long)settings->timeout_usec);
        if (settings->worker.uid != SETTINGS_NO_USER)
                add(text, size, " user=%u:%u", settings->worker.uid, settings->worker.gid);
        if (settings->sources[SOURCE_HWRNG].path_origin == ORIGIN_COMMAND_LINE)
                add(text, size, " device");
        if (settings->option_credit_per_1024 != CREDIT_OVERRIDE_NONE)
                add(text, size, " credit=%u", settings->option_credit_per_1024);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                describe_source(settings, id, text, size);
        return text + (*text == ' ');
}

static int parse_line(
        const char *text,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices) {
        Line line;
        int r;

        split_line(text, &line);
        r = settings_init(ret_settings);
        if (r < 0)
                return r;
        r = values_set_string(&ret_settings->base_directory, "/base");
        if (r < 0)
                return r;
        return options_parse(line.argc, line.argv, ret_settings, errors, notices);
}

typedef struct Row {
        const char *line;
        const char *expected;
} Row;

static void check_accepted(const Row *rows, size_t n_rows) {
        for (size_t i = 0; i < n_rows; i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                char text[1024];

                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(parse_line(rows[i].line, &settings, &errors, NULL), 0);
                CU_ASSERT_STRING_EQUAL(describe(&settings, text, sizeof(text)), rows[i].expected);
                CU_ASSERT_FALSE(errors.n_lines + errors.n_dropped > 0);
        }
}

static void test_how_to_run(void) {
        static const Row rows[] = {
                { "", "" },
                { "-f", "foreground" },
                { "--foreground", "foreground" },
                { "-f -b", "" },
                { "-fd", "foreground log=7" },
                { "-d -q", "log=3" },
                { "--verbose", "log=6" },
                { "--debug", "log=7" },
                { "-l", "list" },
                { "--list", "list" },
                { "-t", "test" },
                { "--test", "test" },
                { "-o /dev/random", "" },
                { "--random-device=/dev/urandom", "" },
                { "-o /dev/stdout", "output:/dev/stdout" },
                { "-o out.bin", "output:/base/out.bin" },
                { "--status", "status" },
                { "--status=json", "json" },
                { "-v", "version" },
                { "-V", "version" },
                { "--version --nonsense", "version" },
                { "-?", "help" },
                { "-h", "help" },
                { "--help", "help" },
                { "--usage", "help" },
                { "-? surplus", "help" },
                { "-c my.conf", "config=/base/my.conf" },
                { "--config=/etc/x", "config=/etc/x" },
                { "-p /run/x.pid", "pid=/run/x.pid" },
                { "--pid-file=x", "pid=/base/x" },
                { "--pidfile=/x", "pid=/x" },
                { "--require-source", "require" },
                { "-D 0:0", "user=0:0" },
                { "-D root:root", "user=0:0" },
                { "--drop-privileges=root", "user=0:0" },
        };

        check_accepted(rows, ELEMENTSOF(rows));
}

static void test_what_to_feed(void) {
        static const Row rows[] = {
                { "-W 0", "watermark=keep:0" },
                { "-W 192", "watermark=192" },
                { "-W 2048", "watermark=2048" },
                { "--fill-watermark=3700", "watermark=3700" },
                { "-W 4096", "watermark=4096" },
                { "-W 90%", "watermark=%90" },
                { "-W 100%", "watermark=%100" },
                { "-W 0%", "watermark=keep:0" },
                { "-W 3072", "" },
                { "-s 128", "step=128" },
                { "--random-step=512", "step=512" },
                { "-s 1024", "step=512" },
                { "-s 8", "step=32" },
                { "-s 0", "step=512" },
                { "-R 300", "reseed=300000000" },
                { "--force-reseed=0", "reseed=0" },
                { "--reseed-interval=10min", "reseed=600000000" },
                { "--feed-interval=60", "reseed=60000000" },
                { "--timeout=60", "reseed=60000000" },
                { "--fork-check=500ms", "fork=500000" },
                { "--fork-check=0", "fork=0" },
                { "-T 3", "timeout=3000000" },
                { "--rng-timeout=0", "timeout=3600000000" },
                { "-e 8", "credit=1024" },
                { "-e 0", "credit=0" },
                { "--entropy-count=3", "credit=384" },
                { "-H 0.75", "credit=768" },
                { "--rng-entropy=1", "credit=1024" },
                { "-H 0.998", "credit=1021" },
                { "-r /dev/hwrng1", "device hwrng.path=/dev/hwrng1" },
                { "--rng-device=fifo", "device hwrng.path=/base/fifo" },
                { "-x hwrng", "hwrng=off" },
                { "-x 0 -x 10", "hwrng=off file=off" },
                { "-x cpu -n cpu", "cpu=on" },
                { "--exclude=namedpipe", "file=off" },
                { "-x 1 -x 5 -x 6 -x 7 -x 8 -x 9", "tpm=off jitter=off" },
                { "-x tpm -x nist -x jitter -x pkcs11 -x rtlsdr -x qrypt", "tpm=off jitter=off" },
                { "-n tpm -n 6 -n egd -x metadata", "tpm=on egd=on metadata=off jitter=on" },
                { "--include=exec -x file", "file=off exec=on" },
                { "-O namedpipe:path:/run/pipe", "file.path=/run/pipe" },
                { "-O namedpipe:path:a:b", "file.path=/base/a:b" },
                { "--option=file:timeout:5", "file.timeout=5000000" },
                { "-O jitter", "keys:jitter" },
                { "-O hwrng -Z", "keys:hwrng" },
                { "--hrng=help", "hrngs" },
                { "--hrng=intelfwh", "hwrng.credit=1021" },
                { "--hrng=viakernel", "hwrng.credit=768" },
                { "--hrng=viapadlock", "" },
                { "--rng-driver=stream", "" },
                { "--no-drng=1", "cpu=off" },
                { "--no-drng=0 --no-tpm=1", "tpm=off" },
                { "--no-tpm=0", "" },
                { "-i -u -S 0 -B 3 -Q high", "" },
                { "--ignorefail --use-slow-sources --stats-interval=3600", "" },
                { "--rng-buffers=5 --rng-quality=medium", "" },
                { "--fore", "foreground" },
                { "-f --", "foreground" },
        };

        check_accepted(rows, ELEMENTSOF(rows));
}

static void test_refused(void) {
        static const struct {
                const char *line;
                const char *expected;
        } rows[] = {
                { "--nope", "unknown or ambiguous option '--nope' (see --help)" },
                { "--f", "unknown or ambiguous option '--f' (see --help)" },
                { "-Z", "unknown option '-Z' (see --help)" },
                { "-fZ", "unknown option '-Z' (see --help)" },
                { "-t 60", "unexpected argument '60' (see --help)" },
                { "-f -- x", "unexpected argument 'x' (see --help)" },
                { "-f \x1b[1m", "unexpected argument '\\x1b[1m' (see --help)" },
                { "--foreground=yes", "--foreground: takes no value" },
                { "-W", "-W: no value given, expected 0 to 4096 bits, or 0% to 100%" },
                { "--config", "--config: no value given, expected a path" },
                { "-W 4097", "-W '4097': expected 0 to 4096 bits, or 0% to 100%" },
                { "-W 101%", "-W '101%': expected 0 to 4096 bits, or 0% to 100%" },
                { "-W -1", "-W '-1': expected 0 to 4096 bits, or 0% to 100%" },
                { "-W %", "-W '%': expected 0 to 4096 bits, or 0% to 100%" },
                { "-W 10%%", "-W '10%%': expected 0 to 4096 bits, or 0% to 100%" },
                { "-W 00000000000001",
                  "-W '00000000000001': expected 0 to 4096 bits, or 0% to 100%" },
                { "--fill-watermark=",
                  "--fill-watermark '': expected 0 to 4096 bits, or 0% to 100%" },
                { "-s 2501", "-s '2501': expected 0 to 2500 bytes" },
                { "-s -1", "-s '-1': expected 0 to 2500 bytes" },
                { "-R stream",
                  "-R 'stream': expected 0, or a time like 500ms, 10s, 5min or 1h up to 365d" },
                { "--feed-interval=366d",
                  "--feed-interval '366d': expected 0, or a time like 500ms, 10s, 5min or 1h up to 365d" },
                { "--fork-check=2d",
                  "--fork-check '2d': expected 0, or a time like 500ms, 10s, 5min or 1h up to 1d" },
                { "-T 99ms", "-T '99ms': expected 100ms to 1h, or 0" },
                { "-T 2h", "-T '2h': expected 100ms to 1h, or 0" },
                { "-e 9", "-e '9': expected 0 to 8 bits" },
                { "-e 7.5", "-e '7.5': expected 0 to 8 bits" },
                { "-H 1.1",
                  "-H '1.1': expected a number from 0 to 1 with at most six "
                  "decimals" },
                { "-D no-such-user",
                  "-D 'no-such-user': expected USER or USER:GROUP, names or ids "
                  "that exist" },
                { "-D root:no-such-group",
                  "-D 'root:no-such-group': expected USER or USER:GROUP, names "
                  "or ids that exist" },
                { "-x foo",
                  "-x 'foo': expected hwrng, cpu, tpm, egd, metadata, file, exec, jitter, "
                  "or a name or index (0 to 10) of rng-tools 6" },
                { "-n 11",
                  "-n '11': expected hwrng, cpu, tpm, egd, metadata, file, exec, jitter, "
                  "or a name or index (0 to 10) of rng-tools 6" },
                { "-O foo", "-O 'foo': expected SOURCE:KEY:VALUE with a key that -O SOURCE lists" },
                { "-O jitter:speed:1",
                  "-O 'jitter:speed:1': expected SOURCE:KEY:VALUE with a key that "
                  "-O SOURCE lists" },
                { "-O namedpipe:path",
                  "-O 'namedpipe:path': expected SOURCE:KEY:VALUE with a key that "
                  "-O SOURCE lists" },
                { "-O namedpipe:path:",
                  "-O 'namedpipe:path:': expected SOURCE:KEY:VALUE with a key that "
                  "-O SOURCE lists" },
                { "-O file:timeout:0",
                  "-O 'file:timeout:0': expected SOURCE:KEY:VALUE with a key that "
                  "-O SOURCE lists" },
                { "-O hwrng:path:/dev/null",
                  "-O 'hwrng:path:/dev/null': expected SOURCE:KEY:VALUE with a key that "
                  "-O SOURCE lists" },
                { "--hrng=x", "--hrng 'x': expected a name that --hrng=help lists" },
                { "--rng-driver=x", "--rng-driver 'x': expected stream or viapadlock" },
                { "--no-drng=2", "--no-drng '2': expected 0 or 1" },
                { "--no-tpm=yes", "--no-tpm 'yes': expected 0 or 1" },
                { "--status=xml", "--status 'xml': expected json or nothing" },
                { "-S 604801", "-S '604801': expected 0 to 604800 seconds" },
                { "-B 0", "-B '0': expected 1 to 1000" },
                { "-Q best", "-Q 'best': expected default, low, medium or high" },
                { "--pid-file=", "--pid-file '': expected a path" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };

                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(
                        parse_line(rows[i].line, &settings, &errors, &notices),
                        CONFIG_E_USAGE);
                CU_ASSERT_EQUAL(errors.n_lines, 1);
                if (errors.n_lines == 1)
                        CU_ASSERT_STRING_EQUAL(errors.lines[0], rows[i].expected);
                CU_ASSERT_FALSE(notices.n_lines + notices.n_dropped > 0);
        }
}

static void test_notices(void) {
        static const struct {
                const char *line;
                size_t n;
                const char *part; /* of the first line */
        } rows[] = {
                { "-f -x jitter -x tpm -x 9", 0, NULL },
                { "-i", 1, "-i: health failures are never ignored" },
                { "-i --ignorefail -i", 1, "-i: " },
                { "-u", 1, "-u: " },
                { "-S 0", 1, "--status" },
                { "-B 3", 1, "-B: " },
                { "-Q low", 1, "guest-entropy.conf" },
                { "-T 0", 1, "one hour" },
                { "-s 0", 1, "512 bytes" },
                { "-s 2500", 1, "512 bytes" },
                { "-s 31", 1, "32 bytes" },
                { "-s 32 -s 512", 0, NULL },
                { "-n jitter -n 1", 0, NULL },
                { "-n 5", 1, "beacon" },
                { "--no-tpm=0", 0, NULL },
                { "--no-tpm=1", 0, NULL },
                { "-O jitter:thread_count:1 -O jitter:buffer_size:2048", 1, "-O jitter: " },
                { "-O rdrand:use_aes:1", 1, "the kernel hashes" },
                { "--hrng=viapadlock --rng-driver=viapadlock", 1, "via-rng" },
                { "-n nist -n jitter -n qrypt", 2, "-n nist: " },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };

                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(parse_line(rows[i].line, &settings, &errors, &notices), 0);
                CU_ASSERT_EQUAL(notices.n_lines, rows[i].n);
                if (notices.n_lines > 0 && rows[i].part)
                        CU_ASSERT_PTR_NOT_NULL(strstr(notices.lines[0], rows[i].part));
        }
}

/* rdrand, darn and rndr are this machine's instruction, or none: never another's. */
static void test_instructions(void) {
        static const char *const names[] = { "rdrand", "darn", "rndr" };
        unsigned here = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                char line[32];

                (void)snprintf(line, sizeof(line), "-x %s", names[i]);
                CU_ASSERT_EQUAL(parse_line(line, &settings, &errors, NULL), 0);
                if (!settings.sources[SOURCE_CPU].enabled)
                        here |= 1U << i;
        }
#if defined(__x86_64__) || defined(__i386__)
        CU_ASSERT_EQUAL(here, 1);
#elif defined(__powerpc64__)
        CU_ASSERT_EQUAL(here, 2);
#elif defined(__aarch64__)
        CU_ASSERT_EQUAL(here, 4);
#else
        CU_ASSERT_EQUAL(here, 0);
#endif
}

/* What RHEL, Fedora and their kin have in /etc/sysconfig/rngd. */
static void test_rhel(void) {
        static const char line[] = "-f --fill-watermark=0 -x pkcs11 -x nist -x qrypt -x namedpipe "
                                   "-x jitter -D daemon:daemon";
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };
        const struct passwd *user;

        user = getpwnam("daemon");
        if (!user)
                HARNESS_SKIP("no user 'daemon' here");

        CU_ASSERT_EQUAL(parse_line(line, &settings, &errors, &notices), 0);
        CU_ASSERT_EQUAL(settings_finish(&settings, &errors), 0);
        CU_ASSERT_EQUAL(settings.watermark.unit, WATERMARK_KEEP);
        CU_ASSERT_EQUAL(settings.sources[SOURCE_HWRNG].user.uid, user->pw_uid);
        CU_ASSERT(settings.sources[SOURCE_HWRNG].enabled);
        CU_ASSERT(settings.sources[SOURCE_CPU].enabled);
        CU_ASSERT(settings.sources[SOURCE_TPM].enabled);
        CU_ASSERT_FALSE(settings.sources[SOURCE_JITTER].enabled);
        CU_ASSERT_FALSE(settings.sources[SOURCE_FILE].enabled);
        CU_ASSERT_FALSE(errors.n_lines + errors.n_dropped > 0);
        CU_ASSERT_FALSE(notices.n_lines + notices.n_dropped > 0);
}

/* SIGHUP parses the same argv again. */
static void test_argv_stays(void) {
        static const char text[] = "-f -W 90% --config=/x -x jitter";
        Line line, before;
        char first[1024], second[1024];

        split_line(text, &line);
        before = line;
        for (int i = 0; i < 2; i++) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };

                CU_ASSERT_EQUAL(settings_init(&settings), 0);
                CU_ASSERT_EQUAL(options_parse(line.argc, line.argv, &settings, &errors, NULL), 0);
                (void)describe(&settings, i ? second : first, sizeof(first));
        }
        CU_ASSERT_STRING_EQUAL(first, second);
        CU_ASSERT(memcmp(line.text, before.text, sizeof(line.text)) == 0);
        CU_ASSERT(memcmp(line.argv, before.argv, sizeof(line.argv)) == 0);
}

static char *print_action(const char *line) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        char *text = NULL;
        size_t size;
        FILE *stream;

        CU_ASSERT_EQUAL(parse_line(line, &settings, &errors, NULL), 0);
        stream = open_memstream(&text, &size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT_EQUAL(options_print(&settings, stream), settings.action >= ACTION_HELP);
        CU_ASSERT_EQUAL(fclose(stream), 0);
        return text;
}

static void test_help(void) {
        _cleanup_free_ char *help = print_action("--help");

        for (size_t i = 0; i < settings_table.n_rows; i++) {
                const Setting *row = &settings_table.table[i];

                harness_row("%s", row->option ? row->option : row->key ? row->key : row->help);
                CU_ASSERT_EQUAL(row->option != NULL || row->key == NULL, row->help != NULL);
                if (row->option)
                        CU_ASSERT_PTR_NOT_NULL(strstr(help, row->option));
                if (row->help)
                        CU_ASSERT_PTR_NOT_NULL(strstr(help, row->help));
                /* What is ignored must not be allocated. */
                CU_ASSERT(
                        !row->ignored || row->type == SETTING_BOOL || row->type == SETTING_U32 ||
                        row->type == SETTING_WORD);
                /* No row may lack what an error line would print. */
                if (row->key || (row->option && strchr(row->option, '='))) {
                        char expected[SETTING_TEXT_SIZE];

                        CU_ASSERT_STRING_NOT_EQUAL(
                                setting_expected(row, ORIGIN_COMMAND_LINE, expected),
                                "another value");
                }
        }
        /* It fits a terminal, but for an option with four names. */
        for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n")) {
                harness_row("%s", line);
                CU_ASSERT(strlen(line) < 80 || strstr(line, "--timeout"));
        }
}

/* Each name and letter is one option's: a second one would never be reached. */
static void test_unique(void) {
        char names[4096] = " ";

        for (size_t i = 0; i < settings_table.n_rows; i++) {
                const char *option = settings_table.table[i].option;

                for (const char *p = option; p; p = strchr(p, ',')) {
                        char name[64];

                        p += strspn(p, ", ");
                        (void)snprintf(name, sizeof(name), " %.*s ", (int)strcspn(p, "=[,"), p);
                        harness_row("%s", name);
                        CU_ASSERT_PTR_NULL(strstr(names, name));
                        add(names, sizeof(names), "%s", name);
                }
        }
}

static void test_prints(void) {
        static const struct {
                const char *line;
                const char *part;
        } rows[] = {
                { "--version", "rngd (guest-entropy) " PACKAGE_VERSION "\n" },
                { "-O namedpipe", "Keys of namedpipe:\n  path\n  timeout\n" },
                { "-O jitter", "  thread_count (accepted with a notice)\n" },
                { "-O hwrng", "hwrng has no keys\n" },
                { "--hrng=help", "viakernel" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = print_action(rows[i].line);

                harness_row("%s", rows[i].line);
                CU_ASSERT_PTR_NOT_NULL(strstr(text, rows[i].part));
        }
        free(print_action("-l"));
}

static CU_TestInfo line_tests[] = {
        HARNESS_TEST(test_how_to_run),
        HARNESS_TEST(test_what_to_feed),
        HARNESS_TEST(test_refused),
        HARNESS_TEST(test_notices),
        HARNESS_TEST(test_instructions),
        HARNESS_TEST(test_rhel),
        HARNESS_TEST(test_argv_stays),
        HARNESS_TEST(test_help),
        HARNESS_TEST(test_unique),
        HARNESS_TEST(test_prints),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("command line", line_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
