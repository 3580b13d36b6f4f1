/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "lib/kernel/vmgenid.h"

/* Where the GUID begins in the blob; what comes before is for the firmware. */
#define GUID_OFFSET 40

static void cleanup_closedir(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

/* A bound device shows as a symlink named after it; everything else there is a file or "module". */
static bool driver_is_bound(const RootDir *root, const char *path) {
        _cleanup_(cleanup_closedir) DIR *directory = NULL;
        struct dirent *entry;
        int fd;

        fd = rootdir_open_file(root, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return false;
        directory = fdopendir(fd);
        if (!directory) {
                (void)close(fd);
                return false;
        }

        while ((entry = readdir(directory)))
                if (entry->d_type == DT_LNK && strcmp(entry->d_name, "module") != 0)
                        return true;
        return false;
}

bool vmgenid_has_driver(const RootDir *root) {
        /* Platform since Linux 6.10, ACPI before. */
        return driver_is_bound(root, "sys/bus/platform/drivers/vmgenid") ||
               driver_is_bound(root, "sys/bus/acpi/drivers/vmgenid");
}

int vmgenid_open(const RootDir *root, int *ret_fd) {
        int fd = rootdir_open_file(
                root,
                "sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw",
                O_RDONLY);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

int vmgenid_read(int fd, Vmgenid *ret_vmgenid) {
        Vmgenid vmgenid;
        ssize_t n;

        n = pread(fd, vmgenid.guid, sizeof(vmgenid.guid), GUID_OFFSET);
        if (n < 0)
                return negative_errno();
        if ((size_t)n < sizeof(vmgenid.guid))
                return -EBADMSG;
        *ret_vmgenid = vmgenid;
        return 0;
}

bool vmgenid_equal(const Vmgenid *a, const Vmgenid *b) {
        return memcmp(a->guid, b->guid, sizeof(a->guid)) == 0;
}
