/* SPDX-License-Identifier: MIT */
#pragma once

/* entropy-monitor finish: tells the one sampler that waits for it that the boot is over. */

#include <stddef.h>
#include <sys/un.h>

/* The sampler listens on this name of the abstract namespace for as long as it lives; nothing is
 * ever said over it: it tells finish which process to ask. */
#define FINISH_SOCKET_NAME "\0guest-entropy/monitor"
#define FINISH_SOCKET_SIZE \
        ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(FINISH_SOCKET_NAME) - 1))

int finish_main(int argc, char *argv[]);
