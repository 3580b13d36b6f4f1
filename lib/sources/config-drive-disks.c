/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/sources/config-drive-disks.h"

#define SYSFS             "sys/class/block"
#define UDEV_RECORD_BYTES 16384U
#define UDEV_LABEL        "E:ID_FS_LABEL="

static const char *const labels[] = { "config-2", "CONFIG-2" };

bool config_drive_is_label(const char *label) {
        for (size_t i = 0; i < ELEMENTSOF(labels); i++)
                if (strcmp(label, labels[i]) == 0)
                        return true;
        return false;
}

static bool has(const RootDir *root, const char *name, const char *attribute) {
        char path[128];

        (void)snprintf(path, sizeof(path), SYSFS "/%.64s/%s", name, attribute);
        return rootdir_exists(root, path);
}

/* A part of another disk, or no device behind it: loop, device mapper, RAID, memory. No medium. A
 * floppy drive would be listened to for seconds. */
static bool is_out_of_question(const RootDir *root, const char *name) {
        char path[128], size[32];

        if (name[0] == '.' || strncmp(name, "fd", 2) == 0 || has(root, name, "partition") ||
            !has(root, name, "device"))
                return true;
        (void)snprintf(path, sizeof(path), SYSFS "/%.64s/size", name);
        return rootdir_read_text(root, path, size, sizeof(size)) < 0 || strcmp(size, "0") == 0;
}

/* udev's record of a disk: -ENOENT where it has none yet. */
static int read_record(const RootDir *root, const char *name, char *text, size_t size) {
        char path[128], number[32];
        int r;

        (void)snprintf(path, sizeof(path), SYSFS "/%.64s/dev", name);
        r = rootdir_read_text(root, path, number, sizeof(number));
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "run/udev/data/b%s", number);
        return rootdir_read_text(root, path, text, size);
}

static bool record_has_label(char *text) {
        char *rest = text, *line;

        while ((line = strsep(&rest, "\n")))
                if (strncmp(line, UDEV_LABEL, strlen(UDEV_LABEL)) == 0 &&
                    config_drive_is_label(line + strlen(UDEV_LABEL)))
                        return true;
        return false;
}

static void consider(const RootDir *root, const char *name, ConfigDriveDisks *disks) {
        _cleanup_free_ char *record = malloc(UDEV_RECORD_BYTES);
        size_t length = strlen(name);
        bool known;

        if (!record || length >= CONFIG_DRIVE_NAME_MAX || is_out_of_question(root, name))
                return;
        known = read_record(root, name, record, UDEV_RECORD_BYTES) >= 0;
        if (known && !record_has_label(record))
                return;
        memcpy(disks->disks[disks->n].name, name, length + 1);
        disks->disks[disks->n++].labelled = known;
}

void config_drive_find_disks(const RootDir *root, ConfigDriveDisks *ret_disks) {
        struct dirent *entry;
        DIR *directory;
        int fd;

        ret_disks->n = 0;
        fd = rootdir_open_file(root, SYSFS, O_RDONLY | O_DIRECTORY);
        directory = fd < 0 ? NULL : fdopendir(fd);
        if (!directory) {
                cleanup_close(&fd);
                return;
        }
        while (ret_disks->n < CONFIG_DRIVE_DISKS_MAX && (entry = readdir(directory)))
                consider(root, entry->d_name, ret_disks);
        (void)closedir(directory);
}
