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
#include "lib/base/parse.h"
#include "lib/kernel/lasting.h"

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

typedef struct Mount {
        char *line; /* the others point into it */
        char *root;
        char *point;
        char *source;
        char *options;
        uint32_t major_number, minor_number;
} Mount;

static void mount_free(Mount *mount) {
        free(mount->line);
        *mount = (Mount){};
}

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

/* ---- mounts ---- */

static FILE *open_stream(const RootDir *root, const char *path) {
        int fd = rootdir_open_file(root, path, O_RDONLY);
        FILE *stream = fd < 0 ? NULL : fdopen(fd, "re");

        if (!stream)
                cleanup_close(&fd);
        return stream;
}

static bool find_mount_id(const RootDir *root, int fd, uint32_t *ret_id) {
        static const char key[] = "mnt_id:";
        char path[64], line[128];
        bool found = false;
        FILE *stream;

        (void)snprintf(path, sizeof(path), "proc/self/fdinfo/%d", fd);
        stream = open_stream(root, path);
        if (!stream)
                return false;
        while (!found && fgets(line, sizeof(line), stream)) {
                const size_t end = strcspn(line, "\n");

                line[end] = '\0';
                if (strncmp(line, key, strlen(key)) == 0) {
                        const char *value = line + strlen(key);

                        value += strspn(value, " \t");
                        found = parse_u32(value, 0, UINT32_MAX, ret_id) >= 0;
                }
        }
        (void)fclose(stream);
        return found;
}

static bool is_octal(const char *text) {
        return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
               text[2] >= '0' && text[2] <= '7';
}

/* \040 and the like, as mountinfo writes white space and backslashes. */
static void unescape(char *text) {
        char *to = text;

        for (const char *p = text; *p; p++) {
                if (*p == '\\' && is_octal(p + 1)) {
                        *to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
                        p += 3;
                } else
                        *to++ = *p;
        }
        *to = '\0';
}

static bool parse_device(char *text, Mount *mount) {
        char *colon = strchr(text, ':');

        if (!colon)
                return false;
        *colon = '\0';
        return parse_u32(text, 0, UINT32_MAX, &mount->major_number) >= 0 &&
               parse_u32(colon + 1, 0, UINT32_MAX, &mount->minor_number) >= 0;
}

/*
 * proc_pid_mountinfo(5): ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS. The
 * strings stay those of the line.
 */
static bool parse_mount(char *line, uint32_t id, Mount *ret_mount) {
        enum {
                ID,
                PARENT,
                DEVICE,
                ROOT,
                POINT,
                OPTIONS,
                FIELDS
        };
        char *fields[FIELDS], *behind[3], *rest = line, *word;
        uint32_t found;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < FIELDS; i++) {
                fields[i] = strsep(&rest, " ");
                if (!fields[i])
                        return false;
        }
        do
                word = strsep(&rest, " ");
        while (word && strcmp(word, "-") != 0);
        for (size_t i = 0; i < ELEMENTSOF(behind); i++) {
                behind[i] = strsep(&rest, " ");
                if (!behind[i])
                        return false;
        }
        if (parse_u32(fields[ID], 0, UINT32_MAX, &found) < 0 || found != id ||
            !parse_device(fields[DEVICE], ret_mount))
                return false;
        ret_mount->root = fields[ROOT];
        ret_mount->point = fields[POINT];
        ret_mount->source = behind[1];
        ret_mount->options = behind[2];
        unescape(ret_mount->root);
        unescape(ret_mount->point);
        unescape(ret_mount->source);
        return true;
}

static bool find_mount(const RootDir *root, int fd, Mount *ret_mount) {
        _cleanup_free_ char *line = NULL;
        bool found = false;
        FILE *stream;
        size_t size = 0;
        uint32_t id;

        if (!find_mount_id(root, fd, &id))
                return false;
        stream = open_stream(root, "proc/self/mountinfo");
        if (!stream)
                return false;
        while (!found && getline(&line, &size, stream) >= 0)
                found = parse_mount(line, id, ret_mount);
        (void)fclose(stream);
        if (found)
                ret_mount->line = TAKE_PTR(line);
        return found;
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
        uint32_t major_number = mount->major_number, minor_number = mount->minor_number;
        char directory[64];

        if (major_number == 0) {
                struct stat status;

                if (mount->source[0] != '/' ||
                    fstatat(root->fd, mount->source + 1, &status, 0) < 0 ||
                    !S_ISBLK(status.st_mode))
                        return refuse(cannot_tell, ret_why_not);
                major_number = major(status.st_rdev);
                minor_number = minor(status.st_rdev);
        }
        (void)snprintf(
                directory,
                sizeof(directory),
                "sys/dev/block/%u:%u",
                major_number,
                minor_number);
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
        unescape(upper);
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

        if (depth == 0 || fstatfs(fd, &filesystem) < 0)
                return refuse(cannot_tell, ret_why_not);
        kind = kind_of((uint32_t)filesystem.f_type);
        if (kind == FILESYSTEM_LOCAL)
                return true;
        if (kind == FILESYSTEM_MEMORY)
                return refuse(in_memory, ret_why_not);
        if (kind == FILESYSTEM_UNKNOWN || !find_mount(root, fd, &mount))
                return refuse(cannot_tell, ret_why_not);
        return kind == FILESYSTEM_OVERLAY ? overlay_lasts(root, &mount, fd, depth - 1, ret_why_not)
                                          : disk_lasts(root, &mount, depth - 1, ret_why_not);
}

bool lasting_directory(const RootDir *root, int directory_fd, const char **ret_why_not) {
        return lasts(root, directory_fd, DEPTH_MAX, ret_why_not);
}
