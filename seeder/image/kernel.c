/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "seeder/image/initramfs.h"
#include "seeder/image/setup.h"
#include "seeder/image/text.h"

#define KERNELS_MAX      16U
#define CONFIG_MAX_BYTES (1024U * 1024)
#define LIST_MAX_BYTES   (8U * 1024 * 1024) /* modules.dep */
#define PATHS_MAX        4U

typedef struct KernelName {
        char version[128];
} KernelName;

typedef struct Kernels {
        KernelName names[KERNELS_MAX];
        size_t n;
        bool more;
} Kernels;

/* How the kernel comes to the driver. */
typedef enum Driver {
        DRIVER_UNKNOWN,
        DRIVER_ABSENT,
        DRIVER_MODULE,
        DRIVER_BUILTIN,
} Driver;

static int add(
        ImageReport *report,
        ImageRuleId rule,
        ImageState state,
        const char *version,
        const char *detail) {
        return image_report_add(report, rule, state, NULL, "%s: %s", version, detail);
}

static int remember_kernel(const char *path, void *userdata) {
        Kernels *kernels = userdata;
        const char *version = strrchr(path, '/') + 1;
        size_t i;
        int n;

        if (strncmp(version, "config-", strlen("config-")) == 0)
                version += strlen("config-");
        for (i = 0; i < kernels->n; i++)
                if (strcmp(kernels->names[i].version, version) == 0)
                        return 0;
        if (i == KERNELS_MAX) {
                kernels->more = true;
                return 0;
        }
        n = snprintf(kernels->names[i].version, sizeof(kernels->names[i].version), "%s", version);
        if (n > 0 && (size_t)n < sizeof(kernels->names[i].version))
                kernels->n++;
        else
                kernels->more = true;
        return 0;
}

/* A directory of modules has an index: empty ones stay behind when a kernel is removed. */
static int remember_modules(const char *path, void *userdata) {
        char directory[IMAGE_PATH_MAX_BYTES];

        (void)snprintf(directory, sizeof(directory), "%s", path);
        *strrchr(directory, '/') = '\0';
        return remember_kernel(directory, userdata);
}

static int find_kernels(const ImageTree *tree, Kernels *kernels) {
        static const char *const indexes[] = {
                "usr/lib/modules/*/modules.builtin",
                "lib/modules/*/modules.builtin",
        };
        int r;

        r = image_tree_glob(tree, "boot/config-*", remember_kernel, kernels);
        for (size_t i = 0; i < ELEMENTSOF(indexes) && r >= 0; i++)
                r = image_tree_glob(tree, indexes[i], remember_modules, kernels);
        return r;
}

/* The first of these that is there, with the version put in place of '%'. NULL: none. */
static const char *find_file(
        const ImageTree *tree,
        const char *const patterns[static PATHS_MAX],
        const char *version,
        char path[static IMAGE_PATH_MAX_BYTES]) {
        for (size_t i = 0; i < PATHS_MAX && patterns[i]; i++)
                if (image_tree_path(patterns[i], version, path) && image_tree_has(tree, path))
                        return path;
        return NULL;
}

/* Returns 0 with a text that the caller frees, NULL where it cannot be read. */
static int read_text(
        const ImageTree *tree,
        const char *path,
        size_t max_bytes,
        char **ret_text,
        size_t *ret_length) {
        _cleanup_free_ char *text = malloc(max_bytes);
        int r;

        if (!text)
                return -ENOMEM;
        r = image_tree_read(tree, path, text, max_bytes, ret_length);
        *ret_text = r == 0 ? TAKE_PTR(text) : NULL;
        return 0;
}

typedef struct Option {
        const char *name;
        ImageRuleId rule;
        const char *without;
} Option;

/* Kernels lost and gained these options: one that is not named is as good as off. */
static int check_option(
        ImageReport *report,
        const char *config,
        size_t length,
        const char *version,
        const Option *option) {
        ImageKernelOption value = image_text_kernel_option(config, length, option->name);
        bool on = value == IMAGE_KERNEL_OPTION_BUILTIN || value == IMAGE_KERNEL_OPTION_MODULE;

        return image_report_add(
                report,
                option->rule,
                on ? IMAGE_STATE_OK : image_rules[option->rule].severity,
                NULL,
                "%s: %s%s",
                version,
                option->name,
                on ? "" : option->without);
}

/* *ret_driver only where the configuration names it. */
static int check_config(
        const ImageTree *tree,
        const char *version,
        ImageReport *report,
        Driver *ret_driver) {
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
        char path[IMAGE_PATH_MAX_BYTES];
        size_t length = 0;
        int r = 0;

        if (find_file(tree, patterns, version, path)) {
                r = read_text(tree, path, CONFIG_MAX_BYTES, &config, &length);
                if (r < 0)
                        return r;
        }
        if (!config)
                return add(
                        report,
                        RULE_KERNEL_CONFIG,
                        IMAGE_STATE_UNKNOWN,
                        version,
                        "no configuration to read in /boot or with its modules");
        for (size_t i = 0; i < ELEMENTSOF(options) && r >= 0; i++)
                r = check_option(report, config, length, version, &options[i]);
        switch (image_text_kernel_option(config, length, "CONFIG_HW_RANDOM_VIRTIO")) {
        case IMAGE_KERNEL_OPTION_BUILTIN:
                *ret_driver = DRIVER_BUILTIN;
                break;
        case IMAGE_KERNEL_OPTION_MODULE:
                *ret_driver = DRIVER_MODULE;
                break;
        case IMAGE_KERNEL_OPTION_UNNAMED:
        case IMAGE_KERNEL_OPTION_OFF:
        default:
                *ret_driver = DRIVER_ABSENT;
                break;
        }
        return r;
}

static int has_text(
        const ImageTree *tree,
        const char *version,
        const char *file,
        bool *ret_read,
        bool *ret_has) {
        const char *const patterns[PATHS_MAX] = { "usr/lib/modules/%/", "lib/modules/%/" };
        char path[IMAGE_PATH_MAX_BYTES];
        _cleanup_free_ char *text = NULL;
        size_t length = 0, used;
        int r;

        if (!find_file(tree, patterns, version, path))
                return 0;
        used = strlen(path);
        if (used + strlen(file) >= sizeof(path))
                return 0;
        (void)stpcpy(path + used, file);
        r = read_text(tree, path, LIST_MAX_BYTES, &text, &length);
        if (r < 0 || !text)
                return r;
        *ret_read = true;
        *ret_has = memmem(text, length, "/virtio-rng.ko", strlen("/virtio-rng.ko"));
        return 0;
}

/* The indexes of depmod know better than a configuration that may be of another build. */
static int check_modules(const ImageTree *tree, const char *version, Driver *driver) {
        bool read_any = false, has = false;
        int r;

        r = has_text(tree, version, "modules.builtin", &read_any, &has);
        if (r < 0)
                return r;
        if (has) {
                *driver = DRIVER_BUILTIN;
                return 0;
        }
        read_any = false;
        r = has_text(tree, version, "modules.dep", &read_any, &has);
        if (r < 0)
                return r;
        if (has)
                *driver = DRIVER_MODULE;
        else if (read_any && *driver != DRIVER_BUILTIN)
                *driver = DRIVER_ABSENT;
        return 0;
}

static const char *list_failure(int r, unsigned bits) {
        if (r == IMAGE_INITRAMFS_E_NO_TOOL)
                return "could not be looked into: neither lsinitramfs nor lsinitrd is installed "
                       "here";
        if (r == IMAGE_INITRAMFS_E_TIMEOUT)
                return "could not be looked into: the listing was too slow or too long";
        if (r != 0)
                return "could not be looked into: it could not be listed to its end";
        if (bits & IMAGE_LISTING_SQUASHED)
                return "could not be looked into: it holds a filesystem image";
        return NULL;
}

/* What was seen is there; what was not seen is missing only if all was seen. */
static int add_seen(
        ImageReport *report,
        ImageRuleId rule,
        const char *path,
        bool seen,
        const char *failure,
        const char *name) {
        if (!seen && failure)
                return image_report_add(report, rule, IMAGE_STATE_UNKNOWN, path, "%s", failure);
        return image_report_add(
                report,
                rule,
                seen ? IMAGE_STATE_OK : IMAGE_STATE_FINDING,
                path,
                "%s %s",
                seen ? "has" : "has no",
                name);
}

static int add_listing(
        const char *path,
        Driver driver,
        unsigned bits,
        const char *failure,
        ImageReport *report) {
        int r = 0;

        if (driver == DRIVER_MODULE || driver == DRIVER_UNKNOWN)
                r = add_seen(
                        report,
                        RULE_INITRAMFS_VIRTIO_RNG,
                        path,
                        bits & IMAGE_LISTING_VIRTIO_RNG,
                        failure,
                        "virtio_rng");
        if (r >= 0 && (bits & IMAGE_LISTING_SEED))
                r = image_report_add(
                        report,
                        RULE_INITRAMFS_SEED,
                        IMAGE_STATE_FINDING,
                        path,
                        "has a saved seed in it, the same in every clone");
        if (r < 0)
                return r;
        return add_seen(
                report,
                RULE_INITRAMFS_SEEDER,
                path,
                bits & IMAGE_LISTING_SEEDER,
                failure,
                "entropy-seeder");
}

static int check_listing(
        const ImageTree *tree,
        const char *path,
        Driver driver,
        ImageReport *report) {
        _cleanup_close_ int fd = -1;
        unsigned bits = 0;
        int r;

        r = image_tree_open_file(tree, path, &fd);
        if (r == 0)
                r = image_initramfs_list(fd, &bits);
        else
                r = IMAGE_INITRAMFS_E_FAILED;
        if (r == -ENOMEM)
                return r;
        return add_listing(path, driver, bits, list_failure(r, bits), report);
}

static int check_initramfs(
        const ImageTree *tree,
        const char *version,
        Driver driver,
        ImageReport *report) {
        static const char *const patterns[][PATHS_MAX] = {
                { "boot/initrd.img-%", "boot/initramfs-%.img", "boot/initrd-%" },
                { "usr/lib/modules/%/initrd", "usr/lib/modules/%/initramfs.img" },
        };
        char path[IMAGE_PATH_MAX_BYTES];

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                if (find_file(tree, patterns[i], version, path))
                        return check_listing(tree, path, driver, report);
        /* Unified images, and loaders with directories of their own, are not looked into. */
        if (driver == DRIVER_BUILTIN)
                return add(
                        report,
                        RULE_INITRAMFS_VIRTIO_RNG,
                        IMAGE_STATE_OK,
                        version,
                        "no initramfs, and none is needed for virtio_rng");
        return add(
                report,
                RULE_INITRAMFS_VIRTIO_RNG,
                IMAGE_STATE_UNKNOWN,
                version,
                "no initramfs of this kernel in /boot or with its modules");
}

static int check_kernel(const ImageTree *tree, const char *version, ImageReport *report) {
        static const struct {
                ImageState state;
                const char *detail;
        } drivers[] = {
                [DRIVER_UNKNOWN] = { IMAGE_STATE_UNKNOWN,
                                     "neither its configuration nor its modules can be read" },
                [DRIVER_ABSENT] = { IMAGE_STATE_FINDING, "has no virtio_rng driver" },
                [DRIVER_MODULE] = { IMAGE_STATE_OK, "has virtio_rng as a module" },
                [DRIVER_BUILTIN] = { IMAGE_STATE_OK, "has virtio_rng built in" },
        };
        Driver driver = DRIVER_UNKNOWN;
        int r;

        r = check_config(tree, version, report, &driver);
        if (r >= 0)
                r = check_modules(tree, version, &driver);
        if (r >= 0)
                r = add(report,
                        RULE_VIRTIO_RNG,
                        drivers[driver].state,
                        version,
                        drivers[driver].detail);
        return r < 0 ? r : check_initramfs(tree, version, driver, report);
}

int image_kernel_find(const ImageTree *tree, ImageReport *report) {
        Kernels kernels = {};
        int r;

        r = find_kernels(tree, &kernels);
        if (r < 0)
                r = image_report_add_error(report, RULE_KERNELS, NULL, r);
        else if (kernels.more)
                r = image_report_add(
                        report,
                        RULE_KERNELS,
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        "there are more than are looked at");
        if (r >= 0 && kernels.n == 0)
                r = image_report_add(
                        report,
                        RULE_KERNELS,
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        "no kernel in /boot or /usr/lib/modules: it comes from elsewhere");
        for (size_t i = 0; i < kernels.n && r >= 0; i++)
                r = check_kernel(tree, kernels.names[i].version, report);
        return r;
}
