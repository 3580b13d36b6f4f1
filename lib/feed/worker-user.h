/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * As whom workers run: users that nobody else has. A process may stop, kill and often read the memory
 * of its user's other processes, so that a user with other processes ("nobody" has many) would know
 * the bytes. One user is for readers, another for programs that rngd runs.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define WORKER_USER_READER   "_rng-reader"
#define WORKER_USER_PROGRAMS "_rng-exec"

/*
 * Where the users do not exist (an initramfs; rngd run from a build): of what systemd, Debian and
 * Fedora allocate to nobody, within the 16 bits that every user namespace maps.
 */
#define WORKER_ID_READER   65521U
#define WORKER_ID_PROGRAMS 65522U

/* In this passwd(5), without NSS: that may ask a network, or a service that waits for us. */
void worker_user_find(const char *passwd, bool for_programs, uid_t *ret_uid, gid_t *ret_gid);
