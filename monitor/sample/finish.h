/* SPDX-License-Identifier: MIT */
#pragma once

/* entropy-monitor finish: reports the end of the boot to the one sampler that waits for it. */

#include <stddef.h>
#include <sys/un.h>

/* The sampler listens on this name in the abstract namespace for as long as it lives. Nothing is
 * sent over it. It only identifies the sampler's process. */
#define FINISH_SOCKET_NAME "\0guest-entropy/monitor"
#define FINISH_SOCKET_SIZE \
        ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(FINISH_SOCKET_NAME) - 1))

int finish_main(int argc, char *argv[]);
