/* SPDX-License-Identifier: MIT */
#pragma once

/* What the administrator says of each source, to whichever program asks it. */

#include "lib/config/file.h"
#include "lib/config/values.h"
#include "lib/feed/reader.h"
#include "lib/sources/source.h"

#define SOURCE_SETTINGS_DEFAULT_HWRNG "/dev/hwrng"

/* The sections of guest-entropy.conf in its order. */
enum {
        CONFIG_RNGD,
        CONFIG_SEEDER,
        CONFIG_SEED_FILE,
        CONFIG_SOURCES, /* by their ids */
};

typedef struct SourceSettings {
        bool enabled; /* true only if path, address or argv is there where it must be */
        Origin enabled_origin;
        uint32_t credit_override_per_1024; /* or CREDIT_OVERRIDE_NONE */
        CreditTrust trust;                 /* of static seeds */
        char *path;                        /* hwrng, file: absolute */
        Origin path_origin;
        char *device;  /* hwrng: a name of rng_available, or NULL */
        char *address; /* egd: as in lib/sources/egd.h */
        char *url;     /* metadata: or NULL */
        char *format;  /* metadata: or NULL */
        char *ca_file; /* metadata: or NULL */
        bool by_admin; /* somebody enabled it, or said what only makes sense for that */
        char **argv;   /* exec: argv[0] is absolute; NULL-terminated */
        UserIds user;  /* as whom its worker runs: if not given, one of lib/feed/worker-user.h */
        Origin user_origin;
        uint64_t timeout_usec; /* per request; 0: not given */
} SourceSettings;

/* 0 or -ENOMEM, and then nothing is left to free. */
_must_check_ int source_settings_init(SourceSettings sources[static _SOURCE_MAX]);
void source_settings_deinit(SourceSettings sources[static _SOURCE_MAX]);

/* All sections. Those of the sources have their targets; a program adds its own rows and targets. */
ConfigSections source_settings_sections(SourceSettings sources[static _SOURCE_MAX]);

/*
 * What depends on all layers: a source that lacks what it needs is disabled, and that is an error
 * if somebody enabled it. 0, CONFIG_E_USAGE or CONFIG_E_FILE with a line for each.
 */
_must_check_ int source_settings_finish(
        SourceSettings sources[static _SOURCE_MAX],
        Messages *errors);

/* Of CreditTrust. */
extern const SettingWord source_trust_words[];

/* The same for whoever reads the source; strings stay those of settings. */
ReaderSettings source_settings_for_reader(const SourceSettings *settings);

/* By a name that need not end there: 0 or -ENOENT. */
_must_check_ int source_find(const char *name, size_t length, SourceId *ret_id);
