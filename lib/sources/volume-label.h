/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The label of an ISO 9660, FAT or ext2 to ext4 volume, for disks that no udev has looked at. ECMA-119, 8.4 (the
 * primary volume descriptor); Microsoft's FAT specification 1.03, 3 and 6 (the label in the root
 * directory is stronger than the one in the boot sector). Root may use it on a disk that anybody
 * wrote: it reads three sectors' worth of fixed fields and one directory, and writes two strings.
 */

#include "lib/base/error.h"

#define VOLUME_LABEL_MAX 33U

typedef struct VolumeLabel {
        const char *filesystem; /* as mount(2) wants it: "iso9660", "vfat" or "ext4" */
        char label[VOLUME_LABEL_MAX];
} VolumeLabel;

/* -ENODATA: none of the three. */
_must_check_ int volume_label_read(int fd, VolumeLabel *ret_label);
