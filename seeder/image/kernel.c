/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "seeder/image/find.h"
#include "seeder/image/initramfs.h"
#include "seeder/image/text.h"

#define KERNELS_MAX       16U
#define VERSION_MAX_BYTES 128U
#define TEXT_MAX_BYTES    (8U * 1024 * 1024) /* modules.dep is the longest */
#define PATHS_MAX         4U

typedef struct Kernels {
        char versions[KERNELS_MAX][VERSION_MAX_BYTES];
        size_t n;
        bool more;
} Kernels;

static void add(Report *report, RuleId rule, State state, const char *version, const char *detail) {
        report_add(report, item_of(rule, state, NULL), "%s: %s", version, detail);
}

static void remember_kernel(const char *path, void *userdata) {
        Kernels *kernels = userdata;
        const char *version = strrchr(path, '/') + 1;

        if (strncmp(version, "config-", strlen("config-")) == 0)
                version += strlen("config-");
        for (size_t i = 0; i < kernels->n; i++)
                if (strcmp(kernels->versions[i], version) == 0)
                        return;
        if (kernels->n < KERNELS_MAX && *version && strlen(version) < VERSION_MAX_BYTES)
                (void)stpcpy(kernels->versions[kernels->n++], version);
        else
                kernels->more = true;
}

/* A directory of modules has an index: empty ones stay behind when a kernel is removed. */
static void remember_modules(const char *path, void *userdata) {
        char directory[TREE_PATH_MAX_BYTES];

        (void)snprintf(directory, sizeof(directory), "%s", path);
        *strrchr(directory, '/') = '\0';
        remember_kernel(directory, userdata);
}

static int find_kernels(const Tree *tree, Kernels *kernels) {
        static const char *const indexes[] = {
                "usr/lib/modules/*/modules.builtin",
                "lib/modules/*/modules.builtin",
        };
        int r;

        r = tree_glob(tree, "boot/config-*", remember_kernel, kernels);
        for (size_t i = 0; i < ELEMENTSOF(indexes) && r >= 0; i++)
                r = tree_glob(tree, indexes[i], remember_modules, kernels);
        return r;
}

/* The first of these that is there, with the version put in place of '%'. NULL: none. */
static const char *find_file(
        const Tree *tree,
        const char *const patterns[static PATHS_MAX],
        const char *version,
        char path[static TREE_PATH_MAX_BYTES]) {
        for (size_t i = 0; i < PATHS_MAX && patterns[i]; i++)
                if (tree_path(patterns[i], version, path) && tree_has(tree, path))
                        return path;
        return NULL;
}

/* NULL where none of them can be read. To be freed. */
static char *read_first(
        const Tree *tree,
        const char *const patterns[static PATHS_MAX],
        const char *version,
        Report *report,
        size_t *ret_length) {
        char path[TREE_PATH_MAX_BYTES], *text;
        int r;

        if (!find_file(tree, patterns, version, path))
                return NULL;
        r = tree_read(tree, path, TEXT_MAX_BYTES, &text, ret_length);
        report->no_memory |= r == -ENOMEM;
        return r == 0 ? text : NULL;
}

typedef struct Option {
        const char *name;
        RuleId rule;
        const char *without;
} Option;

/* Kernels lost and gained these options: one that is not named is as good as off. */
static void check_option(
        Report *report,
        const char *config,
        size_t length,
        const char *version,
        const Option *option) {
        KernelOption value = image_text_kernel_option(config, length, option->name);
        bool on = value == KERNEL_OPTION_BUILTIN || value == KERNEL_OPTION_MODULE;

        report_add(
                report,
                item_of(option->rule, on ? STATE_OK : image_rules[option->rule].severity, NULL),
                "%s: %s%s",
                version,
                option->name,
                on ? "" : option->without);
}

/* What the configuration says of the driver; UNNAMED where there is none to read. */
static KernelOption check_config(const Tree *tree, const char *version, Report *report) {
        static const char *const patterns[PATHS_MAX] = {
                "boot/config-%",
                "usr/lib/modules/%/config",
                "lib/modules/%/config",
        };
        static const Option options[] = {
                { "CONFIG_HW_RANDOM",
                  RULE_CONFIG_HW_RANDOM,
                  " is not set: there is no /dev/hwrng" },
                { "CONFIG_VMGENID",
                  RULE_CONFIG_VMGENID,
                  " is not set: the kernel does not notice a VM fork" },
                { "CONFIG_RANDOM_TRUST_CPU", RULE_CONFIG_TRUST_CPU, " is not set" },
                { "CONFIG_RANDOM_TRUST_BOOTLOADER", RULE_CONFIG_TRUST_BOOTLOADER, " is not set" },
        };
        _cleanup_free_ char *config = NULL;
        KernelOption driver;
        size_t length = 0;

        config = read_first(tree, patterns, version, report, &length);
        if (!config) {
                add(report,
                    RULE_KERNEL_CONFIG,
                    STATE_UNKNOWN,
                    version,
                    "no configuration to read in /boot or with its modules");
                return KERNEL_OPTION_UNNAMED;
        }
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                check_option(report, config, length, version, &options[i]);
        driver = image_text_kernel_option(config, length, "CONFIG_HW_RANDOM_VIRTIO");
        return driver == KERNEL_OPTION_UNNAMED ? KERNEL_OPTION_OFF : driver;
}

/* Whether one of depmod's indexes names the driver. False also where it cannot be read. */
static bool index_has_driver(
        const Tree *tree,
        const char *const patterns[static PATHS_MAX],
        const char *version,
        Report *report,
        bool *ret_read) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;

        text = read_first(tree, patterns, version, report, &length);
        *ret_read = text;
        return text && memmem(text, length, "/virtio-rng.ko", strlen("/virtio-rng.ko"));
}

/* The indexes of depmod know better than a configuration that may be of another build. */
static KernelOption check_modules(
        const Tree *tree,
        const char *version,
        KernelOption configured,
        Report *report) {
        static const char *const built_in[PATHS_MAX] = {
                "usr/lib/modules/%/modules.builtin",
                "lib/modules/%/modules.builtin",
        };
        static const char *const modules[PATHS_MAX] = {
                "usr/lib/modules/%/modules.dep",
                "lib/modules/%/modules.dep",
        };
        bool read;

        if (index_has_driver(tree, built_in, version, report, &read))
                return KERNEL_OPTION_BUILTIN;
        if (index_has_driver(tree, modules, version, report, &read))
                return KERNEL_OPTION_MODULE;
        return read && configured != KERNEL_OPTION_BUILTIN ? KERNEL_OPTION_OFF : configured;
}

static const char *list_failure(int r, unsigned bits) {
        if (r == INITRAMFS_E_NO_TOOL)
                return "could not be looked into: neither lsinitramfs nor lsinitrd is installed "
                       "here";
        if (r == INITRAMFS_E_TIMEOUT)
                return "could not be looked into: the listing was too slow or too long";
        if (r != 0)
                return "could not be looked into: it could not be listed to its end";
        if (bits & IMAGE_LISTING_SQUASHED)
                return "could not be looked into: it holds a filesystem image";
        return NULL;
}

/* What was seen is there; what was not seen is missing only if all was seen. */
static void add_seen(
        Report *report,
        RuleId rule,
        const char *path,
        bool seen,
        const char *failure,
        const char *name) {
        const State state = seen ? STATE_OK : failure ? STATE_UNKNOWN : STATE_FINDING;

        if (!seen && failure)
                report_add(report, item_of(rule, state, path), "%s", failure);
        else
                report_add(
                        report,
                        item_of(rule, state, path),
                        "%s %s",
                        seen ? "has" : "has no",
                        name);
}

static void check_listing(const Tree *tree, const char *path, KernelOption driver, Report *report) {
        _cleanup_close_ int fd = -1;
        unsigned bits = 0;
        const char *failure;
        int r;

        r = tree_open_file(tree, path, &fd);
        r = r == 0 ? initramfs_list(fd, &bits) : INITRAMFS_E_FAILED;
        report->no_memory |= r == -ENOMEM;
        failure = list_failure(r, bits);
        if (driver == KERNEL_OPTION_MODULE || driver == KERNEL_OPTION_UNNAMED)
                add_seen(
                        report,
                        RULE_INITRAMFS_VIRTIO_RNG,
                        path,
                        bits & IMAGE_LISTING_VIRTIO_RNG,
                        failure,
                        "virtio_rng");
        if (bits & IMAGE_LISTING_SEED)
                report_add(
                        report,
                        item_of(RULE_INITRAMFS_SEED, STATE_FINDING, path),
                        "has a saved seed in it, the same in every clone");
        add_seen(
                report,
                RULE_INITRAMFS_SEEDER,
                path,
                bits & IMAGE_LISTING_SEEDER,
                failure,
                "entropy-seeder");
}

static void check_initramfs(
        const Tree *tree,
        const char *version,
        KernelOption driver,
        Report *report) {
        static const char *const patterns[][PATHS_MAX] = {
                { "boot/initrd.img-%", "boot/initramfs-%.img", "boot/initrd-%" },
                { "usr/lib/modules/%/initrd", "usr/lib/modules/%/initramfs.img" },
        };
        char path[TREE_PATH_MAX_BYTES];

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                if (find_file(tree, patterns[i], version, path)) {
                        check_listing(tree, path, driver, report);
                        return;
                }
        /* Unified images, and loaders with directories of their own, are not looked into. */
        add(report,
            RULE_INITRAMFS_VIRTIO_RNG,
            driver == KERNEL_OPTION_BUILTIN ? STATE_OK : STATE_UNKNOWN,
            version,
            driver == KERNEL_OPTION_BUILTIN
                    ? "no initramfs, and none is needed for virtio_rng"
                    : "no initramfs of this kernel in /boot or with its modules");
}

static void check_kernel(const Tree *tree, const char *version, Report *report) {
        static const struct {
                State state;
                const char *detail;
        } drivers[] = {
                [KERNEL_OPTION_UNNAMED] = { STATE_UNKNOWN,
                                            "neither its configuration nor its modules can be read" },
                [KERNEL_OPTION_OFF] = { STATE_FINDING, "has no virtio_rng driver" },
                [KERNEL_OPTION_MODULE] = { STATE_OK, "has virtio_rng as a module" },
                [KERNEL_OPTION_BUILTIN] = { STATE_OK, "has virtio_rng built in" },
        };
        KernelOption driver = check_config(tree, version, report);

        driver = check_modules(tree, version, driver, report);
        add(report, RULE_VIRTIO_RNG, drivers[driver].state, version, drivers[driver].detail);
        check_initramfs(tree, version, driver, report);
}

void kernel_find(const Tree *tree, Report *report) {
        Kernels kernels = {};
        int r;

        r = find_kernels(tree, &kernels);
        if (r < 0)
                report_add_error(report, RULE_KERNELS, NULL, r);
        else if (kernels.more)
                report_add(
                        report,
                        item_of(RULE_KERNELS, STATE_UNKNOWN, NULL),
                        "there are more than are looked at");
        if (kernels.n == 0)
                report_add(
                        report,
                        item_of(RULE_KERNELS, STATE_UNKNOWN, NULL),
                        "no kernel in /boot or /usr/lib/modules: it comes from elsewhere");
        for (size_t i = 0; i < kernels.n; i++)
                check_kernel(tree, kernels.versions[i], report);
}
