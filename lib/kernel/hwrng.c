/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/kernel/hwrng.h"

#define SYSFS_FOLDER "sys/class/misc/hw_random/"

bool hwrng_is_local(const char *name) {
        static const char *const local[] = {
                "intel", "amd",    "geode",  "via",     "ccp-",  "bcm2835",  "iproc-rng200",
                "omap",  "exynos", "cctrng", "powernv", "stm32", "imx-rngc", "mtk",
        };

        for (size_t i = 0; i < ELEMENTSOF(local); i++)
                if (strncmp(name, local[i], strlen(local[i])) == 0)
                        return true;
        return false;
}

int hwrng_read_current(const RootDir *root, Hwrng *ret_hwrng) {
        Hwrng hwrng = {};
        int r;

        r = rootdir_read_text(root, SYSFS_FOLDER "rng_current", hwrng.name, sizeof(hwrng.name));
        if (r < 0)
                return r;
        if (hwrng.name[0] == '\0' || strcmp(hwrng.name, "none") == 0)
                return -ENODEV;

        hwrng.local = hwrng_is_local(hwrng.name);
        if (rootdir_read_u32(root, SYSFS_FOLDER "rng_quality", &hwrng.quality_per_1024) < 0)
                hwrng.quality_per_1024 = 0;

        *ret_hwrng = hwrng;
        return 0;
}
