/* SPDX-License-Identifier: MIT */
/*
 * The file system that the product code sees: two directories on simulated disks, and a few files of
 * the kernel and of the distribution whose text is made when they are opened.
 */
#include <errno.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "tests/lifetimes/calls.h"
#include "tests/lifetimes/files.h"
#include "tests/lifetimes/machine.h"

#define FD_FIRST     10000
#define TEXT_MAX     1024
#define OVERLAYFS    0x794c7630
#define EXT4         0xef53
#define MINOR_RANDOM 8U
#define MINOR_HWRNG  183U

static int fail(int error) {
        errno = error;
        return -1;
}

Fd *files_get(int fd) {
        size_t at = (size_t)fd - FD_FIRST;

        if (fd < FD_FIRST || at >= MACHINE_FDS_MAX || machine_now->fds[at].kind == FD_FREE)
                return NULL;
        return &machine_now->fds[at];
}

int files_new(Fd fd) {
        for (int i = 0; i < MACHINE_FDS_MAX; i++)
                if (machine_now->fds[i].kind == FD_FREE) {
                        machine_now->fds[i] = fd;
                        machine_now->fds[i].of_daemon = daemon_is_current();
                        return FD_FIRST + i;
                }
        return fail(EMFILE);
}

/* ---- what is where ---- */

/* The disk that a path below / is on, and its name there: "" for the directory itself. */
static DiskChoice disk_of(const char *path, const char **ret_name) {
        static const struct {
                const char *path;
                DiskChoice disk;
        } places[] = { { STATE_PATH, DISK_STATE }, { RUN_PATH, DISK_RUN } };

        for (size_t i = 0; i < 2; i++) {
                size_t n = strlen(places[i].path);

                if (strncmp(path, places[i].path, n) != 0 || (path[n] && path[n] != '/'))
                        continue;
                *ret_name = path[n] ? path + n + 1 : "";
                return places[i].disk;
        }
        return DISK_NONE;
}

static DiskChoice resolve(int directory_fd, const char *path, const char **ret_path) {
        const Fd *directory = directory_fd == AT_FDCWD ? NULL : files_get(directory_fd);

        *ret_path = path;
        if (*path != '/' && directory && directory->disk != DISK_NONE)
                return directory->disk;
        while (**ret_path == '/')
                (*ret_path)++;
        return disk_of(*ret_path, ret_path);
}

static bool is_read_only(DiskChoice choice) {
        return choice == DISK_STATE && machine_now->image.var_kind == VAR_READ_ONLY;
}

/* ---- a child of the program ---- */

static jmp_buf child;
static Fd fds_of_parent[MACHINE_FDS_MAX];

jmp_buf *sim_child_begin(void) {
        memcpy(fds_of_parent, machine_now->fds, sizeof(fds_of_parent));
        return &child;
}

_Noreturn void sim_child_exit(int status) {
        memcpy(machine_now->fds, fds_of_parent, sizeof(fds_of_parent));
        longjmp(child, 1);
}

/* ---- opening ---- */

static int open_on_disk(DiskChoice choice, const char *name, int flags) {
        Disk *disk = machine_disk(machine_now, choice);
        bool writes = (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
        int file;

        if (writes && is_read_only(choice))
                return fail(EROFS);
        if (!disk_exists(disk))
                return fail(ENOENT);
        if (!*name || strcmp(name, ".") == 0)
                return files_new((Fd){ .kind = FD_DIRECTORY, .disk = choice });
        file = disk_find(disk, name);
        if (file >= 0 && (flags & O_CREAT) && (flags & O_EXCL))
                return fail(EEXIST);
        if ((file < 0 || writes) && !machine_call(machine_now))
                return fail(EIO);
        if (file < 0 && !(flags & O_CREAT))
                return fail(ENOENT);
        if (file < 0)
                file = disk_create(disk, name);
        else if (flags & O_TRUNC)
                disk_truncate(disk, file);
        if (file < 0)
                return fail(-file);
        return files_new((Fd){ .kind = FD_FILE, .disk = choice, .file = file, .writes = writes });
}

static int open_text(const char *text) {
        Fd fd = { .kind = FD_TEXT, .n_text = strlen(text) };

        fd.text = (const char *)arena_copy((const uint8_t *)text, fd.n_text + 1);
        return files_new(fd);
}

static int open_special(const char *path, int flags) {
        const Platform *platform = &machine_now->platform;

        if (!*path || strcmp(path, "var/lib") == 0)
                return files_new((Fd){ .kind = FD_DIRECTORY });
        if (strcmp(path, "dev/random") == 0)
                return files_new((Fd){ FD_RANDOM, .mode = S_IFCHR, .minor = MINOR_RANDOM });
        if (strcmp(path, "dev/hwrng") == 0 && platform->hwrng != HWRNG_NONE)
                return files_new((Fd){
                        FD_NODE,
                        .mode = S_IFCHR,
                        .major = MISC_MAJOR,
                        .minor = MINOR_HWRNG,
                });
        if (strcmp(path, &FILES_PIPE[1]) == 0 && platform->pipe_exists)
                return files_new(
                        (Fd){ FD_NODE, .mode = platform->pipe_is_file ? S_IFREG : S_IFIFO });
        if (strcmp(path, "dev/kmsg") == 0)
                return files_new((Fd){ .kind = FD_LOG });
        if (strcmp(path, "sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw") == 0 &&
            platform->has_generation && platform->readable)
                return files_new((Fd){ .kind = FD_GENERATION });
        return fail(ENOENT);
}

static int open_path(int directory_fd, const char *path, int flags) {
        char text[TEXT_MAX];
        DiskChoice choice = resolve(directory_fd, path, &path);

        if (choice != DISK_NONE)
                return open_on_disk(choice, path, flags);
        if (files_text(path, text, sizeof(text)))
                return open_text(text);
        return open_special(path, flags);
}

int sim_open(const char *path, int flags, ...) {
        return open_path(AT_FDCWD, path, flags);
}

int sim_openat(int directory_fd, const char *path, int flags, ...) {
        return open_path(directory_fd, path, flags);
}

int sim_close(int fd) {
        Fd *target = files_get(fd);

        if (!target)
                return fd >= 0 && fd < FD_FIRST ? close(fd) : fail(EBADF);
        target->kind = FD_FREE;
        return 0;
}

/* ---- reading and writing ---- */

static ssize_t take(Fd *fd, const void *bytes, size_t length, void *buffer, size_t n) {
        size_t left = length - (fd->at < length ? fd->at : length);

        n = n < left ? n : left;
        if (n > 0)
                memcpy(buffer, (const uint8_t *)bytes + fd->at, n);
        fd->at += n;
        return (ssize_t)n;
}

ssize_t sim_read(int fd, void *buffer, size_t n) {
        Fd *source = files_get(fd);
        const DiskFile *file;

        if (!source)
                return fail(EBADF);
        switch (source->kind) {
        case FD_TEXT:
                return take(source, source->text, source->n_text, buffer, n);
        case FD_FILE:
                file = &machine_disk(machine_now, source->disk)->files[source->file];
                return take(source, file->bytes, file->n_bytes, buffer, n);
        case FD_LOG:
                return files_read_log(source, buffer, n);
        case FD_CLOCK:
                if (!machine_now->daemon.clock_set)
                        return fail(EAGAIN);
                machine_now->daemon.clock_set = false;
                return fail(ECANCELED);
        case FD_FREE:
        case FD_DIRECTORY:
        case FD_NODE:
        case FD_GENERATION:
        case FD_RANDOM:
        case FD_WORKER:
        case FD_PLUG:
        default:
                return fail(EINVAL);
        }
}

/* Where QEMU puts it: behind what is for the firmware. */
ssize_t sim_pread(int fd, void *buffer, size_t n, off_t offset) {
        const Platform *platform = &machine_now->platform;
        Fd *source = files_get(fd);
        Fd text;

        if (!source)
                return fail(EBADF);
        if (source->kind == FD_TEXT) {
                text = *source;
                text.at = (size_t)offset;
                return take(&text, text.text, text.n_text, buffer, n);
        }
        if (source->kind != FD_GENERATION || n > sizeof(platform->generation))
                return fail(EINVAL);
        memcpy(buffer, platform->generation, n);
        return (ssize_t)n;
}

ssize_t sim_write(int fd, const void *buffer, size_t n) {
        Fd *target = files_get(fd);

        if (!target)
                return fail(EBADF);
        if (target->kind != FD_FILE)
                return (ssize_t)n;
        if (!target->writes)
                return fail(EBADF);
        if (!machine_call(machine_now))
                return fail(EIO);
        /* Two halves of what is long: a cut can leave one. */
        n = n > 300 ? n / 2 : n;
        disk_append(machine_disk(machine_now, target->disk), target->file, buffer, n);
        return (ssize_t)n;
}

off_t sim_lseek(int fd, off_t offset, int whence) {
        Fd *target = files_get(fd);

        if (target && target->kind == FD_LOG && whence == SEEK_END) {
                target->next_line = machine_now->kernel.n_lines;
                return 0;
        }
        if (!target || whence != SEEK_SET)
                return fail(EINVAL);
        target->at = (size_t)offset;
        return offset;
}

int sim_fsync(int fd) {
        Fd *target = files_get(fd);
        Disk *disk;

        if (!target)
                return fail(EBADF);
        if (!machine_call(machine_now))
                return fail(EIO);
        if (target->disk == DISK_NONE)
                return 0;
        /* It says that it did; but nothing reached the server's disk. */
        if (target->disk == DISK_STATE && machine_now->image.var_kind == VAR_NETWORK)
                return 0;
        disk = machine_disk(machine_now, target->disk);
        if (target->kind == FD_FILE)
                disk_sync_file(disk, target->file);
        else
                disk_sync_names(disk);
        return 0;
}

/* ---- names ---- */

static void note_rename(DiskChoice choice, const char *to) {
        Image *image = &machine_now->image;
        const Platform *platform = &machine_now->platform;

        if (choice != DISK_STATE || strcmp(to, "seen") != 0)
                return;
        image->seen_exists = true;
        image->seen_generation_known = platform->has_generation && platform->readable;
        memcpy(image->seen_generation, platform->generation, sizeof(image->seen_generation));
}

int sim_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        DiskChoice choice = resolve(from_fd, from, &from);
        int r;

        if (choice == DISK_NONE || resolve(to_fd, to, &to) != choice)
                return fail(EXDEV);
        if (is_read_only(choice))
                return fail(EROFS);
        if (!machine_call(machine_now))
                return fail(EIO);
        r = disk_rename(machine_disk(machine_now, choice), from, to);
        if (r < 0)
                return fail(-r);
        note_rename(choice, to);
        return 0;
}

int sim_unlinkat(int directory_fd, const char *path, int flags) {
        DiskChoice choice = resolve(directory_fd, path, &path);
        int r;

        if (choice == DISK_NONE)
                return fail(ENOENT);
        if (is_read_only(choice))
                return fail(EROFS);
        if (!machine_call(machine_now))
                return fail(EIO);
        r = disk_unlink(machine_disk(machine_now, choice), path);
        return r < 0 ? fail(-r) : 0;
}

int sim_mkdir(const char *path, mode_t mode) {
        DiskChoice choice = resolve(AT_FDCWD, path, &path);
        Disk *disk = machine_disk(machine_now, choice);

        if (choice == DISK_NONE || *path || disk_exists(disk))
                return fail(EEXIST);
        if (is_read_only(choice))
                return fail(EROFS);
        if (!machine_call(machine_now))
                return fail(EIO);
        disk_make(disk);
        return 0;
}

/* ---- what is known of them ---- */

int sim_faccessat(int directory_fd, const char *path, int mode, int flags) {
        const char *name;
        char text[TEXT_MAX];
        DiskChoice choice = resolve(directory_fd, path, &name);
        int fd;

        if (choice != DISK_NONE && *name)
                return disk_find(machine_disk(machine_now, choice), name) < 0 ? fail(ENOENT) : 0;
        if (files_text(name, text, sizeof(text)))
                return 0;
        fd = open_special(name, 0);
        return fd < 0 ? -1 : sim_close(fd);
}

int sim_fstat(int fd, struct stat *status) {
        const Fd *target = files_get(fd);

        if (!target)
                return fail(EBADF);
        *status = (struct stat){ .st_mode = S_IFREG | 0600, .st_dev = 1, .st_nlink = 1 };
        if (target->kind == FD_DIRECTORY)
                status->st_mode = S_IFDIR | 0700;
        else if (target->kind == FD_FILE) {
                status->st_size =
                        (off_t)machine_disk(machine_now, target->disk)->files[target->file].n_bytes;
                status->st_ino = (ino_t)target->file + 1;
        } else if (target->kind == FD_NODE || target->kind == FD_RANDOM) {
                status->st_mode = target->mode | 0600;
                status->st_rdev = makedev(target->major, target->minor);
        }
        return 0;
}

int sim_fstatat(int directory_fd, const char *path, struct stat *status, int flags) {
        int fd = open_path(directory_fd, path, O_PATH), r;

        if (fd < 0)
                return -1;
        r = sim_fstat(fd, status);
        (void)sim_close(fd);
        return r;
}

int sim_fstatfs(int fd, struct statfs *status) {
        static const long kinds[_VAR_KIND_MAX] = {
                [VAR_DISK] = EXT4,         [VAR_TMPFS] = TMPFS_MAGIC,       [VAR_READ_ONLY] = EXT4,
                [VAR_OVERLAY] = OVERLAYFS, [VAR_NETWORK] = NFS_SUPER_MAGIC,
        };
        const Fd *target = files_get(fd);

        if (!target)
                return fail(EBADF);
        *status = (struct statfs){ .f_type = EXT4 };
        if (target->disk == DISK_STATE)
                status->f_type = kinds[machine_now->image.var_kind];
        else if (target->disk == DISK_RUN)
                status->f_type = TMPFS_MAGIC;
        return 0;
}

/* The wall clock is set once in a while; else the timer never expires. */
int sim_timerfd_create(int clock, int flags) {
        return files_new((Fd){ .kind = FD_CLOCK });
}

int sim_timerfd_settime(
        int fd,
        int flags,
        const struct itimerspec *value,
        struct itimerspec *ret_before) {
        return files_get(fd) ? 0 : fail(EBADF);
}

int sim_flock(int fd, int operation) {
        return 0;
}

int sim_fchmod(int fd, mode_t mode) {
        return 0;
}
