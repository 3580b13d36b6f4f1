/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "lib/base/parse.h"
#include "lib/kernel/mountinfo.h"
#include "lib/kernel/pseudofs.h"
#include "monitor/sample/init.h"

#define RAMFS_MAGIC_NUMBER UINT32_C(0x858458f6)
#define TMPFS_MAGIC_NUMBER UINT32_C(0x01021994)
#define INITS_MAX          8U
#define ROOT_TEXT_MAX      48U
#define TYPE_MAX           16U
/* The root, and how many inits of the list were executed in it. Kept in the environment, which
 * is all that survives a script that executes the monitor again. */
#define TRIED_VARIABLE "ENTROPY_MONITOR_TRIED"
/* The kernel's PROC_PID_INIT_INO, the same since Linux 3.8. */
#define FIRST_PID_NAMESPACE UINT64_C(0xeffffffc)

bool init_is_machines(void) {
        static const char path[] = "self/ns/pid";
        _cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat status;

        if (proc_fd >= 0 && fstatat(proc_fd, path, &status, 0) >= 0)
                return status.st_ino == FIRST_PID_NAMESPACE;
        cleanup_close(&proc_fd);
        /* Not mounted yet, as right after the kernel has started. */
        if (pseudofs_open("proc", &proc_fd) < 0 || fstatat(proc_fd, path, &status, 0) < 0)
                return true;
        return status.st_ino == FIRST_PID_NAMESPACE;
}

/* The last mount at "/" is the topmost. */
static int take_root_type(Mount *mount, void *userdata) {
        char *type = userdata;

        if (strcmp(mount->point, "/") == 0)
                (void)snprintf(type, TYPE_MAX, "%s", mount->type);
        return 0;
}

/* The kernel's initial root, into which it unpacks an initramfs, and not a tmpfs mounted later. */
static bool in_rootfs(const Views *views) {
        const RootDir proc = { views->proc_fd };
        char type[TYPE_MAX] = ""; /* unknown */
        struct statfs status;

        if (statfs("/", &status) < 0 || ((uint32_t)status.f_type != RAMFS_MAGIC_NUMBER &&
                                         (uint32_t)status.f_type != TMPFS_MAGIC_NUMBER))
                return false;
        (void)!mountinfo_each(&proc, "self/mountinfo", take_root_type, type);
        return !type[0] || strcmp(type, "rootfs") == 0;
}

/* The monitor may be installed in the place of init. It must not execute itself forever. */
static bool is_self(const Views *views, const char *path) {
        struct stat self, other;

        if (fstatat(views->proc_fd, "self/exe", &self, 0) < 0 || stat(path, &other) < 0)
                return false;
        return self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* The first part of the variable, which identifies the current root. */
static bool describe_root(char ret_text[static ROOT_TEXT_MAX]) {
        struct stat root;

        if (stat("/", &root) < 0)
                return false;
        (void)snprintf(
                ret_text,
                ROOT_TEXT_MAX,
                "%" PRIu64 ":%" PRIu64 ":",
                (uint64_t)root.st_dev,
                (uint64_t)root.st_ino);
        return true;
}

/* How many inits a previous monitor in this process has executed in this root. */
static size_t count_tried(void) {
        const char *note = getenv(TRIED_VARIABLE);
        char root[ROOT_TEXT_MAX];
        uint32_t n;

        if (!note || !describe_root(root) || strncmp(note, root, strlen(root)) != 0 ||
            parse_u32(note + strlen(root), 0, INITS_MAX, &n) < 0)
                return 0;
        return n;
}

static void note_tried(size_t n) {
        char root[ROOT_TEXT_MAX], note[ROOT_TEXT_MAX + 24];

        if (!describe_root(root))
                return;
        (void)snprintf(note, sizeof(note), "%s%zu", root, n);
        (void)setenv(TRIED_VARIABLE, note, 1);
}

static void try_init(const Views *views, const char *path, char *argv[]) {
        char name[SETTINGS_INIT_MAX];

        if (is_self(views, path)) {
                errno = ELOOP;
                return;
        }
        (void)snprintf(name, sizeof(name), "%s", path);
        argv[0] = name;
        (void)execv(path, argv);
}

/* In the order in which they are tried. */
static size_t list_inits(
        const MonitorSettings *settings,
        const Views *views,
        const char *ret_paths[static INITS_MAX]) {
        static const char *const usual[] = {
                "/sbin/init",
                "/usr/lib/systemd/systemd",
                "/lib/systemd/systemd",
                "/etc/init",
                "/bin/init",
                "/bin/sh",
        };
        size_t n = 0;

        _Static_assert(ELEMENTSOF(usual) + 2 <= INITS_MAX, "room for each");
        if (settings->init[0])
                ret_paths[n++] = settings->init;
        /* Without rdinit=, /init itself has executed the monitor. */
        if (settings->rdinit && in_rootfs(views))
                ret_paths[n++] = "/init";
        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                ret_paths[n++] = usual[i];
        return n;
}

int init_execute(const MonitorSettings *settings, const Views *views, char *argv[]) {
        const char *paths[INITS_MAX];
        size_t n_paths = list_inits(settings, views, paths), n_tried = count_tried();

        if (n_tried > 0 && n_tried <= n_paths)
                views_complain(
                        views,
                        "%s has executed the monitor again, trying the next init",
                        paths[n_tried - 1]);
        for (size_t i = n_tried; i < n_paths; i++) {
                note_tried(i + 1);
                try_init(views, paths[i], argv);
                if (paths[i] == settings->init)
                        views_complain(
                                views,
                                "cannot execute entropy.init=%s: %s",
                                settings->init,
                                strerror(errno));
        }
        views_complain(views, "found no init to execute");
        return EXIT_FAILURE;
}
