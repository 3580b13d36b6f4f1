/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "rngd/container.h"

bool in_container(void) {
        /* systemd's container interface, docker, podman */
        static const char *const signs[] = {
                "/run/systemd/container",
                "/.dockerenv",
                "/run/.containerenv",
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (access(signs[i], F_OK) >= 0)
                        return true;
        return getenv("container") != NULL;
}
