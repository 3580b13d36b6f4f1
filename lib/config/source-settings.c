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
#define IN_LIVE      (IN(SOURCE_CPU) | IN_BLOCKING)
#define IN_SEED_FILE IN(_SOURCE_MAX)

static int apply_credit(void *target, const char *value, const SettingLayer *layer) {
        SourceSettings *source = target;

        if (strcmp(value, "auto") == 0) {
                source->credit_override_per_1024 = CREDIT_OVERRIDE_NONE;
                return 0;
        }
        return parse_u32(value, 0, CREDIT_PER_1024_MAX, &source->credit_override_per_1024);
}

/* As it is in rng_available: one word. */
static int check_device(const char *value) {
        return *value == '\0' || strpbrk(value, " /\t") || strcmp(value, "none") == 0 ? -EINVAL : 0;
}

static int check_address(const char *value) {
        EgdAddress address;

        return egd_parse_address(value, &address);
}

static int check_format(const char *value) {
        MetadataFormat format;

        return metadata_parse_format(value, &format);
}

const SettingWord source_trust_words[] = {
        { "platform", CREDIT_TRUST_PLATFORM },
        { "always", CREDIT_TRUST_ALWAYS },
        { "never", CREDIT_TRUST_NEVER },
        {},
};

#define AT(_type, _field) SETTING_AT(_type, SourceSettings, _field)
#define ORIGIN(_field)    .origin_offset = offsetof(SourceSettings, _field)

static const Setting source_table[] = {
        { .key = "timeout",
          .sections = IN_BLOCKING,
          AT(USEC, timeout_usec),
          SETTING_RANGE(VALUES_MIN_TIMEOUT_USEC, VALUES_MAX_TIMEOUT_USEC) },
        { .key = "user", .sections = IN(SOURCE_EXEC), AT(USER, user), ORIGIN(user_origin) },
        { .key = "enabled",
          .sections = IN_LIVE | IN_STATIC,
          AT(BOOL, enabled),
          ORIGIN(enabled_origin) },
        { .key = "credit",
          .sections = IN_LIVE | IN_STATIC,
          .apply = apply_credit,
          .expected = "0 to 1024, or auto" },
        { .key = "trust",
          .sections = IN_STATIC | IN(SOURCE_FILE) | IN(SOURCE_EGD) | IN_SEED_FILE,
          AT(WORD, trust),
          .words = source_trust_words },
        { .key = "path",
          .sections = IN(SOURCE_HWRNG) | IN(SOURCE_TPM) | IN(SOURCE_FILE),
          AT(PATH, path),
          ORIGIN(path_origin) },
        { .key = "device",
          .sections = IN(SOURCE_HWRNG),
          AT(TEXT, device),
          .check = check_device,
          .expected = "the name of a hardware RNG, as in /sys/class/misc/hw_random/rng_available" },
        { .key = "address",
          .sections = IN(SOURCE_EGD),
          AT(TEXT, address),
          .check = check_address,
          .expected = "unix:/PATH, tcp:ADDRESS:PORT, tcp:[IPV6]:PORT or vsock:CID:PORT, all in "
                      "numbers" },
        { .key = "url",
          .sections = IN(SOURCE_METADATA),
          AT(TEXT, url),
          .check = metadata_check_url,
          .hidden = true,
          .expected = "http://HOST... or https://HOST..., without user and password" },
        { .key = "format",
          .sections = IN(SOURCE_METADATA),
          AT(TEXT, format),
          .check = check_format,
          .expected = "raw, base64 or json:KEY" },
        { .key = "ca-file", .sections = IN(SOURCE_METADATA), AT(PATH, ca_file) },
        { .key = "command", .sections = IN(SOURCE_EXEC), AT(COMMAND, argv) },
};

_Static_assert(_SOURCE_MAX < 32, "a bit for each section");

static ConfigSection section_of(const char *name, unsigned int bit, SourceSettings *target) {
        return (ConfigSection){
                .name = name,
                .bit = 1U << bit,
                .table = source_table,
                .n_rows = ELEMENTSOF(source_table),
                .target = target,
        };
}

ConfigSections source_settings_sections(SourceSettings sources[static _SOURCE_MAX]) {
        ConfigSections sections = { .n = CONFIG_SOURCES + _SOURCE_MAX };

        sections.list[CONFIG_RNGD].name = "rngd";
        sections.list[CONFIG_SEEDER].name = "seeder";
        sections.list[CONFIG_SEED_FILE] = section_of("seed-file", _SOURCE_MAX, NULL);
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                sections.list[CONFIG_SOURCES + id] = section_of(source_name(id), id, &sources[id]);
        return sections;
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

ReaderSettings source_settings_for_reader(const SourceSettings *settings) {
        return (ReaderSettings){
                .enabled = settings->enabled,
                .trust = settings->trust,
                .credit_override_per_1024 = settings->credit_override_per_1024,
                .config = {
                        .path = settings->path,
                        .device = settings->device,
                        .argv = settings->argv,
                        .address = settings->address,
                        .url = settings->url,
                        .format = settings->format,
                        .ca_file = settings->ca_file,
                        .enabled_by_admin = settings->by_admin,
                        /* A little before the reader's own deadline, so that the source's reason wins. */
                        .wait_usec = settings->timeout_usec / 10 * 9,
                },
                .uid = settings->user.uid,
                .gid = settings->user.gid,
                .timeout_usec = settings->timeout_usec,
        };
}

int source_find(const char *name, size_t length, SourceId *ret_id) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (strlen(source_name(id)) == length &&
                    memcmp(source_name(id), name, length) == 0) {
                        *ret_id = id;
                        return 0;
                }
        return -ENOENT;
}

/* A source that cannot work without a word from the administrator. */
static bool has_what_it_needs(SourceId id, const SourceSettings *source) {
        return (id != SOURCE_FILE || source->path) && (id != SOURCE_EXEC || source->argv) &&
               (id != SOURCE_EGD || source->address);
}

/* It is disabled, and that is an error if somebody enabled it. */
static int disable(SourceId id, SourceSettings *source, Messages *errors) {
        static const char *const needs[_SOURCE_MAX] = {
                [SOURCE_FILE] = "path: expected 'path = PATH' in [file] or -O namedpipe:path:PATH",
                [SOURCE_EXEC] = "command: expected 'command = /PROGRAM' in [exec]",
                [SOURCE_EGD] = "address: expected 'address = ADDRESS' in [egd]",
        };

        source->enabled = false;
        if (source->enabled_origin == ORIGIN_DEFAULT)
                return 0;
        messages_add(errors, "source '%s' is enabled and has no %s", source_name(id), needs[id]);
        return source->enabled_origin == ORIGIN_CONFIG ? CONFIG_E_FILE : CONFIG_E_USAGE;
}

/* Each takes a pass over the file. */
static void find_users(SourceSettings sources[static _SOURCE_MAX]) {
        UserIds reader, programs = { WORKER_ID_PROGRAMS, WORKER_ID_PROGRAMS };

        worker_user_find(PASSWD, false, &reader.uid, &reader.gid);
        if (sources[SOURCE_EXEC].enabled)
                worker_user_find(PASSWD, true, &programs.uid, &programs.gid);
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (sources[id].user_origin == ORIGIN_DEFAULT)
                        sources[id].user = id == SOURCE_EXEC ? programs : reader;
}

int source_settings_finish(SourceSettings sources[static _SOURCE_MAX], Messages *errors) {
        int result = 0;

        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                SourceSettings *source = &sources[id];
                int r = 0;

                if (source->enabled && !has_what_it_needs(id, source))
                        r = disable(id, source, errors);
                if (result == 0)
                        result = r;
                source->by_admin = source->enabled && (source->enabled_origin != ORIGIN_DEFAULT ||
                                                       source->address || source->url);
        }
        find_users(sources);
        return result;
}
