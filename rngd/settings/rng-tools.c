/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "rngd/settings/rng-tools.h"
#include "rngd/settings/settings.h"

#define SOURCE_NONE _SOURCE_LIVE_MAX

/* RDRAND, DARN and RNDR are one source here, on the machine that has the instruction. Elsewhere
 * -x darn must not switch off what rdrand means. */
#if defined(__x86_64__) || defined(__i386__)
#define RDRAND SOURCE_CPU
#else
#define RDRAND SOURCE_NONE
#endif
#ifdef __powerpc64__
#define DARN SOURCE_CPU
#else
#define DARN SOURCE_NONE
#endif
#ifdef __aarch64__
#define RNDR SOURCE_CPU
#else
#define RNDR SOURCE_NONE
#endif

static const char no_aes[] =
        "the kernel hashes all bytes, and those worth less than eight bits count for less";

/* The first eleven in the order of rng-tools 6: the place is the index that -x and -n take. */
static const struct RngToolsSource {
        const char *name;
        SourceId id;
        const char *keys;    /* of -O, between blanks */
        const char *instead; /* the notice: what replaces it; NULL where its keys are honored */
        bool instruction;
} rng_tools_sources[] = {
        { "hwrng", SOURCE_HWRNG },
        { "tpm", SOURCE_TPM },
        { "rdrand", RDRAND, "use_aes", no_aes, .instruction = true },
        { "darn", DARN, "use_aes", no_aes, .instruction = true },
        { "rndr", RNDR, "use_aes", no_aes, .instruction = true },
        { "nist",
          SOURCE_NONE,
          "use_aes",
          "a public beacon is known to everybody and worth no credit" },
        { "jitter",
          SOURCE_JITTER,
          "thread_count buffer_size refill_thresh retry_count retry_delay use_aes "
          "force_soft_timer timeout",
          "the kernel's jitterentropy_rng has nothing to set" },
        { "pkcs11",
          SOURCE_NONE,
          "engine_path chunk_size",
          "a program that reads the token can be named as 'command' in [exec]" },
        { "rtlsdr",
          SOURCE_NONE,
          "device_id freq_min freq_max sample_min sample_max",
          "a program that reads the radio can be named as 'command' in [exec]" },
        { "qrypt",
          SOURCE_NONE,
          "tokenfile delay",
          "a program that asks the service can be named as 'command' in [exec]" },
        { "namedpipe", SOURCE_FILE, "path timeout" },
        { "cpu", SOURCE_CPU },
        { "file", SOURCE_FILE, "path timeout" },
        { "exec", SOURCE_EXEC },
        { "egd", SOURCE_EGD },
        { "metadata", SOURCE_METADATA },
};

#define RNG_TOOLS_INDICES 11U

static const struct {
        const char *name;
        const char *description;
        uint32_t credit_per_1024;
} hrngs[] = {
        { "intelfwh", "Intel FWH (82802AB/AC), rng-entropy=0.998", 1021 },
        { "viakernel", "VIA Padlock by the kernel's driver, rng-entropy=0.75", 768 },
        { "viapadlock", "VIA Padlock without the kernel: answered with a notice", 0 },
};

static const struct RngToolsSource *find_source(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(rng_tools_sources); i++)
                if (strlen(rng_tools_sources[i].name) == length &&
                    memcmp(rng_tools_sources[i].name, name, length) == 0)
                        return &rng_tools_sources[i];
        return NULL;
}

static int enable(Settings *settings, const char *name, bool enabled, Messages *notices) {
        const struct RngToolsSource *source;
        uint32_t index;

        source = parse_u32(name, 0, RNG_TOOLS_INDICES - 1, &index) == 0
                         ? &rng_tools_sources[index]
                         : find_source(name, strlen(name));
        if (!source)
                return -EINVAL;

        if (source->id != SOURCE_NONE) {
                settings->sources[source->id].enabled = enabled;
                settings->sources[source->id].enabled_origin = ORIGIN_COMMAND_LINE;
        } else if (enabled && source->instruction)
                messages_add(
                        notices,
                        "-n %s: this machine has no such instruction; source 'cpu' uses the one "
                        "it has",
                        source->name);
        else if (enabled)
                messages_add(
                        notices,
                        "-n %s: there is no such source here; %s",
                        source->name,
                        source->instead);
        return 0;
}

int rng_tools_include(void *target, const char *name, const SettingLayer *layer) {
        return enable(target, name, true, layer->notices);
}

int rng_tools_exclude(void *target, const char *name, const SettingLayer *layer) {
        return enable(target, name, false, layer->notices);
}

/* Takes the next of the words between blanks. */
static const char *next_key(const char **keys, size_t *ret_length) {
        const char *key = *keys + strspn(*keys, " ");

        *ret_length = strcspn(key, " ");
        *keys = key + *ret_length;
        return *ret_length > 0 ? key : NULL;
}

static bool has_key(const struct RngToolsSource *source, const char *name, size_t length) {
        const char *keys = source->keys ? source->keys : "", *key;
        size_t n;

        while ((key = next_key(&keys, &n)))
                if (n == length && memcmp(key, name, n) == 0)
                        return true;
        return false;
}

int rng_tools_source_option(void *target, const char *text, const SettingLayer *layer) {
        Settings *settings = target;
        SourceSettings *file = &settings->sources[SOURCE_FILE];
        size_t name_length = strcspn(text, ":"), key_length;
        const struct RngToolsSource *source = find_source(text, name_length);
        const char *key, *value;
        int r;

        if (!source)
                return -EINVAL;
        if (text[name_length] == '\0') {
                settings->action = ACTION_SOURCE_KEYS;
                settings->topic = source->name;
                return CONFIG_E_ANSWERED;
        }

        key = text + name_length + 1;
        key_length = strcspn(key, ":");
        if (!has_key(source, key, key_length) || key[key_length] == '\0')
                return -EINVAL;
        value = key + key_length + 1;
        if (*value == '\0')
                return -EINVAL;

        if (source->instead) {
                messages_add(
                        layer->notices,
                        "-O %s: its keys are not honored; %s",
                        source->name,
                        source->instead);
                return 0;
        }
        if (*key != 'p')
                return values_parse_timeout(value, &file->timeout_usec);
        r = setting_set_path(&file->path, value, layer);
        if (r == 0)
                file->path_origin = layer->origin;
        return r;
}

int rng_tools_hrng(void *target, const char *name, const SettingLayer *layer) {
        Settings *settings = target;

        if (strcmp(name, "help") == 0) {
                settings->action = ACTION_HRNG_NAMES;
                return CONFIG_E_ANSWERED;
        }

        for (size_t i = 0; i < ELEMENTSOF(hrngs); i++) {
                if (strcmp(name, hrngs[i].name) != 0)
                        continue;
                if (hrngs[i].credit_per_1024 == 0)
                        return rng_tools_driver(target, name, layer);
                settings->sources[SOURCE_HWRNG].credit_override_per_1024 = hrngs[i].credit_per_1024;
                return 0;
        }
        return -EINVAL;
}

int rng_tools_driver(void *target, const char *name, const SettingLayer *layer) {
        if (strcmp(name, "stream") == 0)
                return 0;
        if (strcmp(name, "viapadlock") != 0)
                return -EINVAL;

        messages_add(
                layer->notices,
                "driver viapadlock is not there; the kernel's via-rng driver offers that device "
                "as a hwrng");
        return 0;
}

void rng_tools_print_source_keys(FILE *stream, const char *name) {
        const struct RngToolsSource *source = find_source(name, strlen(name));
        const char *keys = source ? source->keys : NULL, *key;
        size_t n;

        if (!keys) {
                fprintf(stream, "%s has no keys\n", name);
                return;
        }

        fprintf(stream, "Keys of %s:\n", name);
        while ((key = next_key(&keys, &n)))
                fprintf(stream,
                        "  %.*s%s\n",
                        (int)n,
                        key,
                        source->instead ? " (accepted with a notice)" : "");
}

void rng_tools_print_hrng_names(FILE *stream) {
        for (size_t i = 0; i < ELEMENTSOF(hrngs); i++)
                fprintf(stream, "%-12s %s\n", hrngs[i].name, hrngs[i].description);
}
