/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <syslog.h>

#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "rngd/compat.h"
#include "rngd/option-table.h"

#define SOURCE_EXPECTED                                           \
        "hwrng, cpu, tpm, egd, metadata, file, exec, jitter, or " \
        "a name or index (0 to 10) of rng-tools 6"
#define TIME_EXPECTED "seconds or a time like 500ms, 10s, 5min, 1h"

static int apply_answer(OptionContext *context, Action action) {
        context->settings->action = action;
        context->answered = true;
        return 0;
}

static int apply_help(OptionContext *context, const char *value) {
        return apply_answer(context, ACTION_HELP);
}

static int apply_version(OptionContext *context, const char *value) {
        return apply_answer(context, ACTION_VERSION);
}

static int apply_list(OptionContext *context, const char *value) {
        context->settings->action = ACTION_LIST;
        return 0;
}

static int apply_test(OptionContext *context, const char *value) {
        context->settings->action = ACTION_TEST;
        return 0;
}

static int apply_output(OptionContext *context, const char *value) {
        /* The default of every rng-tools: the kernel, which is what we feed anyway. */
        if (strcmp(value, "/dev/random") == 0 || strcmp(value, "/dev/urandom") == 0)
                return 0;

        if (strcmp(value, "-") == 0)
                value = "/dev/stdout";
        context->settings->action = ACTION_OUTPUT;
        return settings_set_path(context->settings, &context->settings->output_path, value);
}

static int apply_status(OptionContext *context, const char *value) {
        if (value && strcmp(value, "json") != 0)
                return -EINVAL;

        context->settings->action = value ? ACTION_STATUS_JSON : ACTION_STATUS;
        return 0;
}

static int apply_background(OptionContext *context, const char *value) {
        context->settings->foreground = false;
        return 0;
}

static int apply_foreground(OptionContext *context, const char *value) {
        context->settings->foreground = true;
        return 0;
}

static int apply_pid_file(OptionContext *context, const char *value) {
        return settings_set_path(context->settings, &context->settings->pid_file, value);
}

static int apply_config(OptionContext *context, const char *value) {
        context->settings->config_given = true;
        return settings_set_path(context->settings, &context->settings->config_path, value);
}

static int apply_require_source(OptionContext *context, const char *value) {
        context->settings->require_source = true;
        return 0;
}

static int apply_user(OptionContext *context, const char *value) {
        return values_parse_user(value, &context->settings->worker);
}

static int apply_quiet(OptionContext *context, const char *value) {
        context->settings->log_level = LOG_ERR;
        return 0;
}

static int apply_verbose(OptionContext *context, const char *value) {
        context->settings->log_level = LOG_INFO;
        return 0;
}

static int apply_debug(OptionContext *context, const char *value) {
        context->settings->log_level = LOG_DEBUG;
        return 0;
}

static int apply_rng_device(OptionContext *context, const char *value) {
        context->settings->rng_device_given = true;
        return settings_set_path(
                context->settings,
                &context->settings->sources[SOURCE_HWRNG].path,
                value);
}

static int apply_exclude(OptionContext *context, const char *value) {
        return compat_exclude(context->settings, value);
}

static int apply_include(OptionContext *context, const char *value) {
        return compat_include(context->settings, value, context->notices);
}

static int apply_source_option(OptionContext *context, const char *value) {
        int r;

        r = compat_source_option(context->settings, value, context->notices);
        if (r < 0)
                return r;
        context->answered = context->settings->action == ACTION_SOURCE_KEYS;
        return 0;
}

static int apply_hrng(OptionContext *context, const char *value) {
        int r;

        r = compat_hrng(context->settings, value, context->notices);
        if (r < 0)
                return r;
        context->answered = context->settings->action == ACTION_HRNG_NAMES;
        return 0;
}

static int apply_driver(OptionContext *context, const char *value) {
        return compat_driver(value, context->notices);
}

/* rng-tools5: 1 switches off, 0 is its default and on. */
static int apply_no_drng(OptionContext *context, const char *value) {
        uint32_t off;
        int r;

        r = parse_u32(value, 0, 1, &off);
        if (r < 0)
                return r;
        return off ? compat_exclude(context->settings, "cpu") : 0;
}

static int apply_no_tpm(OptionContext *context, const char *value) {
        uint32_t off;
        int r;

        r = parse_u32(value, 0, 1, &off);
        if (r < 0)
                return r;
        return off ? compat_exclude(context->settings, "tpm") : 0;
}

static int apply_timeout(OptionContext *context, const char *value) {
        uint64_t zero;

        if (parse_u64(value, 0, 0, &zero) == 0) {
                context->settings->timeout_usec = VALUES_MAX_TIMEOUT_USEC;
                messages_add(
                        context->notices,
                        "-T 0: a source is not waited for for ever, but for one hour, and is "
                        "asked again then");
                return 0;
        }
        return values_parse_timeout(value, &context->settings->timeout_usec);
}

static int apply_watermark(OptionContext *context, const char *value) {
        context->settings->watermark_given = true;
        return watermark_parse(value, &context->settings->watermark);
}

static int apply_step(OptionContext *context, const char *value) {
        uint32_t asked_bytes, used_bytes;
        int r;

        r = parse_u32(value, 0, 2500, &asked_bytes);
        if (r < 0)
                return r;

        if (asked_bytes == 0)
                used_bytes = SETTINGS_MAX_STEP_BYTES; /* rng-tools 6 would feed nothing */
        else
                used_bytes =
                        MIN(MAX(asked_bytes, SETTINGS_MIN_STEP_BYTES), SETTINGS_MAX_STEP_BYTES);
        if (used_bytes != asked_bytes)
                messages_add(
                        context->notices,
                        "-s %u: %u bytes are used instead (%u to %u are possible)",
                        asked_bytes,
                        used_bytes,
                        SETTINGS_MIN_STEP_BYTES,
                        SETTINGS_MAX_STEP_BYTES);
        context->settings->random_step_bytes = used_bytes;
        return 0;
}

static int apply_reseed(OptionContext *context, const char *value) {
        return parse_usec(
                value,
                SETTINGS_MAX_RESEED_USEC,
                &context->settings->reseed_interval_usec);
}

static int apply_fork_check(OptionContext *context, const char *value) {
        return parse_usec(value, SETTINGS_MAX_FORK_CHECK_USEC, &context->settings->fork_check_usec);
}

static int apply_bits_per_byte(OptionContext *context, const char *value) {
        uint32_t bits;
        int r;

        r = parse_u32(value, 0, 8, &bits);
        if (r < 0)
                return r;
        context->settings->option_credit_per_1024 = bits * (CREDIT_PER_1024_MAX / 8);
        return 0;
}

static int apply_bits_per_bit(OptionContext *context, const char *value) {
        const uint32_t one_ppm = 1000000;
        uint32_t ppm;
        int r;

        r = parse_fraction(value, one_ppm, &ppm);
        if (r < 0)
                return r;
        context->settings->option_credit_per_1024 =
                (uint32_t)((uint64_t)ppm * CREDIT_PER_1024_MAX / one_ppm);
        return 0;
}

static int apply_nothing(OptionContext *context, const char *value) {
        return 0;
}

static int apply_buffers(OptionContext *context, const char *value) {
        uint32_t n;

        return parse_u32(value, 1, 1000, &n);
}

static int apply_stats_interval(OptionContext *context, const char *value) {
        uint64_t seconds;

        return parse_u64(value, 0, 604800, &seconds);
}

static int apply_quality(OptionContext *context, const char *value) {
        static const char *const qualities[] = { "default", "low", "medium", "high" };

        for (size_t i = 0; i < ELEMENTSOF(qualities); i++)
                if (strcmp(value, qualities[i]) == 0)
                        return 0;
        return -EINVAL;
}

const Option option_table[] = {
        { .letters = "l",
          .names = { "list" },
          .group = OPTION_GROUP_ACTION,
          .help = "list the sources and their state; exit 0 if one works",
          .apply = apply_list },
        { .letters = "t",
          .names = { "test" },
          .group = OPTION_GROUP_ACTION,
          .help = "measure the sources, feed nothing",
          .apply = apply_test },
        { .letters = "o",
          .names = { "random-device" },
          .argument = "FILE",
          .group = OPTION_GROUP_ACTION,
          .help = "write tested bytes to FILE; /dev/random: feed, as always",
          .expected = "a path",
          .apply = apply_output },
        { .names = { "status" },
          .argument = "json",
          .argument_optional = true,
          .group = OPTION_GROUP_ACTION,
          .help = "ask the running rngd what it did; json: its whole document",
          .expected = "'json' or nothing",
          .apply = apply_status },
        { .letters = "vV",
          .names = { "version" },
          .group = OPTION_GROUP_ACTION,
          .help = "print the version",
          .apply = apply_version },
        { .letters = "h?",
          .names = { "help", "usage" },
          .group = OPTION_GROUP_ACTION,
          .help = "print this",
          .apply = apply_help },

        { .letters = "b",
          .names = { "background" },
          .group = OPTION_GROUP_RUN,
          .help = "go to the background (default)",
          .apply = apply_background },
        { .letters = "f",
          .names = { "foreground" },
          .group = OPTION_GROUP_RUN,
          .help = "stay in the foreground",
          .apply = apply_foreground },
        { .letters = "c",
          .names = { "config" },
          .argument = "FILE",
          .group = OPTION_GROUP_RUN,
          .help = "read FILE instead of " SETTINGS_DEFAULT_CONFIG,
          .expected = "a path",
          .apply = apply_config },
        { .letters = "p",
          .names = { "pid-file", "pidfile" },
          .argument = "FILE",
          .group = OPTION_GROUP_RUN,
          .help = "pid file of the background mode (" SETTINGS_DEFAULT_PID_FILE ")",
          .expected = "a path",
          .apply = apply_pid_file },
        { .letters = "D",
          .names = { "drop-privileges" },
          .argument = "USER:GROUP",
          .group = OPTION_GROUP_RUN,
          .help = "run the workers as USER:GROUP (_rng-reader)",
          .expected = "USER or USER:GROUP, names or ids that exist",
          .apply = apply_user },
        { .names = { "require-source" },
          .group = OPTION_GROUP_RUN,
          .help = "exit 69 when no source works, instead of waiting for one",
          .apply = apply_require_source },
        { .letters = "q",
          .names = { "quiet" },
          .group = OPTION_GROUP_RUN,
          .help = "log errors only",
          .apply = apply_quiet },
        { .names = { "verbose" },
          .group = OPTION_GROUP_RUN,
          .help = "log one line for each event and each batch",
          .apply = apply_verbose },
        { .letters = "d",
          .names = { "debug" },
          .group = OPTION_GROUP_RUN,
          .help = "log everything",
          .apply = apply_debug },

        { .letters = "r",
          .names = { "rng-device" },
          .argument = "FILE",
          .group = OPTION_GROUP_SOURCES,
          .help = "read this device, or this file or FIFO (" SOURCE_SETTINGS_DEFAULT_HWRNG ")",
          .expected = "a path",
          .apply = apply_rng_device },
        { .letters = "x",
          .names = { "exclude" },
          .argument = "SOURCE",
          .group = OPTION_GROUP_SOURCES,
          .help = "do not use SOURCE: one of those that -l lists, or as in rng-tools",
          .expected = SOURCE_EXPECTED,
          .apply = apply_exclude },
        { .letters = "n",
          .names = { "include" },
          .argument = "SOURCE",
          .group = OPTION_GROUP_SOURCES,
          .help = "use SOURCE, also if the configuration file says no",
          .expected = SOURCE_EXPECTED,
          .apply = apply_include },
        { .letters = "O",
          .names = { "option" },
          .argument = "SOURCE:KEY:VALUE",
          .group = OPTION_GROUP_SOURCES,
          .help = "set a source's option; SOURCE alone lists its keys",
          .expected = "SOURCE:KEY:VALUE with a key that -O SOURCE lists",
          .apply = apply_source_option },
        { .letters = "T",
          .names = { "rng-timeout" },
          .argument = "TIME",
          .group = OPTION_GROUP_SOURCES,
          .help = "wait so long for a source (10s)",
          .expected = "100ms to 1h, or 0",
          .apply = apply_timeout },
        { .letters = "e",
          .names = { "entropy-count" },
          .argument = "BITS",
          .group = OPTION_GROUP_SOURCES,
          .help = "credit so many bits for a byte, 0 to 8",
          .expected = "0 to 8 bits",
          .apply = apply_bits_per_byte },
        { .letters = "H",
          .names = { "rng-entropy" },
          .argument = "X",
          .group = OPTION_GROUP_SOURCES,
          .help = "credit so much for a bit, 0 to 1, as in 0.75",
          .expected = "a number from 0 to 1 with at most six decimals",
          .apply = apply_bits_per_bit },
        { .names = { "hrng" },
          .argument = "NAME",
          .group = OPTION_GROUP_SOURCES,
          .help = "preset of rng-tools-debian for hwrng; help lists them",
          .expected = "a name that --hrng=help lists",
          .apply = apply_hrng },
        { .names = { "no-drng" },
          .argument = "1|0",
          .group = OPTION_GROUP_SOURCES,
          .help = "1: do not use cpu",
          .expected = "0 or 1",
          .apply = apply_no_drng },
        { .names = { "rng-driver" },
          .argument = "NAME",
          .group = OPTION_GROUP_SOURCES,
          .help = "stream, which is all there is; viapadlock: a notice",
          .expected = "stream or viapadlock",
          .apply = apply_driver },
        { .names = { "no-tpm" },
          .argument = "1|0",
          .group = OPTION_GROUP_SOURCES,
          .help = "1: do not use tpm",
          .expected = "0 or 1",
          .apply = apply_no_tpm },

        { .letters = "W",
          .names = { "fill-watermark" },
          .argument = "N[%]",
          .group = OPTION_GROUP_FEED,
          .help = "older kernels: fill below N bits or N% (3072); 0: leave alone",
          .expected = "0 to 4096 bits, or 0% to 100%",
          .apply = apply_watermark },
        { .letters = "s",
          .names = { "random-step" },
          .argument = "BYTES",
          .group = OPTION_GROUP_FEED,
          .help = "ask a source for at most so many bytes at a time (512)",
          .expected = "0 to 2500 bytes",
          .apply = apply_step },
        { .letters = "R",
          .names = { "force-reseed", "reseed-interval", "feed-interval", "timeout" },
          .argument = "TIME",
          .group = OPTION_GROUP_FEED,
          .help = "feed after so long without an event (1h); 0: never",
          .expected = TIME_EXPECTED " up to 365d, or 0",
          .apply = apply_reseed },
        { .names = { "fork-check" },
          .argument = "TIME",
          .group = OPTION_GROUP_FEED,
          .help = "look for a clone of the VM, if no one tells (10s); 0: never",
          .expected = TIME_EXPECTED " up to 1d, or 0",
          .apply = apply_fork_check },

        { .letters = "i",
          .names = { "ignorefail" },
          .group = OPTION_GROUP_NOTICE,
          .help = "health failures are never ignored",
          .apply = apply_nothing,
          .notice =
                  "-i: health failures are never ignored; a source that fails is asked again by itself" },
        { .letters = "u",
          .names = { "use-slow-sources" },
          .group = OPTION_GROUP_NOTICE,
          .help = "every enabled source is asked, also a slow one",
          .apply = apply_nothing,
          .notice =
                  "-u: not needed; every enabled source is asked, and what comes late is mixed in too" },
        { .letters = "S",
          .names = { "stats-interval" },
          .argument = "SECONDS",
          .group = OPTION_GROUP_NOTICE,
          .help = "statistics are not logged; see --status",
          .expected = "0 to 604800 seconds",
          .apply = apply_stats_interval,
          .notice = "-S: statistics are not logged; 'rngd --status' tells them at any time" },
        { .letters = "B",
          .names = { "rng-buffers" },
          .argument = "N",
          .group = OPTION_GROUP_NOTICE,
          .help = "no random bytes are kept waiting",
          .expected = "1 to 1000",
          .apply = apply_buffers,
          .notice =
                  "-B: there are no buffers; bytes are asked for when they are needed and fed at once" },
        { .letters = "Q",
          .names = { "rng-quality" },
          .argument = "QUALITY",
          .group = OPTION_GROUP_NOTICE,
          .help = "see credit in guest-entropy.conf(5)",
          .expected = "default, low, medium or high",
          .apply = apply_quality,
          .notice =
                  "-Q: not used; 'credit' in guest-entropy.conf says what a source's bytes are worth" },
};

_Static_assert(ELEMENTSOF(option_table) <= OPTIONS_MAX, "OPTIONS_MAX is too small");
const size_t option_table_length = ELEMENTSOF(option_table);

const char *option_group_to_string(OptionGroup group) {
        static const char *const names[_OPTION_GROUP_MAX] = {
                [OPTION_GROUP_ACTION] = "What to do (default: feed the kernel)",
                [OPTION_GROUP_RUN] = "How to run",
                [OPTION_GROUP_SOURCES] = "Sources",
                [OPTION_GROUP_FEED] = "When and how much to feed",
                [OPTION_GROUP_NOTICE] = "Accepted from rng-tools, answered with a notice",
        };

        return names[group];
}
