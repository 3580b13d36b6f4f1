/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a config drive may be: nova labels it "config-2", and mkfs.vfat may make capitals of it. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

#define CONFIG_DRIVE_DISKS_MAX 64U
#define CONFIG_DRIVE_NAME_MAX  40U

typedef struct ConfigDriveDisks {
        char names[CONFIG_DRIVE_DISKS_MAX][CONFIG_DRIVE_NAME_MAX]; /* below dev/ */
        size_t n;
} ConfigDriveDisks;

/* Whether this is a config drive's label. */
bool config_drive_is_label(const char *label);

/*
 * The disks to look at: those that udev found to have the label, and, since udev may not be there or
 * may not have come to them yet, all that it has not looked at. Nothing is opened but sysfs.
 */
void config_drive_find_disks(const RootDir *root, ConfigDriveDisks *ret_disks);
