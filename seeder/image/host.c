/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/kernel/mountinfo.h"
#include "seeder/image/host.h"

#define OWN_MOUNTINFO "/proc/self/mountinfo"

static int place_of(int fd, struct statx *ret_place) {
        if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, ret_place) < 0)
                return negative_errno();
        return 0;
}

static bool is_mount_root(const struct statx *place) {
        return (place->stx_mask & STATX_MNT_ID) &&
               (place->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
               (place->stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* The second way is for filesystems that give one directory two inode numbers (some overlays). */
static bool same_place(const struct statx *a, const struct statx *b) {
        if (a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
            a->stx_ino == b->stx_ino)
                return true;
        return is_mount_root(a) && is_mount_root(b) && a->stx_mnt_id == b->stx_mnt_id;
}

static int is_same(int a_fd, int b_fd) {
        struct statx a = {}, b = {};
        int r;

        r = place_of(a_fd, &a);
        if (r >= 0)
                r = place_of(b_fd, &b);
        return r < 0 ? r : same_place(&a, &b);
}

int host_open(Host *ret_host) {
        /* Without the right to look at PID 1 this is EACCES; without /proc, ENOENT. */
        int fd = open("/proc/1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool own = fd < 0;

        if (own)
                fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        ret_host->root_fd = fd;
        ret_host->mountinfo = own ? OWN_MOUNTINFO : "/proc/1/mountinfo";
        return 0;
}

void host_close(Host *host) {
        cleanup_close(&host->root_fd);
}

/* In a tree that only borrows the host's /proc, PID 1's root is elsewhere. */
static int is_root_of_its_pid1(int tree_fd) {
        _cleanup_close_ int proc_fd = -1, root_fd = -1;
        struct statfs filesystem;

        proc_fd = openat(tree_fd, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (proc_fd < 0 || fstatfs(proc_fd, &filesystem) < 0 ||
            filesystem.f_type != PROC_SUPER_MAGIC)
                return 0;
        root_fd = openat(proc_fd, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return root_fd < 0 ? 0 : is_same(tree_fd, root_fd);
}

int host_is_root(const Host *host, int tree_fd) {
        int r = is_same(host->root_fd, tree_fd);

        return r != 0 ? r : is_root_of_its_pid1(tree_fd);
}

int host_has_file(const Host *host, const char *path, const struct stat *status) {
        struct stat other;

        if (fstatat(host->root_fd, path, &other, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : negative_errno();
        return other.st_dev == status->st_dev && other.st_ino == status->st_ino;
}

/* Opened from the running system's root; without its leading slash. */
static int open_directory(const Host *host, const char *path) {
        path += strspn(path, "/");
        return openat(host->root_fd, *path ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Whether a directory on the way to a mount is the tree, by whatever name. */
static int is_within(const Host *host, const char *point, int tree_fd) {
        char path[PATH_MAX];

        /* Too long a path is not looked at whole: then the mount counts as outside. */
        (void)snprintf(path, sizeof(path), "%s", point);
        for (;;) {
                _cleanup_close_ int fd = open_directory(host, path);
                char *slash = strrchr(path, '/');
                int r = fd >= 0 ? is_same(fd, tree_fd) : 0;

                if (r != 0 || !slash || slash[1] == '\0')
                        return r;
                /* The last that is looked at is "/". */
                slash[slash == path ? 1 : 0] = '\0';
        }
}

/* systemd mounts the ESP when somebody looks for it, and unmounts it after a while. */
static void wake_automounts(const Host *host) {
        static const char *const places[] = { "efi", "boot", "boot/efi" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                int fd = open_directory(host, places[i]);

                cleanup_close(&fd);
        }
}

typedef struct Search {
        const Host *host;
        int tree_fd;
        Mount mount; /* that the file was reached by */
        char *point; /* where the running system has it */
} Search;

static void cleanup_search(Search *search) {
        mount_free(&search->mount);
        free(search->point);
}

static int take_if_outside(Mount *mount, void *userdata) {
        Search *search = userdata;
        int r;

        if (!mount_overlaps(mount, &search->mount))
                return 0;
        r = is_within(search->host, mount->point, search->tree_fd);
        if (r != 0)
                return MIN(r, 0);
        search->point = strdup(mount->point);
        return search->point ? 1 : -ENOMEM;
}

int host_find_mount(const Host *host, int tree_fd, int fd, char **ret_point) {
        _cleanup_(cleanup_search) Search search = { .host = host, .tree_fd = tree_fd };
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        int tree_id, id, r;

        r = rootdir_open("/", &root);
        if (r < 0)
                return r;
        r = mountinfo_id(&root, tree_fd, &tree_id);
        if (r < 0)
                return r;
        r = mountinfo_id(&root, fd, &id);
        if (r < 0)
                return r;
        /* What lies in the tree itself may well lie on the running system's root filesystem. */
        if (id != tree_id) {
                r = mountinfo_find(&root, id, &search.mount);
                if (r < 0)
                        return r;
                wake_automounts(host);
                r = mountinfo_each(&root, host->mountinfo, take_if_outside, &search);
                if (r < 0)
                        return r;
        }
        *ret_point = TAKE_PTR(search.point);
        return 0;
}
