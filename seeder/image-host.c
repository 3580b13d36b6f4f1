/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "seeder/image-host.h"

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

/* The second way is for filesystems that give one folder two inode numbers (some overlays). */
static bool same_place(const struct statx *a, const struct statx *b) {
        if (a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
            a->stx_ino == b->stx_ino)
                return true;
        return is_mount_root(a) && is_mount_root(b) && a->stx_mnt_id == b->stx_mnt_id;
}

static int is_same(int a_fd, int b_fd, bool *ret_same) {
        struct statx a = {}, b = {};
        int r;

        r = place_of(a_fd, &a);
        if (r < 0)
                return r;
        r = place_of(b_fd, &b);
        if (r < 0)
                return r;
        *ret_same = same_place(&a, &b);
        return 0;
}

int image_host_open(ImageHost *ret_host) {
        /* Without the right to look at PID 1 this is EACCES; without /proc, ENOENT. */
        int fd = open("/proc/1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        ret_host->root_fd = fd;
        return 0;
}

void image_host_close(ImageHost *host) {
        cleanup_close(&host->root_fd);
}

/* In a tree that only borrows the host's /proc, PID 1's root is elsewhere. */
static int is_root_of_its_pid1(int tree_fd, bool *ret_is) {
        _cleanup_close_ int proc_fd = -1, root_fd = -1;
        struct statfs filesystem;

        proc_fd = openat(tree_fd, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (proc_fd < 0 || fstatfs(proc_fd, &filesystem) < 0 ||
            filesystem.f_type != PROC_SUPER_MAGIC) {
                *ret_is = false;
                return 0;
        }
        root_fd = openat(proc_fd, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0) {
                *ret_is = false;
                return 0;
        }
        return is_same(tree_fd, root_fd, ret_is);
}

int image_host_is_root(const ImageHost *host, int tree_fd, bool *ret_is) {
        bool is;
        int r;

        r = is_same(host->root_fd, tree_fd, &is);
        if (r < 0)
                return r;
        if (!is) {
                r = is_root_of_its_pid1(tree_fd, &is);
                if (r < 0)
                        return r;
        }
        *ret_is = is;
        return 0;
}

int image_host_has_folder(const ImageHost *host, const char *path, int folder_fd, bool *ret_has) {
        _cleanup_close_ int fd = -1;

        fd = openat(host->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                        return negative_errno();
                *ret_has = false;
                return 0;
        }
        return is_same(fd, folder_fd, ret_has);
}
