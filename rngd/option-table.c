/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <syslog.h>

#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "rngd/compat.h"
#include "rngd/option-table.h"

#define SOURCE_EXPECTED "hwrng, cpu, file, exec, or a name or index (0 to 10) of rng-tools 6"
#define TIME_EXPECTED   "seconds or a time like 500ms, 10s, 5min, 1h"

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
        return settings_parse_user(value, &context->settings->worker);
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

        return parse_u32(value, 0, 1, &off);
}

static int apply_timeout(OptionContext *context, const char *value) {
        uint64_t zero;

        if (parse_u64(value, 0, 0, &zero) == 0) {
                context->settings->timeout_usec = SETTINGS_MAX_TIMEOUT_USEC;
                messages_add(
                        context->notices,
                        "-T 0: a source is not waited for for ever, but for one hour, and is "
                        "asked again then");
                return 0;
        }
        return settings_parse_timeout(value, &context->settings->timeout_usec);
}

static int apply_watermark(OptionContext *context, const char *value) {
        return settings_parse_watermark(value, &context->settings->watermark);
}

static int apply_step(OptionContext *context, const char *value) {
        uint32_t asked_bytes, used_bytes;
        int r;

        r = parse_u32(value, 0, 2500, &asked_bytes);
        if (r < 0)
                return r;

        if (asked_bytes == 0)
                used_bytes = SETTINGS_DEFAULT_STEP_BYTES;
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
        { "l",
          { "list" },
          NULL,
          false,
          OPTION_GROUP_ACTION,
          "list the sources and their state; exit 0 if one works",
          NULL,
          apply_list,
          NULL },
        { "t",
          { "test" },
          NULL,
          false,
          OPTION_GROUP_ACTION,
          "measure the sources, feed nothing",
          NULL,
          apply_test,
          NULL },
        { "o",
          { "random-device" },
          "FILE",
          false,
          OPTION_GROUP_ACTION,
          "write tested bytes to FILE; /dev/random: feed, as always",
          "a path",
          apply_output,
          NULL },
        { NULL,
          { "status" },
          "json",
          true,
          OPTION_GROUP_ACTION,
          "ask the running rngd what it did; json: its whole document",
          "'json' or nothing",
          apply_status,
          NULL },
        { "vV",
          { "version" },
          NULL,
          false,
          OPTION_GROUP_ACTION,
          "print the version",
          NULL,
          apply_version,
          NULL },
        { "h?",
          { "help", "usage" },
          NULL,
          false,
          OPTION_GROUP_ACTION,
          "print this",
          NULL,
          apply_help,
          NULL },

        { "b",
          { "background" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "go to the background (default)",
          NULL,
          apply_background,
          NULL },
        { "f",
          { "foreground" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "stay in the foreground",
          NULL,
          apply_foreground,
          NULL },
        { "c",
          { "config" },
          "FILE",
          false,
          OPTION_GROUP_RUN,
          "read FILE instead of " SETTINGS_DEFAULT_CONFIG,
          "a path",
          apply_config,
          NULL },
        { "p",
          { "pid-file", "pidfile" },
          "FILE",
          false,
          OPTION_GROUP_RUN,
          "pid file of the background mode (" SETTINGS_DEFAULT_PID_FILE ")",
          "a path",
          apply_pid_file,
          NULL },
        { "D",
          { "drop-privileges" },
          "USER:GROUP",
          false,
          OPTION_GROUP_RUN,
          "run the workers as USER:GROUP (nobody)",
          "USER or USER:GROUP, names or ids that exist",
          apply_user,
          NULL },
        { NULL,
          { "require-source" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "exit 69 when no source works, instead of waiting for one",
          NULL,
          apply_require_source,
          NULL },
        { "q",
          { "quiet" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "log errors only",
          NULL,
          apply_quiet,
          NULL },
        { NULL,
          { "verbose" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "log one line for each event and each batch",
          NULL,
          apply_verbose,
          NULL },
        { "d",
          { "debug" },
          NULL,
          false,
          OPTION_GROUP_RUN,
          "log everything",
          NULL,
          apply_debug,
          NULL },

        { "r",
          { "rng-device" },
          "FILE",
          false,
          OPTION_GROUP_SOURCES,
          "read this device, or this file or FIFO (" SETTINGS_DEFAULT_HWRNG ")",
          "a path",
          apply_rng_device,
          NULL },
        { "x",
          { "exclude" },
          "SOURCE",
          false,
          OPTION_GROUP_SOURCES,
          "do not use SOURCE: hwrng, cpu, file, exec, or a name or index of rng-tools 6",
          SOURCE_EXPECTED,
          apply_exclude,
          NULL },
        { "n",
          { "include" },
          "SOURCE",
          false,
          OPTION_GROUP_SOURCES,
          "use SOURCE",
          SOURCE_EXPECTED,
          apply_include,
          NULL },
        { "O",
          { "option" },
          "SOURCE:KEY:VALUE",
          false,
          OPTION_GROUP_SOURCES,
          "set a source's option; SOURCE alone lists its keys",
          "SOURCE:KEY:VALUE with a key that -O SOURCE lists",
          apply_source_option,
          NULL },
        { "T",
          { "rng-timeout" },
          "TIME",
          false,
          OPTION_GROUP_SOURCES,
          "wait so long for a source (10 s)",
          "100ms to 1h, or 0",
          apply_timeout,
          NULL },
        { "e",
          { "entropy-count" },
          "BITS",
          false,
          OPTION_GROUP_SOURCES,
          "credit so many bits for a byte, 0 to 8",
          "0 to 8 bits",
          apply_bits_per_byte,
          NULL },
        { "H",
          { "rng-entropy" },
          "X",
          false,
          OPTION_GROUP_SOURCES,
          "credit so much for a bit, 0 to 1, as in 0.75",
          "a number from 0 to 1 with at most six decimals",
          apply_bits_per_bit,
          NULL },
        { NULL,
          { "hrng" },
          "NAME",
          false,
          OPTION_GROUP_SOURCES,
          "preset of rng-tools-debian for hwrng; help lists them",
          "a name that --hrng=help lists",
          apply_hrng,
          NULL },
        { NULL,
          { "no-drng" },
          "1|0",
          false,
          OPTION_GROUP_SOURCES,
          "1: do not use cpu",
          "0 or 1",
          apply_no_drng,
          NULL },

        { "W",
          { "fill-watermark" },
          "N[%]",
          false,
          OPTION_GROUP_FEED,
          "counting kernels: fill below N bits or N% (3072); 0: leave the threshold alone",
          "0 to 4096 bits, or 0% to 100%",
          apply_watermark,
          NULL },
        { "s",
          { "random-step" },
          "BYTES",
          false,
          OPTION_GROUP_FEED,
          "ask a source for so many bytes at a time (64)",
          "0 to 2500 bytes",
          apply_step,
          NULL },
        { "R",
          { "force-reseed", "reseed-interval", "feed-interval", "timeout" },
          "TIME",
          false,
          OPTION_GROUP_FEED,
          "feed after so long without an event (1h); 0: never",
          TIME_EXPECTED " up to 365d, or 0",
          apply_reseed,
          NULL },
        { NULL,
          { "fork-check" },
          "TIME",
          false,
          OPTION_GROUP_FEED,
          "look for a VM clone so often where the kernel does not tell (10s); 0: never",
          TIME_EXPECTED " up to 1d, or 0",
          apply_fork_check,
          NULL },

        { "i",
          { "ignorefail" },
          NULL,
          false,
          OPTION_GROUP_NOTICE,
          "health failures are never ignored",
          NULL,
          apply_nothing,
          "-i: health failures are never ignored; a source that fails is asked again by itself" },
        { "u",
          { "use-slow-sources" },
          NULL,
          false,
          OPTION_GROUP_NOTICE,
          "every enabled source is asked, also a slow one",
          NULL,
          apply_nothing,
          "-u: not needed; every enabled source is asked, and what comes late is mixed in too" },
        { "S",
          { "stats-interval" },
          "SECONDS",
          false,
          OPTION_GROUP_NOTICE,
          "statistics are not logged; see --status",
          "0 to 604800 seconds",
          apply_stats_interval,
          "-S: statistics are not logged; 'rngd --status' tells them at any time" },
        { "B",
          { "rng-buffers" },
          "N",
          false,
          OPTION_GROUP_NOTICE,
          "no random bytes are kept waiting",
          "1 to 1000",
          apply_buffers,
          "-B: there are no buffers; bytes are asked for when they are needed and fed at once" },
        { "Q",
          { "rng-quality" },
          "QUALITY",
          false,
          OPTION_GROUP_NOTICE,
          "see credit in guest-entropy.conf(5)",
          "default, low, medium or high",
          apply_quality,
          "-Q: not used; 'credit' in guest-entropy.conf says what a source's bytes are worth" },
        { NULL,
          { "rng-driver" },
          "NAME",
          false,
          OPTION_GROUP_NOTICE,
          "stream is what we do; the kernel drives viapadlock",
          "stream or viapadlock",
          apply_driver,
          NULL },
        { NULL,
          { "no-tpm" },
          "1|0",
          false,
          OPTION_GROUP_NOTICE,
          "there is no source tpm; the kernel offers the TPM as a hwrng",
          "0 or 1",
          apply_no_tpm,
          NULL },
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
