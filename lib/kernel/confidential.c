/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kernel/confidential.h"

/* There or not; what may not be looked at may be there. */
static bool sign_exists(const RootDir *root, const char *path) {
        if (rootdir_exists(root, path))
                return true;
        return errno != ENOENT && errno != ENOTDIR;
}

/* 0 is a no, and so is a kernel that does not have the file. */
static bool flag_is_set(const RootDir *root, const char *path) {
        char text[16];
        int r;

        r = rootdir_read_text(root, path, text, sizeof(text));
        if (r == -ENOENT || r == -ENOTDIR)
                return false;
        return r < 0 || strcmp(text, "0") != 0;
}

bool confidential_guest(const RootDir *root) {
        /* Attestation devices and the platform devices behind them: there before a module loads. */
        static const char *const signs[] = {
                "dev/sev-guest",
                "dev/tdx_guest",
                "sys/bus/platform/devices/sev-guest",
                "sys/devices/virtual/misc/tdx_guest",
                "sys/devices/system/cpu/sev", /* x86: SEV-SNP only */
                "sys/devices/platform/arm-cca-dev",
                /* Where arm64's maintainers mean to move it. */
                "sys/devices/platform/arm-smccc/arm_cca_guest.arm-rsi-dev.0",
        };
        static const char *const flags[] = {
                "sys/firmware/uv/prot_virt_guest", /* s390, Secure Execution */
                "sys/devices/system/cpu/svm",      /* ppc64, Protected Execution Facility */
                "sys/firmware/cca/realm_guest",    /* arm64, proposed */
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (sign_exists(root, signs[i]))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (flag_is_set(root, flags[i]))
                        return true;
        return confidential_cpu(root);
}
