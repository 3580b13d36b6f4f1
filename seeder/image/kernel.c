/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "seeder/image/find.h"
#include "seeder/image/initramfs.h"
#include "seeder/image/text.h"

#define KERNELS_MAX       16U
#define VERSION_MAX_BYTES 128U
#define TEXT_MAX_BYTES    (8U * 1024 * 1024) /* modules.dep is the longest */
#define PATHS_MAX         5U

typedef struct Kernels {
        char versions[KERNELS_MAX][VERSION_MAX_BYTES];
        size_t n;
        bool more;
} Kernels;

/* The one that is looked at. */
typedef struct Kernel {
        const Tree *tree;
        const char *version;
        KernelOption driver; /* of virtio-rng, UNNAMED as long as nothing is known of it */
        Report *report;
} Kernel;

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

static void add(const Kernel *kernel, RuleId rule, State state, const char *detail) {
        report_add(kernel->report, item_of(rule, state, NULL), "%s: %s", kernel->version, detail);
}

/* Whether one of these is there, with the version put in place of '%'. */
static bool find_file(
        const Kernel *kernel,
        const char *const patterns[static PATHS_MAX],
        char path[static TREE_PATH_MAX_BYTES]) {
        for (size_t i = 0; i < PATHS_MAX && patterns[i]; i++)
                if (tree_path(patterns[i], kernel->version, path) && tree_has(kernel->tree, path))
                        return true;
        return false;
}

/* NULL where it cannot be read. To be freed. */
static char *read_file(
        const Kernel *kernel,
        const char *const patterns[static PATHS_MAX],
        size_t *ret_length) {
        char path[TREE_PATH_MAX_BYTES], *text;
        int r;

        if (!find_file(kernel, patterns, path))
                return NULL;
        r = tree_read(kernel->tree, path, TEXT_MAX_BYTES, &text, ret_length);
        kernel->report->no_memory |= r == -ENOMEM;
        return r == 0 ? text : NULL;
}

static void check_config(Kernel *kernel) {
        static const char *const patterns[PATHS_MAX] = {
                "boot/config-%",
                "usr/lib/modules/%/config",
                "lib/modules/%/config",
        };
        static const struct {
                const char *name;
                RuleId rule;
                const char *without;
        } options[] = {
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
        size_t length;

        config = read_file(kernel, patterns, &length);
        if (!config) {
                add(kernel,
                    RULE_KERNEL_CONFIG,
                    STATE_UNKNOWN,
                    "no configuration to read in /boot or with its modules");
                return;
        }
        /* Kernels lost and gained these options: one that is not named is as good as off. */
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const RuleId rule = options[i].rule;
                bool on = image_text_kernel_option(config, length, options[i].name) >=
                          KERNEL_OPTION_MODULE;

                report_add(
                        kernel->report,
                        item_of(rule, on ? STATE_OK : image_rules[rule].severity, NULL),
                        "%s: %s%s",
                        kernel->version,
                        options[i].name,
                        on ? "" : options[i].without);
        }
        kernel->driver = image_text_kernel_option(config, length, "CONFIG_HW_RANDOM_VIRTIO");
        kernel->driver = MAX(kernel->driver, KERNEL_OPTION_OFF);
}

/* Whether an index of depmod names the driver. False also where it cannot be read. */
static bool index_has_driver(
        const Kernel *kernel,
        const char *const patterns[static PATHS_MAX],
        bool *ret_read) {
        size_t length;
        _cleanup_free_ char *text = read_file(kernel, patterns, &length);

        *ret_read = text;
        return text && memmem(text, length, "/virtio-rng.ko", strlen("/virtio-rng.ko"));
}

/* The indexes of depmod know better than a configuration that may be of another build. */
static void check_modules(Kernel *kernel) {
        static const char *const built_in[PATHS_MAX] = {
                "usr/lib/modules/%/modules.builtin",
                "lib/modules/%/modules.builtin",
        };
        static const char *const modules[PATHS_MAX] = {
                "usr/lib/modules/%/modules.dep",
                "lib/modules/%/modules.dep",
        };
        bool read;

        if (index_has_driver(kernel, built_in, &read))
                kernel->driver = KERNEL_OPTION_BUILTIN;
        else if (index_has_driver(kernel, modules, &read))
                kernel->driver = KERNEL_OPTION_MODULE;
        else if (read && kernel->driver != KERNEL_OPTION_BUILTIN)
                kernel->driver = KERNEL_OPTION_OFF;
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

static void check_listing(const Kernel *kernel, const char *path) {
        Report *report = kernel->report;
        _cleanup_close_ int fd = -1;
        unsigned bits = 0;
        const char *failure;
        int r;

        r = tree_open_file(kernel->tree, path, &fd);
        r = r == 0 ? initramfs_list(fd, &bits) : INITRAMFS_E_FAILED;
        report->no_memory |= r == -ENOMEM;
        failure = list_failure(r, bits);
        if (kernel->driver == KERNEL_OPTION_MODULE || kernel->driver == KERNEL_OPTION_UNNAMED)
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

static void check_initramfs(const Kernel *kernel) {
        static const char *const patterns[PATHS_MAX] = {
                "boot/initrd.img-%",
                "boot/initramfs-%.img",
                "boot/initrd-%",
                "usr/lib/modules/%/initrd",
                "usr/lib/modules/%/initramfs.img",
        };
        char path[TREE_PATH_MAX_BYTES];

        if (find_file(kernel, patterns, path))
                check_listing(kernel, path);
        /* Unified images, and loaders with directories of their own, are not looked into. */
        else if (kernel->driver == KERNEL_OPTION_BUILTIN)
                add(kernel,
                    RULE_INITRAMFS_VIRTIO_RNG,
                    STATE_OK,
                    "no initramfs, and none is needed for virtio_rng");
        else
                add(kernel,
                    RULE_INITRAMFS_VIRTIO_RNG,
                    STATE_UNKNOWN,
                    "no initramfs of this kernel in /boot or with its modules");
}

static void check_kernel(Kernel *kernel) {
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

        check_config(kernel);
        check_modules(kernel);
        add(kernel, RULE_VIRTIO_RNG, drivers[kernel->driver].state, drivers[kernel->driver].detail);
        check_initramfs(kernel);
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
        for (size_t i = 0; i < kernels.n; i++) {
                Kernel kernel = { tree, kernels.versions[i], KERNEL_OPTION_UNNAMED, report };

                check_kernel(&kernel);
        }
}
