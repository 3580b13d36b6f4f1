/* SPDX-License-Identifier: MIT */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "lib/feed/sandbox.h"

int sandbox_own_mounts(void) {
        if (unshare(CLONE_NEWNS) < 0)
                return negative_errno();
        /* Without this, what is mounted here appears in the namespace that this one came from. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return negative_errno();
        return 0;
}

/* A kernel without this kind of namespace answers EINVAL; one that forbids it, or a limit or a filter
 * that does, the others. Such a one is noted, and the next kind is tried. */
static int leave_namespace(SandboxNamespace which, int flag, uint32_t *missing) {
        if (unshare(flag) >= 0)
                return 0;
        if (!sandbox_namespace_is_missing(errno))
                return negative_errno();
        *missing |= 1U << which;
        return 0;
}

static int leave_mounts(uint32_t *missing) {
        int r;

        r = leave_namespace(SANDBOX_NAMESPACE_MOUNT, CLONE_NEWNS, missing);
        if (r < 0 || *missing & 1U << SANDBOX_NAMESPACE_MOUNT)
                return r;

        /* What is mounted in here must not appear outside. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 && errno != EINVAL)
                return negative_errno();
        return 0;
}

static int leave_namespaces(const SandboxSpec *spec, uint32_t *missing) {
        int r;

        r = leave_namespace(SANDBOX_NAMESPACE_IPC, CLONE_NEWIPC, missing);
        if (r < 0)
                return r;
        if (!spec->has_mounts) {
                r = leave_mounts(missing);
                if (r < 0)
                        return r;
        }
        if (spec->keep_network)
                return 0;
        return leave_namespace(SANDBOX_NAMESPACE_NETWORK, CLONE_NEWNET, missing);
}

/* Never raised: who has a lower one already has it for a reason, and may not be allowed to. */
static int lower_limit(__rlimit_resource_t resource, rlim_t most) {
        struct rlimit limit;

        if (getrlimit(resource, &limit) < 0)
                return negative_errno();
        limit.rlim_max = MIN(limit.rlim_max, most);
        limit.rlim_cur = MIN(limit.rlim_cur, limit.rlim_max);
        return setrlimit(resource, &limit) < 0 ? negative_errno() : 0;
}

static int lower_limits(const SandboxSpec *spec) {
        const struct {
                __rlimit_resource_t resource;
                rlim_t most;
                bool for_programs;
        } limits[] = {
                { RLIMIT_CORE, 0, true },
                { RLIMIT_NOFILE, 32, true },
                { RLIMIT_NPROC, 0, false },
                /* Only a program may have a reason to write a file. */
                { RLIMIT_FSIZE, 0, false },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                if (spec->may_fork && !limits[i].for_programs)
                        continue;
                r = lower_limit(limits[i].resource, limits[i].most);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int drop_bounding_set(void) {
        for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
                if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
                        if (errno == EINVAL)
                                break; /* an older kernel knows fewer */
                        return negative_errno();
                }
        return 0;
}

static int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

        if (syscall(SYS_capset, &header, none) < 0)
                return negative_errno();
        return 0;
}

static int change_identity(const SandboxSpec *spec) {
        if (setgroups(0, NULL) < 0)
                return negative_errno();
        if (setresgid(spec->gid, spec->gid, spec->gid) < 0)
                return negative_errno();
        if (setresuid(spec->uid, spec->uid, spec->uid) < 0)
                return negative_errno();
        return 0;
}

static int drop_root(const SandboxSpec *spec, uint32_t *missing) {
        int r;

        r = leave_namespaces(spec, missing);
        if (r < 0)
                return r;
        r = drop_bounding_set();
        if (r < 0)
                return r;
        return change_identity(spec);
}

int sandbox_enter(const SandboxSpec *spec, uint32_t *ret_missing) {
        uint32_t missing = 0;
        int r;

        if (geteuid() == 0) {
                r = drop_root(spec, &missing);
                if (r < 0)
                        return r;
        }
        r = drop_capabilities();
        if (r < 0)
                return r;
        r = lower_limits(spec);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return negative_errno();

        /* A change of identity clears both of these, so they come last. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return negative_errno();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return negative_errno();
        *ret_missing = missing;
        return 0;
}

bool sandbox_namespace_is_missing(int error) {
        return error == EINVAL || error == EPERM || error == ENOSPC || error == ENOSYS;
}

const char *sandbox_namespace_to_string(SandboxNamespace which) {
        static const char *const names[_SANDBOX_NAMESPACE_MAX] = {
                [SANDBOX_NAMESPACE_IPC] = "IPC",
                [SANDBOX_NAMESPACE_MOUNT] = "mount",
                [SANDBOX_NAMESPACE_NETWORK] = "network",
                [SANDBOX_NAMESPACE_PID] = "PID",
        };

        return names[which];
}

const char *sandbox_missing_capability(void) {
        static const struct {
                unsigned int number;
                const char *text;
        } needed[] = {
                { CAP_SETPCAP, "CAP_SETPCAP is missing" },
                { CAP_SETUID, "CAP_SETUID is missing" },
                { CAP_SETGID, "CAP_SETGID is missing" },
                { CAP_KILL,
                  "CAP_KILL is missing" }, /* to end a worker, which is another user's process */
        };
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct ours[_LINUX_CAPABILITY_U32S_3] = {};

        if (geteuid() != 0 || syscall(SYS_capget, &header, ours) < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                if (!(ours[0].effective & 1U << needed[i].number))
                        return needed[i].text;
        return NULL;
}
