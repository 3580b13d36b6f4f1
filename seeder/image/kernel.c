/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "seeder/image/equipment.h"
#include "seeder/image/initramfs.h"
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

int image_equipment_add(
        ImageReport *report,
        const char *id,
        ImageState state,
        const char *path,
        const char *detail,
        const char *version) {
        const ImageItem item = {
                .id = id,
                .group = IMAGE_GROUP_EQUIPMENT,
                .state = state,
                .action = state == IMAGE_STATE_FINDING ? IMAGE_ACTION_BY_HAND : IMAGE_ACTION_NONE,
                .path = path,
        };

        return image_report_add(
                report,
                &item,
                "%s%s%s",
                version ? version : "",
                version ? ": " : "",
                detail);
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
        for (size_t i = 0; i < PATHS_MAX && patterns[i]; i++) {
                const char *mark = strchr(patterns[i], '%');
                int n;

                n = snprintf(
                        path,
                        IMAGE_PATH_MAX_BYTES,
                        "%.*s%s%s",
                        (int)(mark - patterns[i]),
                        patterns[i],
                        version,
                        mark + 1);
                if (n > 0 && (size_t)n < IMAGE_PATH_MAX_BYTES && image_tree_has(tree, path))
                        return path;
        }
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
        const char *name, *id;
        ImageState state; /* without it */
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

        return image_equipment_add(
                report,
                option->id,
                on ? IMAGE_STATE_OK : option->state,
                NULL,
                on ? option->name : option->without,
                version);
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
                  "config-hw-random",
                  IMAGE_STATE_FINDING,
                  "CONFIG_HW_RANDOM is not set: there is no /dev/hwrng" },
                { "CONFIG_VMGENID",
                  "config-vmgenid",
                  IMAGE_STATE_NOTE,
                  "CONFIG_VMGENID is not set: the kernel does not notice a VM fork; rngd looks at "
                  "fw_cfg instead, where the host offers it" },
                { "CONFIG_RANDOM_TRUST_CPU",
                  "config-trust-cpu",
                  IMAGE_STATE_NOTE,
                  "CONFIG_RANDOM_TRUST_CPU is not set: random.trust_cpu=on has RDRAND and the "
                  "like credited" },
                { "CONFIG_RANDOM_TRUST_BOOTLOADER",
                  "config-trust-bootloader",
                  IMAGE_STATE_NOTE,
                  "CONFIG_RANDOM_TRUST_BOOTLOADER is not set: random.trust_bootloader=on has a "
                  "bootloader's seed credited" },
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
                return image_equipment_add(
                        report,
                        "kernel-config",
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        "no configuration to read in /boot or with its modules",
                        version);
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
        const char *id,
        const char *path,
        bool seen,
        const char *failure,
        const char *const details[static 2]) {
        ImageState state = seen      ? IMAGE_STATE_OK
                           : failure ? IMAGE_STATE_UNKNOWN
                                     : IMAGE_STATE_FINDING;

        return image_equipment_add(
                report,
                id,
                state,
                path,
                seen      ? details[1]
                : failure ? failure
                          : details[0],
                NULL);
}

static int check_listing(
        const ImageTree *tree,
        const char *path,
        Driver driver,
        ImageReport *report) {
        static const char *const driver_details[] = {
                "has no virtio_rng, which is a module: the device is found late in the boot",
                "has virtio_rng",
        };
        static const char *const seeder_details[] = {
                "has no entropy-seeder: install the hook and make the initramfs again",
                "has entropy-seeder",
        };
        _cleanup_close_ int fd = -1;
        const char *failure;
        unsigned bits = 0;
        int r;

        r = image_tree_open_file(tree, path, &fd);
        if (r == 0)
                r = image_initramfs_list(fd, &bits);
        else
                r = IMAGE_INITRAMFS_E_FAILED;
        if (r == -ENOMEM)
                return r;
        failure = list_failure(r, bits);

        if (driver == DRIVER_MODULE || driver == DRIVER_UNKNOWN) {
                r = add_seen(
                        report,
                        "initramfs-virtio-rng",
                        path,
                        bits & IMAGE_LISTING_VIRTIO_RNG,
                        failure,
                        driver_details);
                if (r < 0)
                        return r;
        }
        if (bits & IMAGE_LISTING_SEED) {
                r = image_equipment_add(
                        report,
                        "initramfs-seed",
                        IMAGE_STATE_FINDING,
                        path,
                        "has a saved seed in it, the same in every clone: make it again",
                        NULL);
                if (r < 0)
                        return r;
        }
        return add_seen(
                report,
                "initramfs-seeder",
                path,
                bits & IMAGE_LISTING_SEEDER,
                failure,
                seeder_details);
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
        return image_equipment_add(
                report,
                "initramfs-virtio-rng",
                driver == DRIVER_BUILTIN ? IMAGE_STATE_OK : IMAGE_STATE_UNKNOWN,
                NULL,
                driver == DRIVER_BUILTIN ? "no initramfs, and none is needed for virtio_rng"
                                         : "no initramfs of this kernel in /boot or with its "
                                           "modules: could not be looked into",
                version);
}

static int check_kernel(const ImageTree *tree, const char *version, ImageReport *report) {
        Driver driver = DRIVER_UNKNOWN;
        int r;

        r = check_config(tree, version, report, &driver);
        if (r < 0)
                return r;
        r = check_modules(tree, version, &driver);
        if (r < 0)
                return r;
        if (driver == DRIVER_ABSENT)
                r = image_equipment_add(
                        report,
                        "virtio-rng",
                        IMAGE_STATE_FINDING,
                        NULL,
                        "has no virtio_rng driver: install the package with this kernel's modules",
                        version);
        else if (driver == DRIVER_UNKNOWN)
                r = image_equipment_add(
                        report,
                        "virtio-rng",
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        "neither its configuration nor its modules can be read",
                        version);
        else
                r = image_equipment_add(
                        report,
                        "virtio-rng",
                        IMAGE_STATE_OK,
                        NULL,
                        driver == DRIVER_BUILTIN ? "has virtio_rng built in"
                                                 : "has virtio_rng as a module",
                        version);
        if (r < 0)
                return r;
        return check_initramfs(tree, version, driver, report);
}

int image_kernel_find(const ImageTree *tree, ImageReport *report) {
        Kernels kernels = {};
        int r;

        r = find_kernels(tree, &kernels);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || kernels.more) {
                r = image_equipment_add(
                        report,
                        "kernels",
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        r < 0 ? image_error_to_string(r) : "there are more than are looked at",
                        NULL);
                if (r < 0)
                        return r;
        }
        if (kernels.n == 0)
                return image_equipment_add(
                        report,
                        "kernels",
                        IMAGE_STATE_UNKNOWN,
                        NULL,
                        "no kernel in /boot or /usr/lib/modules: it comes from elsewhere",
                        NULL);
        for (size_t i = 0; i < kernels.n; i++) {
                r = check_kernel(tree, kernels.names[i].version, report);
                if (r < 0)
                        return r;
        }
        return 0;
}
