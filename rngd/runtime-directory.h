/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdlib.h>

/* Where rngd.sock, generation and rngd.lock are: what systemd made for us (systemd.exec(5)), else the
 * usual place. The environment's or a constant: nobody frees it. */
static inline const char *runtime_directory(void) {
        const char *directory = getenv("RUNTIME_DIRECTORY");

        return directory && directory[0] == '/' ? directory : "/run/guest-entropy";
}
