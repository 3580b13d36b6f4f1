/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdlib.h>

/* Where rngd.sock, generation and rngd.lock are: what systemd made for us (systemd.exec(5)), else the
 * usual place. The environment's or a constant: nobody frees it. */
static inline const char *runtime_folder(void) {
        const char *folder = getenv("RUNTIME_DIRECTORY");

        return folder && folder[0] == '/' ? folder : "/run/guest-entropy";
}
