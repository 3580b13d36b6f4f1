/* SPDX-License-Identifier: MIT */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "lib/intake/sandbox.h"

int sandbox_own_mounts(void) {
        if (unshare(CLONE_NEWNS) < 0)
                return negative_errno();
        /* Without this, what is mounted here appears in the namespace that this one came from. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return negative_errno();
        return 0;
}

/* A kernel without this kind of namespace answers EINVAL; one that forbids it, EPERM or ENOSPC. */
static int leave_namespaces(const SandboxSpec *spec) {
        int flags = CLONE_NEWIPC | (spec->has_mounts ? 0 : CLONE_NEWNS) |
                    (spec->keep_network ? 0 : CLONE_NEWNET);

        if (unshare(flags) < 0)
                return errno == EINVAL || errno == EPERM || errno == ENOSPC ? 0 : negative_errno();
        if (spec->has_mounts)
                return 0;

        /* What is mounted in here must not appear outside. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 && errno != EINVAL)
                return negative_errno();
        return 0;
}

static int set_limits(const SandboxSpec *spec) {
        const struct {
                __rlimit_resource_t resource;
                rlim_t limit;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_NOFILE, 32 },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const struct rlimit limit = { limits[i].limit, limits[i].limit };

                if (setrlimit(limits[i].resource, &limit) < 0)
                        return negative_errno();
        }
        if (!spec->may_fork) {
                const struct rlimit none = {};

                /* Nor files: only a program has something to say, which may go to a log file. */
                if (setrlimit(RLIMIT_NPROC, &none) < 0 || setrlimit(RLIMIT_FSIZE, &none) < 0)
                        return negative_errno();
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

static int drop_root(const SandboxSpec *spec) {
        int r;

        r = leave_namespaces(spec);
        if (r < 0)
                return r;
        r = drop_bounding_set();
        if (r < 0)
                return r;
        return change_identity(spec);
}

int sandbox_enter(const SandboxSpec *spec) {
        int r;

        if (geteuid() == 0) {
                r = drop_root(spec);
                if (r < 0)
                        return r;
        }
        r = drop_capabilities();
        if (r < 0)
                return r;
        r = set_limits(spec);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return negative_errno();

        /* A change of identity clears both of these, so they come last. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return negative_errno();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return negative_errno();
        return 0;
}
