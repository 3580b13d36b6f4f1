/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/parse.h"
#include "lib/kernel/hwrng.h"
#include "lib/kernel/release.h"

#define SYSFS_DIRECTORY      "sys/class/misc/hw_random/"
#define PARAMETERS_DIRECTORY "sys/module/rng_core/parameters/"

/* virtio-rng: "virtio_rng.%d" since Linux 3.17, "virtio" before. */
#define VIRTIO_PREFIX "virtio"

bool hwrng_is_host_made(const char *name) {
        static const char *const prefixes[] = {
                VIRTIO_PREFIX, /* drivers/char/hw_random/virtio-rng.c */
                "nsm-hwrng",   /* drivers/misc/nsm.c: an AWS Nitro enclave's Security Module */
                "smccc_trng",  /* arm_smccc_trng.c: a call to firmware, in a VM the hypervisor */
                "pseries_rng", /* pseries-rng.c: PowerVM's or KVM's H_RANDOM; KBUILD_MODNAME */
                "pseries-rng", /* the same, as the file is spelled */
                "n2rng",       /* n2-drv.c: a call to the sun4v hypervisor */
                "tpm-rng",     /* drivers/char/tpm/tpm-chip.c: nothing tells an emulated TPM */
                "hw_random",   /* arch/um/drivers/random.c: user-mode Linux reads /dev/random */
        };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/*
 * Whether a rng_quality of 0 says nothing. Linux 6.2 raised rng_core's default_quality from 0 to 1024;
 * before, that 0 was what a driver without a statement got. virtio-rng always stated 1000 then.
 */
static bool zero_is_unstated(const RootDir *root, const char *name) {
        uint32_t default_quality;

        if (strncmp(name, VIRTIO_PREFIX, strlen(VIRTIO_PREFIX)) == 0)
                return false;
        if (rootdir_read_u32(root, PARAMETERS_DIRECTORY "default_quality", &default_quality) < 0)
                return false;
        /* What cannot be read is no old kernel. */
        return default_quality == 0 && kernel_is_before(root, 6, 2) > 0;
}

static void read_quality(const RootDir *root, Hwrng *hwrng) {
        int r;

        r = rootdir_read_u32(root, SYSFS_DIRECTORY "rng_quality", &hwrng->quality_per_1024);
        if (r == -ENOENT) {
                /* Before 5.19 the module knows the current one's. Its 0 also is what stops the
                 * kernel from reading the device on its own, so it says nothing of the bytes. */
                r = rootdir_read_u32(
                        root,
                        PARAMETERS_DIRECTORY "current_quality",
                        &hwrng->quality_per_1024);
                hwrng->quality_known = r >= 0 && hwrng->quality_per_1024 > 0;
                return;
        }
        /* A file that is there and cannot be read is a doubt: 0. */
        hwrng->quality_known =
                r < 0 || hwrng->quality_per_1024 > 0 || !zero_is_unstated(root, hwrng->name);
}

int hwrng_read_current(const RootDir *root, Hwrng *ret_hwrng) {
        Hwrng hwrng = {};
        int r;

        r = rootdir_read_text(root, SYSFS_DIRECTORY "rng_current", hwrng.name, sizeof(hwrng.name));
        if (r < 0)
                return r;
        if (hwrng.name[0] == '\0' || strcmp(hwrng.name, "none") == 0)
                return -ENODEV;

        hwrng.host_made = hwrng_is_host_made(hwrng.name);
        read_quality(root, &hwrng);
        *ret_hwrng = hwrng;
        return 0;
}

int hwrng_read_available(const RootDir *root, char *buffer, size_t size) {
        return rootdir_read_text(root, SYSFS_DIRECTORY "rng_available", buffer, size);
}

bool hwrng_is_selected(const RootDir *root) {
        uint32_t selected;

        /* In doubt it was: then it is left alone. */
        return rootdir_read_u32(root, SYSFS_DIRECTORY "rng_selected", &selected) < 0 ||
               selected != 0;
}

int hwrng_select(const RootDir *root, const char *name) {
        Hwrng now;
        int r;

        r = rootdir_write_text(root, SYSFS_DIRECTORY "rng_current", name);
        if (r < 0)
                return r;
        r = hwrng_read_current(root, &now);
        if (r < 0)
                return r;
        return strcmp(now.name, name) == 0 ? 0 : -ENODEV;
}
