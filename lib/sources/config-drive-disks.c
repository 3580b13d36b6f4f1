/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/sources/config-drive-disks.h"

#define SYSFS "sys/class/block"

static const char *const labels[] = { "config-2", "CONFIG-2" };

bool config_drive_is_label(const char *label) {
        for (size_t i = 0; i < ELEMENTSOF(labels); i++)
                if (strcmp(label, labels[i]) == 0)
                        return true;
        return false;
}

static void add(ConfigDriveDisks *disks, const char *name) {
        size_t length = strlen(name);

        if (disks->n >= CONFIG_DRIVE_DISKS_MAX || length >= CONFIG_DRIVE_NAME_MAX)
                return;
        memcpy(disks->names[disks->n++], name, length + 1);
}

/* No medium; memory; a floppy drive, which would be listened to for seconds. */
static bool is_out_of_question(const RootDir *root, const char *name) {
        char path[128], size[32];

        if (name[0] == '.' || strncmp(name, "ram", 3) == 0 || strncmp(name, "zram", 4) == 0 ||
            strncmp(name, "fd", 2) == 0)
                return true;
        (void)snprintf(path, sizeof(path), SYSFS "/%.64s/size", name);
        return rootdir_read_text(root, path, size, sizeof(size)) < 0 || strcmp(size, "0") == 0;
}

/* Then its label is in by-label, if it has one. */
static bool udev_knows(const RootDir *root, const char *name) {
        char path[128], number[32];

        (void)snprintf(path, sizeof(path), SYSFS "/%.64s/dev", name);
        if (rootdir_read_text(root, path, number, sizeof(number)) < 0)
                return false;
        (void)snprintf(path, sizeof(path), "run/udev/data/b%s", number);
        return faccessat(root->fd, path, F_OK, 0) == 0;
}

void config_drive_find_disks(const RootDir *root, ConfigDriveDisks *ret_disks) {
        struct dirent *entry;
        DIR *folder;
        int fd;

        ret_disks->n = 0;
        for (size_t i = 0; i < ELEMENTSOF(labels); i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "dev/disk/by-label/%s", labels[i]);
                if (faccessat(root->fd, path, F_OK, 0) == 0)
                        add(ret_disks, path + strlen("dev/"));
        }

        fd = rootdir_open_file(root, SYSFS, O_RDONLY | O_DIRECTORY);
        folder = fd < 0 ? NULL : fdopendir(fd);
        if (!folder) {
                cleanup_close(&fd);
                return;
        }
        while (ret_disks->n < CONFIG_DRIVE_DISKS_MAX && (entry = readdir(folder)))
                if (!is_out_of_question(root, entry->d_name) && !udev_knows(root, entry->d_name))
                        add(ret_disks, entry->d_name);
        (void)closedir(folder);
}
