/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"
#include "lib/sources/config-drive-disks.h"
#include "lib/sources/openstack.h"
#include "lib/sources/seed.h"
#include "lib/sources/source-list.h"
#include "lib/sources/volume-label.h"

/* Nova writes ten; a name is a version or "latest". */
#define VERSIONS_MAX 64U
#define ENTRIES_MAX  1024U

/* Where whoever built the image may have put a copy for cloud-init. */
#define SEED_DIRECTORY "var/lib/cloud/seed/config_drive"

/* A document that may hold a seed, or a disk that cannot be used. */
typedef struct Document {
        int fd;
        int error;                    /* why there is no fd */
        char label[SOURCE_LABEL_MAX]; /* "vda:2018-08-27", "vda" */
        SeedOrigin origin;
} Document;

typedef struct ConfigDrive {
        Document documents[VERSIONS_MAX];
        size_t n_documents;
        size_t at;
        Secret *text;
} ConfigDrive;

static int config_drive_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        ConfigDriveDisks disks;

        probe->origin = openstack_is_platform(root) ? SEED_ORIGIN_PLATFORM : SEED_ORIGIN_UNKNOWN;
        config_drive_find_disks(root, &disks);
        if (disks.n > 0)
                source_set_detail(probe, "/dev/%s", disks.disks[0].name);
        else if (rootdir_exists(root, SEED_DIRECTORY "/openstack"))
                source_set_detail(probe, "/" SEED_DIRECTORY);
        else {
                source_set_detail(probe, "no disk labelled config-2");
                return -ENOENT;
        }
        return 0;
}

/*
 * Step by step, each without following a symbolic link and each a plain name from a directory: what is
 * opened is on the drive. (The same as openat2() with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, on
 * kernels that do not have it, too.) Not waiting for a FIFO that somebody put there.
 */
static int open_step(int directory_fd, const char *name, int flags) {
        int fd =
                openat(directory_fd,
                       name,
                       flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        return fd < 0 ? negative_errno() : fd;
}

static void add_document(
        ConfigDrive *drive,
        int openstack_fd,
        const char *version,
        const char *where,
        SeedOrigin origin) {
        _cleanup_close_ int directory_fd = -1, fd = -1;
        Document *document = &drive->documents[drive->n_documents];
        struct stat status;

        directory_fd = open_step(openstack_fd, version, O_DIRECTORY);
        if (directory_fd < 0)
                return;
        fd = open_step(directory_fd, "meta_data.json", 0);
        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return;

        (void)snprintf(document->label, sizeof(document->label), "%.20s:%.24s", where, version);
        document->fd = TAKE_FD(fd);
        document->origin = origin;
        drive->n_documents++;
}

/* Every version has a seed of its own: nova makes each document for itself. */
static void add_documents(ConfigDrive *drive, int root_fd, const char *where, SeedOrigin origin) {
        int fd = open_step(root_fd, "openstack", O_DIRECTORY);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!directory) {
                cleanup_close(&fd);
                return;
        }

        for (size_t i = 0; i < ENTRIES_MAX && drive->n_documents < VERSIONS_MAX; i++) {
                entry = readdir(directory);
                if (!entry)
                        break;
                if (entry->d_name[0] != '.')
                        add_document(drive, fd, entry->d_name, where, origin);
        }
        (void)closedir(directory);
}

/* Why a disk with the label is not used: one line in the report. */
static void add_refusal(ConfigDrive *drive, const char *name, int error) {
        Document *document = &drive->documents[drive->n_documents];

        if (drive->n_documents == VERSIONS_MAX)
                return;
        *document = (Document){ .fd = -1, .error = error };
        (void)snprintf(document->label, sizeof(document->label), "%.40s", name);
        drive->n_documents++;
}

static int read_label(const char *path, VolumeLabel *ret_label) {
        _cleanup_close_ int fd = -1;
        struct stat status;

        /* O_NONBLOCK: a drive without a medium is opened, too, and says so at the first read. */
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return negative_errno();
        if (!S_ISBLK(status.st_mode))
                return -ENOTBLK;
        return volume_label_read(fd, ret_label);
}

/* What nova makes; the more a file system can do the more it can do to the kernel. */
static bool may_be_mounted(const char *filesystem) {
        return filesystem &&
               (strcmp(filesystem, "iso9660") == 0 || strcmp(filesystem, "vfat") == 0);
}

/* Keeps the disks that have the label, and what file system each says to hold; NULL: another one. */
static size_t keep_labelled(
        const char *root,
        ConfigDriveDisks *disks,
        const char *filesystems[static CONFIG_DRIVE_DISKS_MAX]) {
        size_t n = 0;

        for (size_t i = 0; i < disks->n; i++) {
                char path[600];
                VolumeLabel label = {};

                (void)snprintf(path, sizeof(path), "%.500s/dev/%s", root, disks->disks[i].name);
                if (read_label(path, &label) < 0 || !config_drive_is_label(label.label)) {
                        if (!disks->disks[i].labelled)
                                continue;
                        label.filesystem = NULL;
                }
                filesystems[n] = may_be_mounted(label.filesystem) ? label.filesystem : NULL;
                disks->disks[n++] = disks->disks[i];
        }
        return disks->n = n;
}

/*
 * Mounted over /dev, which is there wherever a disk is, in the worker's own namespace; taken off
 * again at once, while the open files keep it alive.
 */
static int add_disk(
        ConfigDrive *drive,
        const char *root,
        const char *name,
        const char *filesystem,
        SeedOrigin origin) {
        const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
        _cleanup_close_ int fd = -1;
        char target[512], path[600];

        (void)snprintf(target, sizeof(target), "%.500s/dev", root);
        (void)snprintf(path, sizeof(path), "%s/%s", target, name);
        if (mount(path, target, filesystem, flags, NULL) < 0)
                return CONFIG_DRIVE_E_MOUNT;
        fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                add_documents(drive, fd, name, origin);
        (void)umount2(target, MNT_DETACH);
        return 0;
}

/*
 * Anybody can write the label on a disk, and a file system that harms the kernel behind it: nothing is
 * mounted unless the platform or the administrator says that there is a config drive. Which of two
 * disks is the platform's cannot be told, so neither has its word.
 */
static void add_disks(
        ConfigDrive *drive,
        const RootDir *root,
        const char *root_path,
        bool vouched_for) {
        const bool by_platform = openstack_is_platform(root);
        const char *filesystems[CONFIG_DRIVE_DISKS_MAX] = {};
        SeedOrigin origin = SEED_ORIGIN_UNKNOWN;
        ConfigDriveDisks disks;

        config_drive_find_disks(root, &disks);
        if (keep_labelled(root_path, &disks, filesystems) == 1 && by_platform)
                origin = SEED_ORIGIN_PLATFORM;
        for (size_t i = 0; i < disks.n; i++) {
                const char *name = disks.disks[i].name;
                int r = CONFIG_DRIVE_E_PLATFORM;

                if (by_platform || vouched_for)
                        r = filesystems[i]
                                    ? add_disk(drive, root_path, name, filesystems[i], origin)
                                    : CONFIG_DRIVE_E_FILESYSTEM;
                if (r < 0)
                        add_refusal(drive, name, r);
        }
}

static void add_seed_directory(ConfigDrive *drive, const RootDir *root) {
        _cleanup_close_ int fd = -1;

        fd = rootdir_open_file(root, SEED_DIRECTORY, O_PATH | O_DIRECTORY);
        if (fd >= 0)
                add_documents(drive, fd, "directory", SEED_ORIGIN_IMAGE);
}

static void config_drive_close(Source *source) {
        ConfigDrive *drive = source->state;

        if (!drive)
                return;
        for (size_t i = 0; i < drive->n_documents; i++)
                cleanup_close(&drive->documents[i].fd);
        (void)secret_free(drive->text);
        free(drive);
        source->state = NULL;
}

static int config_drive_open(Source *source) {
        const char *root_path = source->config.root ? source->config.root : "";
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        ConfigDrive *drive;
        int r;

        r = rootdir_open(*root_path ? root_path : "/", &root);
        if (r < 0)
                return r;
        drive = calloc(1, sizeof(*drive));
        if (!drive)
                return -ENOMEM;
        source->state = drive;
        r = secret_new(JSON_DOCUMENT_MAX_BYTES + 1, &drive->text);
        if (r < 0) {
                config_drive_close(source);
                return r;
        }

        /* First what is known of each clone: the same bytes on a disk are worth no more. */
        add_seed_directory(drive, &root);
        add_disks(drive, &root, root_path, source->config.vouched_for);
        if (drive->n_documents > 0)
                return 0;
        config_drive_close(source);
        return -ENOENT;
}

static int read_document(
        ConfigDrive *drive,
        Document *document,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        size_t length;
        int r;

        if (document->error < 0)
                return document->error;
        r = io_read_full(document->fd, drive->text->bytes, drive->text->size_bytes, &length);
        cleanup_close(&document->fd);
        if (r >= 0)
                r = seed_from_json(
                        (const char *)drive->text->bytes,
                        length,
                        SEED_OPENSTACK_KEY,
                        buffer,
                        size,
                        ret_length);
        secret_wipe(drive->text);
        return r;
}

static int config_drive_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        ConfigDrive *drive = source->state;
        int r;

        source->label[0] = '\0';
        while (drive->at < drive->n_documents) {
                Document *document = &drive->documents[drive->at++];

                source->origin = document->origin;
                r = read_document(drive, document, buffer, size, ret_length);
                if (r == SEED_E_ABSENT)
                        continue;
                memcpy(source->label, document->label, sizeof(source->label));
                return r;
        }
        return -ENODATA;
}

const SourceOps source_config_drive = {
        .name = "config-drive",
        .source_class = SOURCE_CLASS_STATIC_HOST,
        .blocking = true,
        .mounts = true,
        .seeds = true,
        .probe = config_drive_probe,
        .open = config_drive_open,
        .read = config_drive_read,
        .close = config_drive_close,
};
