/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "lib/kernel/confidential.h"

bool confidential_guest(const RootDir *root) {
        /* Attestation devices and the platform devices behind them: there before a module loads. */
        static const char *const signs[] = {
                "dev/sev-guest",
                "dev/tdx_guest",
                "sys/bus/platform/devices/sev-guest",
                "sys/devices/virtual/misc/tdx_guest",
                "sys/devices/system/cpu/sev",
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (faccessat(root->fd, signs[i], F_OK, AT_EACCESS) >= 0)
                        return true;
        return confidential_cpu();
}
