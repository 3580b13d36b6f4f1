/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "lib/base/cleanup.h"
#include "lib/kernel/lasting.h"
#include "lib/kernel/mountinfo.h"

/* An overlay on a loop device on an overlay... */
#define DEPTH_MAX 6U

/* linux/magic.h, and what file systems keep in their own headers. */
#define MAGIC_TMPFS   UINT32_C(0x01021994)
#define MAGIC_RAMFS   UINT32_C(0x858458f6)
#define MAGIC_OVERLAY UINT32_C(0x794c7630)

typedef enum FilesystemKind {
        FILESYSTEM_UNKNOWN,
        FILESYSTEM_MEMORY,
        FILESYSTEM_OVERLAY,
        FILESYSTEM_DISK,  /* lasts if its block device does */
        FILESYSTEM_LOCAL, /* has no block device of its own: flash, or a pool of several disks */
} FilesystemKind;

static const char in_memory[] = "the state directory is kept in memory only";
static const char cannot_tell[] = "nothing shows that the state directory outlasts a power cut";

static bool lasts(const RootDir *root, int fd, unsigned depth, const char **ret_why_not);

static FilesystemKind kind_of(uint32_t magic) {
        static const struct {
                uint32_t magic;
                FilesystemKind kind;
        } kinds[] = {
                { MAGIC_TMPFS, FILESYSTEM_MEMORY },
                { MAGIC_RAMFS, FILESYSTEM_MEMORY },
                { MAGIC_OVERLAY, FILESYSTEM_OVERLAY },
                { UINT32_C(0xef53), FILESYSTEM_DISK },      /* ext2, ext3, ext4 */
                { UINT32_C(0x58465342), FILESYSTEM_DISK },  /* xfs */
                { UINT32_C(0x9123683e), FILESYSTEM_DISK },  /* btrfs */
                { UINT32_C(0xf2f52010), FILESYSTEM_DISK },  /* f2fs */
                { UINT32_C(0x3153464a), FILESYSTEM_DISK },  /* jfs */
                { UINT32_C(0x52654973), FILESYSTEM_DISK },  /* reiserfs */
                { UINT32_C(0x3434), FILESYSTEM_DISK },      /* nilfs2 */
                { UINT32_C(0x72b6), FILESYSTEM_LOCAL },     /* jffs2 */
                { UINT32_C(0x24051905), FILESYSTEM_LOCAL }, /* ubifs */
                { UINT32_C(0x2fc12fc1), FILESYSTEM_LOCAL }, /* zfs */
                { UINT32_C(0xca451a4e), FILESYSTEM_LOCAL }, /* bcachefs */
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].magic == magic)
                        return kinds[i].kind;
        return FILESYSTEM_UNKNOWN;
}

static bool refuse(const char *why_not, const char **ret_why_not) {
        *ret_why_not = why_not;
        return false;
}

/* ---- block devices ---- */

static bool has(int directory_fd, const char *path) {
        return faccessat(directory_fd, path, F_OK, 0) >= 0;
}

/* The file behind a loop device; one that was deleted, or is named from elsewhere, is not found. */
static bool loop_lasts(
        const RootDir *root,
        int device_fd,
        unsigned depth,
        const char **ret_why_not) {
        const RootDir device = { .fd = device_fd };
        _cleanup_close_ int fd = -1;
        char path[1024];

        if (rootdir_read_text(&device, "loop/backing_file", path, sizeof(path)) < 0 ||
            path[0] != '/')
                return refuse(cannot_tell, ret_why_not);
        fd = rootdir_open_file(root, path + 1, O_PATH);
        return fd < 0 ? refuse(cannot_tell, ret_why_not) : lasts(root, fd, depth, ret_why_not);
}

static bool device_lasts(
        const RootDir *root,
        const char *directory,
        unsigned depth,
        const char **ret_why_not);

/* What a mapped device or a RAID is made of: as good as the worst of them. */
static bool parts_last(
        const RootDir *root,
        int device_fd,
        unsigned depth,
        bool *ret_any,
        const char **ret_why_not) {
        int fd = openat(device_fd, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *list = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        bool good = true;

        *ret_any = false;
        if (!list) {
                cleanup_close(&fd);
                return true;
        }
        while (good && (entry = readdir(list))) {
                char directory[300];

                if (entry->d_name[0] == '.')
                        continue;
                *ret_any = true;
                (void)snprintf(directory, sizeof(directory), "sys/class/block/%s", entry->d_name);
                good = device_lasts(root, directory, depth, ret_why_not);
        }
        (void)closedir(list);
        return good;
}

static bool device_lasts(
        const RootDir *root,
        const char *directory,
        unsigned depth,
        const char **ret_why_not) {
        _cleanup_close_ int fd = -1;
        bool any;

        if (depth == 0)
                return refuse(cannot_tell, ret_why_not);
        fd = rootdir_open_file(root, directory, O_PATH | O_DIRECTORY);
        if (fd >= 0 && has(fd, "partition")) {
                int disk_fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

                (void)close(fd);
                fd = disk_fd;
        }
        if (fd < 0)
                return refuse(cannot_tell, ret_why_not);
        if (has(fd, "loop"))
                return loop_lasts(root, fd, depth - 1, ret_why_not);
        if (!parts_last(root, fd, depth - 1, &any, ret_why_not))
                return false;
        /* A RAM disk is not a device's, and a disk over the network is none of this machine's. */
        return any || has(fd, "device") || refuse(cannot_tell, ret_why_not);
}

/* btrfs has a device number of its own, which no block device has. */
static bool disk_lasts(
        const RootDir *root,
        const Mount *mount,
        unsigned depth,
        const char **ret_why_not) {
        char directory[64];

        if (strncmp(mount->device, "0:", 2) == 0) {
                struct stat status;

                if (mount->source[0] != '/' ||
                    fstatat(root->fd, mount->source + 1, &status, 0) < 0 ||
                    !S_ISBLK(status.st_mode))
                        return refuse(cannot_tell, ret_why_not);
                (void)snprintf(
                        directory,
                        sizeof(directory),
                        "sys/dev/block/%u:%u",
                        major(status.st_rdev),
                        minor(status.st_rdev));
        } else
                (void)snprintf(directory, sizeof(directory), "sys/dev/block/%.40s", mount->device);
        return device_lasts(root, directory, depth, ret_why_not);
}

/* ---- overlays ---- */

static char *take_upper(char *options) {
        char *upper = NULL;
        char *rest = options, *word;

        while ((word = strsep(&rest, ","))) {
                /* Never synced; newer kernels show it as fsync=volatile. */
                if (strcmp(word, "volatile") == 0 || strcmp(word, "fsync=volatile") == 0)
                        return NULL;
                if (strncmp(word, "upperdir=/", strlen("upperdir=/")) == 0)
                        upper = word + strlen("upperdir=");
        }
        return upper;
}

/* Where the same directory is in the upper layer. */
static bool make_upper_path(
        const RootDir *root,
        const Mount *mount,
        const char *upper,
        int fd,
        char *path,
        size_t size) {
        const size_t point = strcmp(mount->point, "/") == 0 ? 0 : strlen(mount->point);
        char link[64], directory[1024];
        ssize_t n;
        int length;

        (void)snprintf(link, sizeof(link), "proc/self/fd/%d", fd);
        n = readlinkat(root->fd, link, directory, sizeof(directory) - 1);
        if (n <= 0 || (size_t)n == sizeof(directory) - 1)
                return false;
        directory[n] = '\0';
        if (strncmp(directory, mount->point, point) != 0)
                return false;
        length = snprintf(path, size, "%s%s%s", upper, mount->root, directory + point);
        return length > 0 && (size_t)length < size;
}

/*
 * By the path that it was mounted with. The directory must be there, too: it was made or written to, so
 * another one behind the same path, as after a change of the root, is not taken for it.
 */
static bool overlay_lasts(
        const RootDir *root,
        Mount *mount,
        int fd,
        unsigned depth,
        const char **ret_why_not) {
        _cleanup_close_ int upper_fd = -1;
        char path[4096], *upper = take_upper(mount->options);

        if (!upper)
                return refuse(cannot_tell, ret_why_not);
        mountinfo_unescape(upper);
        if (!make_upper_path(root, mount, upper, fd, path, sizeof(path)))
                return refuse(cannot_tell, ret_why_not);
        upper_fd = rootdir_open_file(root, path + 1, O_PATH | O_NOFOLLOW);
        if (upper_fd < 0)
                return refuse(cannot_tell, ret_why_not);
        return lasts(root, upper_fd, depth, ret_why_not);
}

static bool lasts(const RootDir *root, int fd, unsigned depth, const char **ret_why_not) {
        _cleanup_(mount_free) Mount mount = {};
        struct statfs filesystem;
        FilesystemKind kind;
        int id;

        if (depth == 0 || fstatfs(fd, &filesystem) < 0)
                return refuse(cannot_tell, ret_why_not);
        kind = kind_of((uint32_t)filesystem.f_type);
        if (kind == FILESYSTEM_LOCAL)
                return true;
        if (kind == FILESYSTEM_MEMORY)
                return refuse(in_memory, ret_why_not);
        if (kind == FILESYSTEM_UNKNOWN || mountinfo_id(root, fd, &id) < 0 ||
            mountinfo_find(root, id, &mount) < 0)
                return refuse(cannot_tell, ret_why_not);
        return kind == FILESYSTEM_OVERLAY ? overlay_lasts(root, &mount, fd, depth - 1, ret_why_not)
                                          : disk_lasts(root, &mount, depth - 1, ret_why_not);
}

bool lasting_directory(const RootDir *root, int directory_fd, const char **ret_why_not) {
        return lasts(root, directory_fd, DEPTH_MAX, ret_why_not);
}
