/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <syslog.h>

#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "rngd/settings/rng-tools.h"
#include "rngd/settings/settings.h"

#define SOURCE_EXPECTED                                           \
        "hwrng, cpu, tpm, egd, metadata, file, exec, jitter, or " \
        "a name or index (0 to 10) of rng-tools 6"

static int apply_output(void *target, const char *value, const SettingLayer *layer) {
        Settings *settings = target;

        /* The default of every rng-tools: the kernel, which is what we feed anyway. */
        if (strcmp(value, "/dev/random") == 0 || strcmp(value, "/dev/urandom") == 0)
                return 0;

        if (strcmp(value, "-") == 0)
                value = "/dev/stdout";
        settings->action = ACTION_OUTPUT;
        return setting_set_path(&settings->output_path, value, layer);
}

/* rng-tools5: 1 switches off, 0 is its default and on. */
static int switch_off(void *target, const char *value, SourceId id) {
        SourceSettings *source = &((Settings *)target)->sources[id];
        uint32_t off;
        int r;

        r = parse_u32(value, 0, 1, &off);
        if (r < 0 || off == 0)
                return r;
        source->enabled = false;
        source->enabled_origin = ORIGIN_COMMAND_LINE;
        return 0;
}

static int apply_no_drng(void *target, const char *value, const SettingLayer *layer) {
        return switch_off(target, value, SOURCE_CPU);
}

static int apply_no_tpm(void *target, const char *value, const SettingLayer *layer) {
        return switch_off(target, value, SOURCE_TPM);
}

static int apply_timeout(void *target, const char *value, const SettingLayer *layer) {
        Settings *settings = target;
        uint64_t zero;

        if (parse_u64(value, 0, 0, &zero) < 0)
                return values_parse_timeout(value, &settings->timeout_usec);
        settings->timeout_usec = VALUES_MAX_TIMEOUT_USEC;
        messages_add(
                layer->notices,
                "-T 0: a source is not waited for for ever, but for one hour, and is asked again "
                "then");
        return 0;
}

static int apply_watermark(void *target, const char *value, const SettingLayer *layer) {
        return watermark_parse(value, &((Settings *)target)->watermark);
}

static int apply_step(void *target, const char *value, const SettingLayer *layer) {
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
                        layer->notices,
                        "-s %u: %u bytes are used instead (%u to %u are possible)",
                        asked_bytes,
                        used_bytes,
                        SETTINGS_MIN_STEP_BYTES,
                        SETTINGS_MAX_STEP_BYTES);
        ((Settings *)target)->random_step_bytes = used_bytes;
        return 0;
}

static int apply_bits_per_byte(void *target, const char *value, const SettingLayer *layer) {
        uint32_t bits;
        int r;

        r = parse_u32(value, 0, 8, &bits);
        if (r < 0)
                return r;
        ((Settings *)target)->option_credit_per_1024 = bits * (CREDIT_PER_1024_MAX / 8);
        return 0;
}

static int apply_bits_per_bit(void *target, const char *value, const SettingLayer *layer) {
        const uint32_t one_ppm = 1000000;
        uint32_t ppm;
        int r;

        r = parse_fraction(value, one_ppm, &ppm);
        if (r < 0)
                return r;
        ((Settings *)target)->option_credit_per_1024 =
                (uint32_t)((uint64_t)ppm * CREDIT_PER_1024_MAX / one_ppm);
        return 0;
}

static const SettingWord log_levels[] = {
        { "error", LOG_ERR },
        { "notice", LOG_NOTICE },
        { "info", LOG_INFO },
        { "debug", LOG_DEBUG },
        {},
};

static const SettingWord status_formats[] = { { "json", ACTION_STATUS_JSON }, {} };
static const SettingWord rng_qualities[] = { { "default" },
                                             { "low" },
                                             { "medium" },
                                             { "high" },
                                             {} };

#define AT(_type, _field) SETTING_AT(_type, Settings, _field)
#define ORIGIN(_field)    .origin_offset = offsetof(Settings, _field)
#define HWRNG(_field)     sources[SOURCE_HWRNG]._field

static const Setting rows[] = {
        { .help = "What to do (default: feed the kernel)" },
        { "-l, --list",
          "list the sources; exit 0 if one works",
          AT(CHOICE, action),
          .value = ACTION_LIST },
        { "-t, --test",
          "measure the sources, feed nothing",
          AT(CHOICE, action),
          .value = ACTION_TEST },
        { "-o, --random-device=FILE",
          "write tested bytes to FILE (/dev/random: feed)",
          .apply = apply_output,
          .expected = "a path" },
        { "--status[=json]",
          "report what the running rngd did; json: all of it",
          AT(WORD, action),
          .words = status_formats,
          .value = ACTION_STATUS,
          .expected = "json or nothing" },
        { "-v, -V, --version", "print the version", AT(ANSWER, action), .value = ACTION_VERSION },
        { "-h, -?, --help, --usage", "print this", AT(ANSWER, action), .value = ACTION_HELP },

        { .help = "How to run" },
        { "-b, --background", "go to the background (default)", AT(OFF, foreground) },
        { "-f, --foreground", "stay in the foreground", AT(BOOL, foreground) },
        { "-c, --config=FILE",
          "read FILE instead of " SETTINGS_DEFAULT_CONFIG,
          AT(PATH, config_path),
          ORIGIN(config_origin) },
        { "-p, --pid-file=FILE, --pidfile=FILE",
          "pid file of the background mode (" SETTINGS_DEFAULT_PID_FILE ")",
          AT(PATH, pid_file) },
        { "-D, --drop-privileges=USER:GROUP",
          "run the workers as USER:GROUP (_rng-reader)",
          .key = "user",
          AT(USER, worker) },
        { "--require-source",
          "exit 69 if no source works, do not wait for one",
          .key = "require-source",
          AT(BOOL, require_source) },
        { "-q, --quiet", "log errors only", AT(CHOICE, log_level), .value = LOG_ERR },
        { "--verbose",
          "log one line for each event and each batch",
          AT(CHOICE, log_level),
          .value = LOG_INFO },
        { "-d, --debug", "log everything", AT(CHOICE, log_level), .value = LOG_DEBUG },
        { .key = "log-level", AT(WORD, log_level), .words = log_levels },

        { .help = "Sources" },
        { "-r, --rng-device=FILE",
          "read this device, file or FIFO (" SOURCE_SETTINGS_DEFAULT_HWRNG ")",
          AT(PATH, HWRNG(path)),
          ORIGIN(HWRNG(path_origin)) },
        { "-x, --exclude=SOURCE",
          "do not use SOURCE (named as by -l or rng-tools)",
          .apply = rng_tools_exclude,
          .expected = SOURCE_EXPECTED },
        { "-n, --include=SOURCE",
          "use SOURCE, whatever the configuration file says",
          .apply = rng_tools_include,
          .expected = SOURCE_EXPECTED },
        { "-O, --option=SOURCE:KEY:VALUE",
          "set a source's option; SOURCE alone lists its keys",
          .apply = rng_tools_source_option,
          .expected = "SOURCE:KEY:VALUE with a key that -O SOURCE lists" },
        { "-T, --rng-timeout=TIME",
          "wait so long for a source (10s)",
          .apply = apply_timeout,
          .expected = "100ms to 1h, or 0" },
        { .key = "timeout",
          AT(USEC, timeout_usec),
          SETTING_RANGE(VALUES_MIN_TIMEOUT_USEC, VALUES_MAX_TIMEOUT_USEC) },
        { "-e, --entropy-count=BITS",
          "credit so many bits for a byte, 0 to 8",
          .apply = apply_bits_per_byte,
          .expected = "0 to 8 bits" },
        { "-H, --rng-entropy=X",
          "credit so much for a bit, 0 to 1, as in 0.75",
          .apply = apply_bits_per_bit,
          .expected = "a number from 0 to 1 with at most six decimals" },
        { "--hrng=NAME",
          "preset of rng-tools-debian; help lists them",
          .apply = rng_tools_hrng,
          .expected = "a name that --hrng=help lists" },
        { "--no-drng=1|0", "1: do not use cpu", .apply = apply_no_drng, .expected = "0 or 1" },
        { "--rng-driver=NAME",
          "stream, which is all there is",
          .apply = rng_tools_driver,
          .expected = "stream or viapadlock" },
        { "--no-tpm=1|0", "1: do not use tpm", .apply = apply_no_tpm, .expected = "0 or 1" },

        { .help = "When and how much to feed" },
        { "-W, --fill-watermark=N[%]",
          "older kernels: fill below N (3072); 0: leave alone",
          .key = "watermark",
          .apply = apply_watermark,
          ORIGIN(watermark_origin),
          .expected = "0 to 4096 bits, or 0% to 100%" },
        { "-s, --random-step=BYTES",
          "ask a source for so many bytes at most (512)",
          .apply = apply_step,
          .expected = "0 to 2500 bytes" },
        { .key = "random-step",
          AT(U32, random_step_bytes),
          SETTING_RANGE(SETTINGS_MIN_STEP_BYTES, SETTINGS_MAX_STEP_BYTES),
          .unit = " bytes" },
        { "-R, --force-reseed=TIME, --reseed-interval=TIME, --feed-interval=TIME, --timeout=TIME",
          "feed after so long without an event (1h; 0: never)",
          .key = "reseed-interval",
          AT(USEC, reseed_interval_usec),
          SETTING_RANGE(0, SETTINGS_MAX_RESEED_USEC) },
        { "--fork-check=TIME",
          "look for a clone where none is told (10s); 0: no",
          .key = "fork-check",
          AT(USEC, fork_check_usec),
          SETTING_RANGE(0, SETTINGS_MAX_FORK_CHECK_USEC) },

        { .help = "Accepted from rng-tools, answered with a notice" },
        { "-i, --ignorefail",
          "health failures are never ignored",
          .type = SETTING_BOOL,
          .ignored = "-i: health failures are never ignored; a source that fails is asked again "
                     "by itself" },
        { "-u, --use-slow-sources",
          "every enabled source is asked, also a slow one",
          .type = SETTING_BOOL,
          .ignored = "-u: not needed; every enabled source is asked, and what comes late is "
                     "mixed in too" },
        { "-S, --stats-interval=SECONDS",
          "statistics are not logged; see --status",
          .type = SETTING_U32,
          SETTING_RANGE(0, 604800),
          .unit = " seconds",
          .ignored = "-S: statistics are not logged; 'rngd --status' tells them at any time" },
        { "-B, --rng-buffers=N",
          "no random bytes are kept waiting",
          .type = SETTING_U32,
          SETTING_RANGE(1, 1000),
          .ignored = "-B: there are no buffers; bytes are asked for when they are needed and fed "
                     "at once" },
        { "-Q, --rng-quality=QUALITY",
          "see credit in guest-entropy.conf(5)",
          .type = SETTING_WORD,
          .words = rng_qualities,
          .ignored = "-Q: not used; 'credit' in guest-entropy.conf says what a source's bytes are "
                     "worth" },
};

_Static_assert(ELEMENTSOF(rows) <= CONFIG_ROWS_MAX, "CONFIG_ROWS_MAX is too small");

const ConfigOptions settings_table = { rows, ELEMENTSOF(rows) };
