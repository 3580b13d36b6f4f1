/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a config drive may be: nova labels it "config-2", and mkfs.vfat may make capitals of it. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

#define CONFIG_DRIVE_DISKS_MAX 64U
#define CONFIG_DRIVE_NAME_MAX  40U

typedef struct ConfigDriveDisk {
        char name[CONFIG_DRIVE_NAME_MAX]; /* below dev/ */
        bool labelled;                    /* udev says so; else it has not looked at it yet */
} ConfigDriveDisk;

typedef struct ConfigDriveDisks {
        ConfigDriveDisk disks[CONFIG_DRIVE_DISKS_MAX];
        size_t n;
} ConfigDriveDisks;

/* What the source says of a disk that has the label and is not used. */
#define CONFIG_DRIVE_E_PLATFORM   (-EPERM) /* nothing shows that this is an OpenStack machine */
#define CONFIG_DRIVE_E_FILESYSTEM (-EMEDIUMTYPE) /* neither iso9660 nor vfat */
#define CONFIG_DRIVE_E_MOUNT      (-EUCLEAN)     /* the kernel refuses it, or lacks the module */

/* Whether this is a config drive's label. */
bool config_drive_is_label(const char *label);

/*
 * The disks to look at: those that udev found to have the label, and, since udev may not be there or
 * may not have come to them yet, all that it has not looked at. Only whole disks of a device, as a
 * platform attaches them: no partition, and nothing that is mapped from another disk, a file or
 * memory. Nothing is opened but sysfs and udev's database.
 */
void config_drive_find_disks(const RootDir *root, ConfigDriveDisks *ret_disks);
