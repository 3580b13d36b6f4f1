/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One machine: memory, disk and platform. Nothing in it points into another machine or into a
 * process, so that copying the struct takes a snapshot of all of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lifetimes/daemon.h"
#include "tests/lifetimes/sim-disk.h"
#include "tests/lifetimes/sim-kernel.h"
#include "tests/lifetimes/sim-platform.h"

enum {
        MACHINE_FDS_MAX = 48,
};

#define STATE_PATH "var/lib/guest-entropy"
#define RUN_PATH   "run/guest-entropy"

typedef enum VarKind {
        VAR_DISK,
        VAR_TMPFS,
        VAR_READ_ONLY,
        VAR_OVERLAY, /* of a live system: the upper layer is memory */
        VAR_NETWORK, /* a network file system that cannot promise to have synced */
        _VAR_KIND_MAX,
} VarKind;

/* Each credit that a disk has lived through; a copy shares what was before it. */
typedef struct Past Past;
struct Past {
        const Past *before;
        const void *credit;
};

/* What lies on a disk, and is copied with it. */
typedef struct Image {
        Disk var;
        VarKind var_kind;
        uint64_t machine_id; /* 0: not set, so the next boot is a first boot */
        LyingSeed seeds[2];
        size_t n_seeds;
        const Past *past;
        bool seen_exists;
        bool seen_generation_known; /* of the run that wrote the list of used seeds last */
        uint64_t seen_generation[2];
        bool copied; /* at any time: whether the others tell of themselves is another question */
        bool expects_credit; /* a seed was saved that the next boot of this machine can credit */
} Image;

typedef enum FdKind {
        FD_FREE,
        FD_DIRECTORY,
        FD_FILE,
        FD_TEXT,
        FD_NODE,
        FD_GENERATION,
        FD_RANDOM,
        FD_WORKER,
        FD_LOG,
        FD_CLOCK,
        FD_PLUG,
} FdKind;

typedef enum DiskChoice {
        DISK_NONE,
        DISK_STATE, /* /var/lib/guest-entropy, wherever that lies */
        DISK_RUN,
} DiskChoice;

typedef struct Fd {
        FdKind kind;
        DiskChoice disk; /* of a file, and of a directory that is one of the two */
        int file;
        bool writes;
        bool of_daemon;
        const char *text;
        size_t n_text, at;
        uint32_t mode, major, minor;
        uint64_t next_line;
} Fd;

struct Machine {
        bool present, on;
        bool first_boot;
        bool was_readable;  /* the generation ID, when it booted */
        bool initramfs;     /* its image has the seeder in it */
        bool told;          /* of a fork since the boot, by whatever way */
        uint64_t copied_at; /* its memory: when, as the witness counts; 0: never in this boot */
        uint64_t in_flight; /* platform_in_flight() then */
        bool slept;         /* the copy was made in a sleep, which rngd sees */
        uint64_t boot_generation[2];
        Kernel kernel;
        Platform platform;
        Image image;
        Disk memory_var; /* instead of the image's, where that does not last */
        Disk run;

        /* The power is cut at a call: what the program does from there on has no effect. */
        uint32_t calls_left; /* 0: no cut is planned */
        bool dead;

        Fd fds[MACHINE_FDS_MAX];

        /* What this boot's programs gave to the kernel: for the report. */
        size_t added_bytes;
        uint64_t credited_bits;

        Daemon daemon;
};

/* The machine that runs now. */
extern Machine *machine_now;

/* ---- what can happen to it ---- */

void machine_init(Machine *machine, uint64_t luck);

/* The programs run, and their reports are judged; cut_at: the power fails at that call, 0: it does
 * not. */
void machine_boot(Machine *machine, uint32_t cut_at);
void machine_run_seeder(Machine *machine, SourceId only, uint32_t cut_at);
void machine_save(Machine *machine, uint32_t cut_at);
void machine_shut_down(Machine *machine, uint32_t cut_at);
void machine_lose_power(Machine *machine);
void machine_soft_reboot(Machine *machine);

/* Its memory was, or may have been, copied. */
void machine_note_copy(Machine *machine, bool in_sleep);

/* Time passes; after 30 s with rngd and an honest source the kernel must be ready. */
void machine_wait(Machine *machine, uint64_t usec);
void machine_check_end(Machine *machine);

/* ---- for the simulation ---- */

/* Where /var/lib/guest-entropy is. */
Disk *machine_disk(Machine *machine, DiskChoice choice);

/* One call to the disk or to the kernel is made; false: the power is off by now. */
bool machine_call(Machine *machine);
