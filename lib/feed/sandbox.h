/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a worker gives up what it does not need. For a process of root, after it opened its files.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

typedef enum SandboxNamespace {
        SANDBOX_NAMESPACE_IPC,
        SANDBOX_NAMESPACE_MOUNT,
        SANDBOX_NAMESPACE_NETWORK,
        SANDBOX_NAMESPACE_PID, /* made with the process (worker-process.h) */
        _SANDBOX_NAMESPACE_MAX,
} SandboxNamespace;

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
 * the parent. Namespaces that cannot be had here are passed over, and *ret_missing gets a bit for
 * each; any other failure is returned, and the caller must then not go on. A process that is not
 * root keeps its identity and gives up the rest.
 */
_must_check_ int sandbox_enter(const SandboxSpec *spec, uint32_t *ret_missing);

/* Whether this errno of unshare() or clone() says that there are no such namespaces for us. */
bool sandbox_namespace_is_missing(int error);
const char *sandbox_namespace_to_string(SandboxNamespace which);

/*
 * What this process, if it is root, lacks to put a child into a sandbox and to end it again: one
 * capability, in words, or NULL.
 */
const char *sandbox_missing_capability(void);
