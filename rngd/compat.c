/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "rngd/compat.h"

#define SOURCE_NONE _SOURCE_LIVE_MAX
#define KEYS_MAX    8

typedef struct CompatSource {
        const char *name;
        SourceId id;
        const char *machine; /* beginnings of uname -m, if only some machines have it */
        const char *instead; /* the notice: what replaces it */
        const char *keys[KEYS_MAX + 1];
} CompatSource;

static const char aes_instead[] =
        "the kernel hashes all bytes, and those worth less than eight bits count for less";

/* The first eleven in the order of rng-tools 6: the place is the index that -x and -n take. */
static const CompatSource compat_sources[] = {
        { "hwrng", SOURCE_HWRNG, NULL, NULL, { NULL } },
        { "tpm", SOURCE_TPM, NULL, NULL, { NULL } },
        { "rdrand", SOURCE_CPU, "x86 i3 i4 i5 i6", aes_instead, { "use_aes" } },
        { "darn", SOURCE_CPU, "ppc", aes_instead, { "use_aes" } },
        { "rndr", SOURCE_CPU, "aarch64 arm", aes_instead, { "use_aes" } },
        { "nist",
          SOURCE_NONE,
          NULL,
          "a public beacon is known to everybody and worth no credit",
          { "use_aes" } },
        { "jitter",
          SOURCE_JITTER,
          NULL,
          "the kernel's jitterentropy_rng has nothing to set",
          { "thread_count",
            "buffer_size",
            "refill_thresh",
            "retry_count",
            "retry_delay",
            "use_aes",
            "force_soft_timer",
            "timeout" } },
        { "pkcs11",
          SOURCE_NONE,
          NULL,
          "a program that reads the token can be named as 'command' in [exec]",
          { "engine_path", "chunk_size" } },
        { "rtlsdr",
          SOURCE_NONE,
          NULL,
          "a program that reads the radio can be named as 'command' in [exec]",
          { "device_id", "freq_min", "freq_max", "sample_min", "sample_max" } },
        { "qrypt",
          SOURCE_NONE,
          NULL,
          "a program that asks the service can be named as 'command' in [exec]",
          { "tokenfile", "delay" } },
        { "namedpipe", SOURCE_FILE, NULL, NULL, { "path", "timeout" } },
        { "cpu", SOURCE_CPU, NULL, NULL, { NULL } },
        { "file", SOURCE_FILE, NULL, NULL, { "path", "timeout" } },
        { "exec", SOURCE_EXEC, NULL, NULL, { NULL } },
        { "egd", SOURCE_EGD, NULL, NULL, { NULL } },
        { "metadata", SOURCE_METADATA, NULL, NULL, { NULL } },
};

#define COMPAT_INDICES 11U

static const struct {
        const char *name;
        const char *description;
        uint32_t credit_per_1024;
} compat_hrngs[] = {
        { "intelfwh", "Intel FWH (82802AB/AC), rng-entropy=0.998", 1021 },
        { "viakernel", "VIA Padlock by the kernel's driver, rng-entropy=0.75", 768 },
        { "viapadlock", "VIA Padlock without the kernel: answered with a notice", 0 },
};

/* RDRAND, DARN and RNDR are one source here, on the machine that has the instruction. Elsewhere
 * -x darn must not switch off what rdrand means. */
static SourceId source_id_here(const CompatSource *source) {
        const char *machine = source->machine;
        struct utsname name;

        if (!machine)
                return source->id;
        if (uname(&name) < 0)
                return SOURCE_NONE;

        while (*machine) {
                size_t n = strcspn(machine, " ");

                if (strncmp(name.machine, machine, n) == 0)
                        return source->id;
                machine += n + strspn(machine + n, " ");
        }
        return SOURCE_NONE;
}

static const CompatSource *find_source(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(compat_sources); i++)
                if (strlen(compat_sources[i].name) == length &&
                    memcmp(compat_sources[i].name, name, length) == 0)
                        return &compat_sources[i];
        return NULL;
}

static const CompatSource *find_source_or_index(const char *name) {
        uint32_t index;

        if (parse_u32(name, 0, COMPAT_INDICES - 1, &index) == 0)
                return &compat_sources[index];
        return find_source(name, strlen(name));
}

static void enable(Settings *settings, SourceId id, bool enabled) {
        settings->sources[id].enabled = enabled;
        settings->sources[id].enabled_origin = ORIGIN_COMMAND_LINE;
}

int compat_include(Settings *settings, const char *name, Messages *notices) {
        const CompatSource *source = find_source_or_index(name);
        SourceId id;

        if (!source)
                return -EINVAL;

        id = source_id_here(source);
        if (id != SOURCE_NONE)
                enable(settings, id, true);
        else if (source->machine)
                messages_add(
                        notices,
                        "-n %s: this machine has no such instruction; source 'cpu' uses the one "
                        "it has",
                        source->name);
        else
                messages_add(
                        notices,
                        "-n %s: there is no such source here; %s",
                        source->name,
                        source->instead);
        return 0;
}

int compat_exclude(Settings *settings, const char *name) {
        const CompatSource *source = find_source_or_index(name);
        SourceId id;

        if (!source)
                return -EINVAL;

        id = source_id_here(source);
        if (id != SOURCE_NONE)
                enable(settings, id, false);
        return 0;
}

static bool has_key(const CompatSource *source, const char *key, size_t length) {
        for (size_t i = 0; i < KEYS_MAX && source->keys[i]; i++)
                if (strlen(source->keys[i]) == length && memcmp(source->keys[i], key, length) == 0)
                        return true;
        return false;
}

static int set_file_path(Settings *settings, const char *value) {
        int r;

        r = settings_set_path(settings, &settings->sources[SOURCE_FILE].path, value);
        if (r < 0)
                return r;
        settings->file_path_given = true;
        return 0;
}

int compat_source_option(Settings *settings, const char *text, Messages *notices) {
        size_t name_length = strcspn(text, ":"), key_length;
        const char *key, *value;
        const CompatSource *source;

        source = find_source(text, name_length);
        if (!source)
                return -EINVAL;
        if (text[name_length] == '\0') {
                settings->action = ACTION_SOURCE_KEYS;
                settings->topic = source->name;
                return 0;
        }

        key = text + name_length + 1;
        key_length = strcspn(key, ":");
        if (!has_key(source, key, key_length) || key[key_length] == '\0')
                return -EINVAL;
        value = key + key_length + 1;
        if (*value == '\0')
                return -EINVAL;

        if (source->id == SOURCE_FILE && *key == 'p')
                return set_file_path(settings, value);
        if (source->id == SOURCE_FILE)
                return values_parse_timeout(value, &settings->sources[SOURCE_FILE].timeout_usec);

        messages_add(
                notices,
                "-O %s: its keys are not honoured; %s",
                source->name,
                source->instead);
        return 0;
}

int compat_hrng(Settings *settings, const char *name, Messages *notices) {
        if (strcmp(name, "help") == 0) {
                settings->action = ACTION_HRNG_NAMES;
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(compat_hrngs); i++) {
                if (strcmp(name, compat_hrngs[i].name) != 0)
                        continue;
                if (compat_hrngs[i].credit_per_1024 == 0)
                        return compat_driver(name, notices);
                settings->sources[SOURCE_HWRNG].credit_override_per_1024 =
                        compat_hrngs[i].credit_per_1024;
                return 0;
        }
        return -EINVAL;
}

int compat_driver(const char *name, Messages *notices) {
        if (strcmp(name, "stream") == 0)
                return 0;
        if (strcmp(name, "viapadlock") != 0)
                return -EINVAL;

        messages_add(
                notices,
                "driver viapadlock is not there; the kernel's via-rng driver offers that device "
                "as a hwrng");
        return 0;
}

void compat_print_source_keys(FILE *stream, const char *name) {
        const CompatSource *source = find_source(name, strlen(name));

        if (!source || !source->keys[0]) {
                fprintf(stream, "%s has no keys\n", name);
                return;
        }

        fprintf(stream, "Keys of %s:\n", name);
        for (size_t i = 0; i < KEYS_MAX && source->keys[i]; i++)
                fprintf(stream,
                        "  %s%s\n",
                        source->keys[i],
                        source->id == SOURCE_FILE ? "" : " (accepted with a notice)");
}

void compat_print_hrng_names(FILE *stream) {
        for (size_t i = 0; i < ELEMENTSOF(compat_hrngs); i++)
                fprintf(stream, "%-12s %s\n", compat_hrngs[i].name, compat_hrngs[i].description);
}
