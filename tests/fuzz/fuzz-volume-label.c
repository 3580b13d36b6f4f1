/* SPDX-License-Identifier: MIT */
/* Any bytes as a disk: those of an even first byte are its beginning, of an odd one they begin where
 * ISO 9660 has its volume descriptor. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t *disk;
static size_t disk_length;
static uint64_t disk_at;

static ssize_t fuzz_pread(int fd, void *buffer, size_t size, off_t offset) {
        uint64_t at = (uint64_t)offset;
        size_t n;

        if (offset < 0)
                abort();
        if (at < disk_at) { /* zeroes before */
                n = disk_at - at < size ? (size_t)(disk_at - at) : size;
                memset(buffer, 0, n);
                return (ssize_t)n;
        }
        if (at - disk_at >= disk_length)
                return 0;
        n = disk_length - (size_t)(at - disk_at);
        n = n < size ? n : size;
        memcpy(buffer, disk + (at - disk_at), n);
        return (ssize_t)n;
}

#define pread fuzz_pread
#include "lib/sources/volume-label.c"
#undef pread

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VolumeLabel label = {};
        int r;

        if (size == 0)
                return 0;
        disk = data + 1;
        disk_length = size - 1;
        disk_at = data[0] % 2 ? ISO_DESCRIPTOR_AT : 0;
        r = volume_label_read(-1, &label);
        if (r == 0 ? !label.filesystem || strlen(label.label) >= VOLUME_LABEL_MAX
                   : r != -ENODATA || label.filesystem)
                abort();
        return 0;
}
