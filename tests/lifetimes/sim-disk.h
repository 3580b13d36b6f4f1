/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One directory of a file system, as far as a power cut is concerned: the bytes of a file last since
 * its own fsync(), its name since that of the directory. What was done to the names since then is
 * lost from some moment on, as a journal loses it. Copying the struct copies the disk.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lifetimes/chance.h"

enum {
        DISK_NAMES_MAX = 16,
        DISK_NAME_BYTES = 32,
        DISK_FILES_MAX = 64,
        DISK_STATES_MAX = 10,
};

typedef struct DiskFile {
        bool used, synced;
        const uint8_t *bytes, *synced_bytes;
        size_t n_bytes, n_synced_bytes;
} DiskFile;

/* What the names are at one moment. */
typedef struct DiskState {
        bool exists; /* the directory itself */
        size_t n;
        char names[DISK_NAMES_MAX][DISK_NAME_BYTES];
        uint8_t files[DISK_NAMES_MAX];
} DiskState;

typedef struct Disk {
        DiskState states[DISK_STATES_MAX]; /* the first one lasts, the last one is what is seen */
        size_t n_states;
        DiskFile files[DISK_FILES_MAX];
} Disk;

void disk_init(Disk *disk);
bool disk_exists(const Disk *disk);
void disk_make(Disk *disk);

/* An index, or -ENOENT, -ENOSPC. */
int disk_find(const Disk *disk, const char *name);
int disk_create(Disk *disk, const char *name);

/* 0, -ENOENT or -ENOSPC. */
int disk_rename(Disk *disk, const char *from, const char *to);
int disk_unlink(Disk *disk, const char *name);

void disk_truncate(Disk *disk, int file);
void disk_append(Disk *disk, int file, const uint8_t *bytes, size_t n);
void disk_sync_file(Disk *disk, int file);
void disk_sync_names(Disk *disk);
void disk_sync_all(Disk *disk);

/* What was not synced may be lost or not: chance decides. */
void disk_cut(Disk *disk, Chance *chance);
