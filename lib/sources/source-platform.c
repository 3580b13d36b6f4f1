/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/base/rootdir.h"
#include "lib/base/secret.h"
#include "lib/kernel/command-line.h"
#include "lib/sources/platform-seed.h"
#include "lib/sources/source-list.h"

#define PLACES_MAX      24U
#define PLACE_MAX_BYTES (128U * 1024U) /* SMBIOS 2: 64 KiB; 3 has no limit, but firmware has */

#define SEED_NAME "entropy.seed"
#define SYSTEM    "run/credentials/@system"

#define CREDENTIAL_LABEL "credential"
#define SYSTEM_LABEL     "system-credential"

#define DMI_ENTRIES "sys/firmware/dmi/entries"
#define FW_CFG      "sys/firmware/qemu_fw_cfg/by_name/opt/"

/* Below the root, in the order of how sure it is that the seed was meant for us. */
static const struct {
        const char *path;
        const char *label;
        PlatformKind kind;
} known_places[] = {
        { SYSTEM "/" SEED_NAME, SYSTEM_LABEL, PLATFORM_RAW },
        { FW_CFG "guest-entropy/seed/raw", "fw_cfg", PLATFORM_RAW },
        { FW_CFG "io.systemd.credentials/" SEED_NAME "/raw", "fw_cfg-credential", PLATFORM_RAW },
        { "sys/firmware/acpi/tables/OEM0", "acpi-oem0", PLATFORM_OEM0 },
};

/* One place that may hold seeds, read as it is; parsed only after the privileges are gone. */
typedef struct Place {
        const char *label;
        Secret *content;
        PlatformPlace seeds;
        SeedOrigin origin;
} Place;

typedef struct Platform {
        Place places[PLACES_MAX];
        size_t n_places;
        size_t at;        /* the place that is read */
        unsigned n_seeds; /* that were found under its label */
} Platform;

static void add_detail(SourceProbe *probe, const char *label) {
        size_t n = strlen(probe->detail);

        (void)snprintf(
                probe->detail + n,
                sizeof(probe->detail) - n,
                "%s%s",
                n > 0 ? ", " : "",
                label);
}

/* -1: it is not there. */
static int open_credential(const SourceConfig *config, int flags) {
        char path[512];

        if (!config->credentials)
                return -1;
        (void)snprintf(path, sizeof(path), "%s/" SEED_NAME, config->credentials);
        return open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static bool has_credential(const SourceConfig *config) {
        _cleanup_close_ int fd = open_credential(config, O_PATH);

        return fd >= 0;
}

/* Whether an SMBIOS string is a seed shows only when it is read. */
static int platform_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        probe->origin = SEED_ORIGIN_PLATFORM;

        if (has_credential(config))
                add_detail(probe, CREDENTIAL_LABEL);
        for (size_t i = 0; i < ELEMENTSOF(known_places); i++)
                if (rootdir_exists(root, known_places[i].path))
                        add_detail(probe, known_places[i].label);
        if (rootdir_exists(root, DMI_ENTRIES "/11-0") ||
            rootdir_exists(root, "sys/firmware/dmi/tables/DMI"))
                add_detail(probe, "smbios");

        if (probe->detail[0])
                return 0;
        source_set_detail(probe, "no place to look at");
        return -ENOENT;
}

/* Takes the fd. What cannot be read is no seed; only a lack of memory is an error. */
static int add_place(
        Platform *platform,
        Secret *scratch,
        int fd,
        const char *label,
        PlatformKind kind) {
        _cleanup_close_ int file = fd;
        Place place = { .label = label, .origin = SEED_ORIGIN_PLATFORM };
        size_t length;
        int r;

        if (file < 0 || platform->n_places >= PLACES_MAX ||
            io_read_full(file, scratch->bytes, scratch->size_bytes, &length) < 0 || length == 0)
                return 0;
        r = secret_new(length, &place.content);
        if (r < 0)
                return r;

        memcpy(place.content->bytes, scratch->bytes, length);
        place.seeds = (PlatformPlace){ kind, place.content->bytes, length, false, {} };
        platform->places[platform->n_places++] = place;
        return 0;
}

/* By dmi-sysfs each structure is a directory; without that module the whole table is one file. */
static int add_smbios(Platform *platform, Secret *scratch, const RootDir *root) {
        char path[sizeof(DMI_ENTRIES "/11-99/raw")];
        bool any = false;
        int fd, r;

        for (unsigned i = 0; i < 16; i++) {
                (void)snprintf(path, sizeof(path), DMI_ENTRIES "/11-%u/raw", i);
                fd = rootdir_open_file(root, path, O_RDONLY);
                if (fd < 0)
                        break;
                any = true;
                r = add_place(platform, scratch, fd, "smbios", PLATFORM_SMBIOS);
                if (r < 0)
                        return r;
        }
        if (any)
                return 0;
        fd = rootdir_open_file(root, "sys/firmware/dmi/tables/DMI", O_RDONLY);
        return add_place(platform, scratch, fd, "smbios", PLATFORM_SMBIOS);
}

static Place *find_place(Platform *platform, const char *label) {
        for (size_t i = 0; i < platform->n_places; i++)
                if (strcmp(platform->places[i].label, label) == 0)
                        return &platform->places[i];
        return NULL;
}

/* Where systemd looks for a credential that the platform did not pass: in the image. */
static bool is_in_credential_store(const RootDir *root) {
        static const char *const paths[] = {
                "etc/credstore/" SEED_NAME,
                "etc/credstore.encrypted/" SEED_NAME,
                "usr/lib/credstore/" SEED_NAME,
                "usr/lib/credstore.encrypted/" SEED_NAME,
                "usr/local/lib/credstore/" SEED_NAME,
                "usr/local/lib/credstore.encrypted/" SEED_NAME,
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (rootdir_exists(root, paths[i]))
                        return true;
        return false;
}

static bool is_same(const Place *a, const Place *b) {
        return a && b && a->seeds.length == b->seeds.length &&
               memcmp(a->seeds.bytes, b->seeds.bytes, a->seeds.length) == 0;
}

/*
 * systemd puts the credentials of the kernel's command line into the same directory as those of the
 * firmware, so a name that is there is public. One of the service's own is the platform's only if
 * it is the system's.
 */
static void judge_credentials(Platform *platform, const RootDir *root) {
        Place *own = find_place(platform, CREDENTIAL_LABEL);
        Place *system = find_place(platform, SYSTEM_LABEL);
        _cleanup_free_ char *line = NULL;
        SeedOrigin origin = SEED_ORIGIN_PLATFORM;

        if (kernel_command_line_read(root, &line) < 0)
                origin = SEED_ORIGIN_UNKNOWN;
        else if (kernel_command_line_sets_credential(line, SEED_NAME))
                origin = SEED_ORIGIN_PUBLIC;
        if (system)
                system->origin = origin;
        if (!own)
                return;
        own->origin = origin != SEED_ORIGIN_PLATFORM || is_same(own, system) ? origin
                      : is_in_credential_store(root)                         ? SEED_ORIGIN_IMAGE
                                                                             : SEED_ORIGIN_UNKNOWN;
}

static int add_places(Platform *platform, const SourceConfig *config) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        _cleanup_secret_ Secret *scratch = NULL;
        int r;

        r = rootdir_open(config->root ? config->root : "/", &root);
        if (r < 0)
                return r;
        r = secret_new(PLACE_MAX_BYTES, &scratch);
        if (r < 0)
                return r;

        r = add_place(
                platform,
                scratch,
                open_credential(config, O_RDONLY),
                CREDENTIAL_LABEL,
                PLATFORM_RAW);
        for (size_t i = 0; i < ELEMENTSOF(known_places) && r >= 0; i++)
                r = add_place(
                        platform,
                        scratch,
                        rootdir_open_file(&root, known_places[i].path, O_RDONLY | O_NONBLOCK),
                        known_places[i].label,
                        known_places[i].kind);
        judge_credentials(platform, &root);
        return r < 0 ? r : add_smbios(platform, scratch, &root);
}

static void platform_close(Source *source) {
        Platform *platform = source->state;

        if (!platform)
                return;
        for (size_t i = 0; i < platform->n_places; i++)
                (void)secret_free(platform->places[i].content);
        free(platform);
        source->state = NULL;
}

static int platform_open(Source *source) {
        int r;

        source->state = calloc(1, sizeof(Platform));
        if (!source->state)
                return -ENOMEM;
        r = add_places(source->state, &source->config);
        if (r < 0)
                platform_close(source);
        return r;
}

/* SMBIOS can hold several seeds: "smbios", "smbios-2". */
static void set_label(Source *source, const Platform *platform) {
        const char *label = platform->places[platform->at].label;

        if (platform->n_seeds < 2)
                (void)snprintf(source->label, sizeof(source->label), "%s", label);
        else
                (void)snprintf(
                        source->label,
                        sizeof(source->label),
                        "%s-%u",
                        label,
                        platform->n_seeds);
}

static void next_place(Platform *platform) {
        const char *label = platform->places[platform->at].label;

        platform->at++;
        if (platform->at >= platform->n_places || platform->places[platform->at].label != label)
                platform->n_seeds = 0;
}

static int platform_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        Platform *platform = source->state;
        int r;

        source->label[0] = '\0';
        for (; platform->at < platform->n_places; next_place(platform)) {
                PlatformPlace *seeds = &platform->places[platform->at].seeds;

                r = platform_next_seed(seeds, buffer, size, ret_length);
                if (r == -ENODATA)
                        continue;
                platform->n_seeds++;
                source->origin = platform->places[platform->at].origin;
                set_label(source, platform);
                return r;
        }
        return -ENODATA;
}

const SourceOps source_platform = {
        .name = "platform",
        .source_class = SOURCE_CLASS_STATIC_HOST,
        .blocking = true,
        .seeds = true,
        .probe = platform_probe,
        .open = platform_open,
        .read = platform_read,
        .close = platform_close,
};
