/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/sources/volume-label.h"

#define ISO_DESCRIPTOR_AT 32768
#define ISO_LABEL_AT      40
#define ISO_LABEL_LENGTH  32

#define FAT_SECTOR_BYTES  512
#define FAT_LABEL_LENGTH  11
#define FAT_ENTRY_BYTES   32
#define FAT_ENTRIES_MAX   4096U
#define FAT_ATTRIBUTES_AT 11
#define FAT_LONG_NAME     0x0f
#define FAT_IS_LABEL      0x08
#define FAT_IS_DIRECTORY  0x10
#define FAT_DELETED       0xe5

#define EXT_SUPERBLOCK_AT 1024
#define EXT_MAGIC_AT      56
#define EXT_MAGIC         0xef53
#define EXT_LABEL_AT      120
#define EXT_LABEL_LENGTH  16

/* All of it, or -ENODATA where the disk is too small. */
static int read_at(int fd, uint64_t offset, uint8_t *buffer, size_t size) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = pread(fd, buffer + length, size - length, (off_t)(offset + length));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return -ENODATA;
                length += (size_t)n;
        }
        return 0;
}

static void take_label(const uint8_t *bytes, size_t length, VolumeLabel *label) {
        while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\0'))
                length--;
        memcpy(label->label, bytes, length);
        label->label[length] = '\0';
}

static int read_iso(int fd, VolumeLabel *label) {
        uint8_t descriptor[ISO_LABEL_AT + ISO_LABEL_LENGTH];
        int r;

        r = read_at(fd, ISO_DESCRIPTOR_AT, descriptor, sizeof(descriptor));
        if (r < 0)
                return r;
        if (memcmp(descriptor,
                   "\x01"
                   "CD001",
                   6) != 0)
                return -ENODATA;
        label->filesystem = "iso9660";
        take_label(descriptor + ISO_LABEL_AT, ISO_LABEL_LENGTH, label);
        return 0;
}

typedef struct FatRoot {
        uint64_t offset;
        uint32_t n_entries;
} FatRoot;

/* Of FAT32 only the first cluster: mkfs.vfat puts the label first. */
static FatRoot find_root(const uint8_t *boot, bool is_fat32) {
        uint64_t sector_bytes = read_le16(boot + 11), cluster_sectors = boot[13];
        uint64_t reserved = read_le16(boot + 14), n_fats = boot[16];
        uint64_t fat_sectors = is_fat32 ? read_le32(boot + 36) : read_le16(boot + 22);
        uint64_t root_sector = reserved + n_fats * fat_sectors;
        uint64_t n_entries = read_le16(boot + 17);

        if (is_fat32) {
                uint64_t cluster = read_le32(boot + 44);

                root_sector += cluster >= 2 ? (cluster - 2) * cluster_sectors : 0;
                n_entries = cluster_sectors * sector_bytes / FAT_ENTRY_BYTES;
        }
        return (FatRoot){
                .offset = root_sector * sector_bytes,
                .n_entries = (uint32_t)MIN(n_entries, FAT_ENTRIES_MAX),
        };
}

static void read_root_label(int fd, const FatRoot *root, VolumeLabel *label) {
        for (uint32_t i = 0; i < root->n_entries; i++) {
                uint8_t entry[FAT_ENTRY_BYTES], attributes;

                if (root->offset > INT64_MAX / 2 ||
                    read_at(fd, root->offset + (uint64_t)i * sizeof(entry), entry, sizeof(entry)) <
                            0 ||
                    entry[0] == '\0')
                        return;
                attributes = entry[FAT_ATTRIBUTES_AT];
                if (entry[0] == FAT_DELETED || attributes == FAT_LONG_NAME ||
                    (attributes & FAT_IS_DIRECTORY) || !(attributes & FAT_IS_LABEL))
                        continue;
                take_label(entry, FAT_LABEL_LENGTH, label);
                return;
        }
}

static int read_fat(int fd, VolumeLabel *label) {
        uint8_t boot[FAT_SECTOR_BYTES];
        bool is_fat32;
        FatRoot root;
        int r;

        r = read_at(fd, 0, boot, sizeof(boot));
        if (r < 0)
                return r;
        is_fat32 = memcmp(boot + 82, "FAT32", 5) == 0;
        if (boot[510] != 0x55 || boot[511] != 0xaa ||
            (!is_fat32 && memcmp(boot + 54, "FAT1", 4) != 0))
                return -ENODATA;

        label->filesystem = "vfat";
        take_label(boot + (is_fat32 ? 71 : 43), FAT_LABEL_LENGTH, label);
        root = find_root(boot, is_fat32);
        read_root_label(fd, &root, label);
        return 0;
}

/* linux, fs/ext4/ext4.h, struct ext4_super_block; ext2 and ext3 have the same. */
static int read_ext(int fd, VolumeLabel *label) {
        uint8_t superblock[EXT_LABEL_AT + EXT_LABEL_LENGTH];
        int r;

        r = read_at(fd, EXT_SUPERBLOCK_AT, superblock, sizeof(superblock));
        if (r < 0)
                return r;
        if (read_le16(superblock + EXT_MAGIC_AT) != EXT_MAGIC)
                return -ENODATA;
        label->filesystem = "ext4";
        take_label(superblock + EXT_LABEL_AT, EXT_LABEL_LENGTH, label);
        return 0;
}

int volume_label_read(int fd, VolumeLabel *ret_label) {
        VolumeLabel label = {};
        int r;

        r = read_iso(fd, &label);
        if (r == -ENODATA)
                r = read_fat(fd, &label);
        if (r == -ENODATA)
                r = read_ext(fd, &label);
        if (r < 0)
                return r;
        *ret_label = label;
        return 0;
}
