/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a worker gives up what it does not need. For a process of root, after it opened its files.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"

typedef struct SandboxSpec {
        uid_t uid;
        gid_t gid;
        bool keep_network;
        bool may_fork;
        bool has_mounts; /* sandbox_own_mounts() was called */
} SandboxSpec;

/*
 * A mount namespace of the caller's own, before sandbox_enter(), for a source that mounts: nothing
 * mounted from then on is seen outside. Any failure is returned, since the mount would show.
 */
_must_check_ int sandbox_own_mounts(void);

/*
 * Own mount, IPC and (unless kept) network namespace, no supplementary groups, uid and gid of the
 * spec, no capabilities now or later, no new privileges, not dumpable, small limits, death with
 * the parent. Namespaces that this kernel does not have are passed over; any other failure is
 * returned, and the caller must then not go on. A process that is not root keeps its identity and
 * gives up the rest.
 */
_must_check_ int sandbox_enter(const SandboxSpec *spec);
