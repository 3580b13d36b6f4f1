/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "tests/lifetimes/sim-disk.h"

static DiskState *now(Disk *disk) {
        return &disk->states[disk->n_states - 1];
}

static const DiskState *seen(const Disk *disk) {
        return &disk->states[disk->n_states - 1];
}

void disk_init(Disk *disk) {
        *disk = (Disk){ .n_states = 1 };
}

/* A change of the names: one state more. When there is no room, the second one is forgotten. */
static DiskState *change(Disk *disk) {
        if (disk->n_states == DISK_STATES_MAX) {
                memmove(&disk->states[1],
                        &disk->states[2],
                        (DISK_STATES_MAX - 2) * sizeof(disk->states[0]));
                disk->n_states--;
        }
        disk->states[disk->n_states] = *seen(disk);
        disk->n_states++;
        return now(disk);
}

bool disk_exists(const Disk *disk) {
        return seen(disk)->exists;
}

void disk_make(Disk *disk) {
        change(disk)->exists = true;
}

static int index_of(const DiskState *state, const char *name) {
        for (size_t i = 0; i < state->n; i++)
                if (strcmp(state->names[i], name) == 0)
                        return (int)i;
        return -ENOENT;
}

int disk_find(const Disk *disk, const char *name) {
        int at = index_of(seen(disk), name);

        return at < 0 ? at : seen(disk)->files[at];
}

static bool is_named(const Disk *disk, size_t file) {
        for (size_t i = 0; i < disk->n_states; i++)
                for (size_t j = 0; j < disk->states[i].n; j++)
                        if (disk->states[i].files[j] == file)
                                return true;
        return false;
}

static int free_file(Disk *disk) {
        for (size_t i = 0; i < DISK_FILES_MAX; i++)
                if (!disk->files[i].used || !is_named(disk, i)) {
                        disk->files[i] = (DiskFile){ .used = true };
                        return (int)i;
                }
        return -ENOSPC;
}

static int add_name(DiskState *state, const char *name, int file) {
        if (state->n == DISK_NAMES_MAX || strlen(name) >= DISK_NAME_BYTES)
                return -ENOSPC;
        strcpy(state->names[state->n], name);
        state->files[state->n++] = (uint8_t)file;
        return 0;
}

static void drop_name(DiskState *state, int at) {
        state->n--;
        if ((size_t)at == state->n)
                return;
        memcpy(state->names[at], state->names[state->n], DISK_NAME_BYTES);
        state->files[at] = state->files[state->n];
}

int disk_create(Disk *disk, const char *name) {
        int file = free_file(disk);
        int r;

        if (file < 0)
                return file;
        r = add_name(change(disk), name, file);
        return r < 0 ? r : file;
}

int disk_rename(Disk *disk, const char *from, const char *to) {
        DiskState *state;
        int file, old;

        file = disk_find(disk, from);
        if (file < 0)
                return file;
        state = change(disk);
        drop_name(state, index_of(state, from));
        old = index_of(state, to);
        if (old >= 0)
                drop_name(state, old);
        return add_name(state, to, file);
}

int disk_unlink(Disk *disk, const char *name) {
        DiskState *state;

        if (disk_find(disk, name) < 0)
                return -ENOENT;
        state = change(disk);
        drop_name(state, index_of(state, name));
        return 0;
}

void disk_truncate(Disk *disk, int file) {
        disk->files[file].bytes = NULL;
        disk->files[file].n_bytes = 0;
        disk->files[file].synced = false;
}

void disk_append(Disk *disk, int file, const uint8_t *bytes, size_t n) {
        DiskFile *target = &disk->files[file];
        uint8_t *whole = arena_new(target->n_bytes + n);

        if (target->n_bytes > 0)
                memcpy(whole, target->bytes, target->n_bytes);
        memcpy(whole + target->n_bytes, bytes, n);
        target->bytes = whole;
        target->n_bytes += n;
        target->synced = false;
}

void disk_sync_file(Disk *disk, int file) {
        DiskFile *target = &disk->files[file];

        target->synced_bytes = target->bytes;
        target->n_synced_bytes = target->n_bytes;
        target->synced = true;
}

void disk_sync_names(Disk *disk) {
        disk->states[0] = *seen(disk);
        disk->n_states = 1;
}

void disk_sync_all(Disk *disk) {
        for (size_t i = 0; i < DISK_FILES_MAX; i++)
                disk_sync_file(disk, (int)i);
        disk_sync_names(disk);
}

static void cut_file(DiskFile *file, Chance *chance) {
        if (file->synced)
                return;
        switch (chance_below(chance, 3)) {
        case 0: /* it was written all the same */
                break;
        case 1: /* as it was at the last sync */
                file->bytes = file->synced_bytes;
                file->n_bytes = file->n_synced_bytes;
                break;
        default: /* a part of it */
                file->n_bytes = chance_below(chance, (uint32_t)file->n_bytes + 1);
                break;
        }
        file->synced_bytes = file->bytes;
        file->n_synced_bytes = file->n_bytes;
        file->synced = true;
}

void disk_cut(Disk *disk, Chance *chance) {
        size_t kept = chance_below(chance, (uint32_t)disk->n_states);

        disk->states[0] = disk->states[kept];
        disk->n_states = 1;
        for (size_t i = 0; i < DISK_FILES_MAX; i++)
                if (disk->files[i].used)
                        cut_file(&disk->files[i], chance);
}
