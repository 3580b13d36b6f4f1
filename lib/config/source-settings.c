/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "lib/config/source-settings.h"
#include "lib/feed/worker-user.h"
#include "lib/policy/credit.h"
#include "lib/sources/egd.h"
#include "lib/sources/metadata-format.h"

#define PASSWD "/etc/passwd"

/* One bit for each section that has the key: the sources by their id. */
#define IN(_id)   (1U << (_id))
#define IN_STATIC (IN(SOURCE_PLATFORM) | IN(SOURCE_CONFIG_DRIVE))
#define IN_BLOCKING                                                                 \
        (IN(SOURCE_HWRNG) | IN(SOURCE_TPM) | IN(SOURCE_EGD) | IN(SOURCE_METADATA) | \
         IN(SOURCE_FILE) | IN(SOURCE_EXEC) | IN(SOURCE_JITTER))
#define IN_LIVE (IN(SOURCE_CPU) | IN_BLOCKING)

static int apply_enabled(void *target, const char *value) {
        SourceSettings *source = target;

        source->enabled_origin = ORIGIN_CONFIG;
        return parse_bool(value, &source->enabled);
}

static int apply_credit(void *target, const char *value) {
        SourceSettings *source = target;

        if (strcmp(value, "auto") == 0) {
                source->credit_override_per_1024 = CREDIT_OVERRIDE_NONE;
                return 0;
        }
        return parse_u32(value, 0, CREDIT_PER_1024_MAX, &source->credit_override_per_1024);
}

int source_parse_trust(const char *value, CreditTrust *ret_trust) {
        static const char *const words[_CREDIT_TRUST_MAX] = {
                [CREDIT_TRUST_PLATFORM] = "platform",
                [CREDIT_TRUST_ALWAYS] = "always",
                [CREDIT_TRUST_NEVER] = "never",
        };

        for (CreditTrust trust = 0; trust < _CREDIT_TRUST_MAX; trust++)
                if (strcmp(value, words[trust]) == 0) {
                        *ret_trust = trust;
                        return 0;
                }
        return -EINVAL;
}

static int apply_trust(void *target, const char *value) {
        SourceSettings *source = target;

        return source_parse_trust(value, &source->trust);
}

static int apply_path(void *target, const char *value) {
        SourceSettings *source = target;

        if (*value != '/')
                return -EINVAL;
        return values_set_string(&source->path, value);
}

/* As it is in rng_available: one word. */
static int apply_device(void *target, const char *value) {
        SourceSettings *source = target;

        if (*value == '\0' || strpbrk(value, " /\t") || strcmp(value, "none") == 0)
                return -EINVAL;
        return values_set_string(&source->device, value);
}

static int apply_address(void *target, const char *value) {
        SourceSettings *source = target;
        EgdAddress address;
        int r;

        r = egd_parse_address(value, &address);
        return r < 0 ? r : values_set_string(&source->address, value);
}

static int apply_url(void *target, const char *value) {
        SourceSettings *source = target;
        int r;

        r = metadata_check_url(value);
        return r < 0 ? r : values_set_string(&source->url, value);
}

static int apply_format(void *target, const char *value) {
        SourceSettings *source = target;
        MetadataFormat format;
        int r;

        r = metadata_parse_format(value, &format);
        return r < 0 ? r : values_set_string(&source->format, value);
}

static int apply_ca_file(void *target, const char *value) {
        SourceSettings *source = target;

        if (*value != '/')
                return -EINVAL;
        return values_set_string(&source->ca_file, value);
}

static int apply_source_timeout(void *target, const char *value) {
        SourceSettings *source = target;

        return values_parse_timeout(value, &source->timeout_usec);
}

static int apply_command(void *target, const char *value) {
        SourceSettings *source = target;
        char **argv;
        int r;

        r = values_parse_command(value, &argv);
        if (r < 0)
                return r;
        values_free_command(source->argv);
        source->argv = argv;
        return 0;
}

static int apply_source_user(void *target, const char *value) {
        SourceSettings *source = target;

        source->user_given = true;
        return values_parse_user(value, &source->user);
}

static const ConfigKey source_keys[] = {
        { "timeout", IN_BLOCKING, "a time from 100ms to 1h", apply_source_timeout },
        { "user",
          IN(SOURCE_EXEC),
          "USER or USER:GROUP, names or ids that exist",
          apply_source_user },
        { "enabled", IN_LIVE | IN_STATIC, "yes or no", apply_enabled },
        { "credit", IN_LIVE | IN_STATIC, "0 to 1024, or auto", apply_credit },
        { "trust",
          IN_STATIC | IN(SOURCE_FILE) | IN(SOURCE_EGD),
          SOURCE_SETTINGS_TRUST_WORDS,
          apply_trust },
        { "path",
          IN(SOURCE_HWRNG) | IN(SOURCE_TPM) | IN(SOURCE_FILE),
          "an absolute path",
          apply_path },
        { "device",
          IN(SOURCE_HWRNG),
          "the name of a hardware RNG, as in /sys/class/misc/hw_random/rng_available",
          apply_device },
        { "address",
          IN(SOURCE_EGD),
          "unix:/PATH, tcp:ADDRESS:PORT, tcp:[IPV6]:PORT or vsock:CID:PORT, all in numbers",
          apply_address },
        { "url",
          IN(SOURCE_METADATA),
          "http://HOST... or https://HOST..., without user and password",
          apply_url },
        { "format", IN(SOURCE_METADATA), "raw, base64 or json:KEY", apply_format },
        { "ca-file", IN(SOURCE_METADATA), "an absolute path", apply_ca_file },
        { "command",
          IN(SOURCE_EXEC),
          "an absolute path of a program, and its arguments",
          apply_command },
};

_Static_assert(ELEMENTSOF(source_keys) <= CONFIG_KEYS_MAX, "CONFIG_KEYS_MAX is too small");
_Static_assert(_SOURCE_MAX <= 32, "a bit for each source");

void source_settings_add_sections(
        SourceSettings sources[static _SOURCE_MAX],
        ConfigSections *sections) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                config_add_section(
                        sections,
                        &(ConfigSection){
                                .name = source_name(id),
                                .bit = IN(id),
                                .keys = source_keys,
                                .n_keys = ELEMENTSOF(source_keys),
                                .target = &sources[id],
                        });
}

int source_settings_init(SourceSettings sources[static _SOURCE_MAX]) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                sources[id] = (SourceSettings){
                        .enabled = true,
                        .credit_override_per_1024 = CREDIT_OVERRIDE_NONE,
                        .user = { WORKER_ID_READER, WORKER_ID_READER },
                };
        sources[SOURCE_EXEC].user = (UserIds){ WORKER_ID_PROGRAMS, WORKER_ID_PROGRAMS };
        return values_set_string(&sources[SOURCE_HWRNG].path, SOURCE_SETTINGS_DEFAULT_HWRNG);
}

void source_settings_deinit(SourceSettings sources[static _SOURCE_MAX]) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                free(sources[id].path);
                free(sources[id].device);
                free(sources[id].address);
                free(sources[id].url);
                free(sources[id].format);
                free(sources[id].ca_file);
                values_free_command(sources[id].argv);
                sources[id] = (SourceSettings){};
        }
}

int source_find(const char *name, SourceId *ret_id) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (strcmp(source_name(id), name) == 0) {
                        *ret_id = id;
                        return 0;
                }
        return -ENOENT;
}

/* A source that cannot work without a word from the administrator. */
static int finish_needs(SourceSettings *source, bool present, const char *what, Messages *errors) {
        if (present || !source->enabled)
                return 0;

        source->enabled = false;
        if (source->enabled_origin == ORIGIN_DEFAULT)
                return 0;

        messages_add(errors, "%s", what);
        return source->enabled_origin == ORIGIN_CONFIG ? CONFIG_E_FILE : CONFIG_E_USAGE;
}

static void find_users(SourceSettings sources[static _SOURCE_MAX]) {
        UserIds reader, programs;

        worker_user_find(PASSWD, false, &reader.uid, &reader.gid);
        worker_user_find(PASSWD, true, &programs.uid, &programs.gid);
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (!sources[id].user_given)
                        sources[id].user = id == SOURCE_EXEC ? programs : reader;
}

int source_settings_finish(SourceSettings sources[static _SOURCE_MAX], Messages *errors) {
        SourceSettings *file = &sources[SOURCE_FILE];
        SourceSettings *exec = &sources[SOURCE_EXEC];
        SourceSettings *egd = &sources[SOURCE_EGD];
        int r;

        r = finish_needs(
                file,
                file->path,
                "source 'file' is enabled and has no path: expected 'path = PATH' in [file] "
                "or -O namedpipe:path:PATH",
                errors);
        if (r != 0)
                return r;
        r = finish_needs(
                exec,
                exec->argv,
                "source 'exec' is enabled and has no command: expected "
                "'command = /PROGRAM' in [exec]",
                errors);
        if (r != 0)
                return r;
        r = finish_needs(
                egd,
                egd->address,
                "source 'egd' is enabled and has no address: expected 'address = ADDRESS' in [egd]",
                errors);
        if (r != 0)
                return r;

        find_users(sources);
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                SourceSettings *source = &sources[id];

                source->by_admin = source->enabled && (source->enabled_origin != ORIGIN_DEFAULT ||
                                                       source->address || source->url);
        }
        return 0;
}
