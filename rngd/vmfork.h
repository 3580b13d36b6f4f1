/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * This machine turned out to be a clone, or was restored from a snapshot: which signs are of one fork,
 * the number in the generation file, and the systemd target for others to hang on. Fresh bytes, the
 * reseed and the marks of seeds on disk are the caller's to see to.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "lib/base/error.h"

/* Who said so; two signs of one fork within seconds are one fork. */
typedef enum VmforkSign {
        VMFORK_SIGN_NONE,
        VMFORK_SIGN_KERNEL_LOG,
        VMFORK_SIGN_VMGENID, /* fw_cfg, where the kernel has no driver */
        VMFORK_SIGN_VMCLOCK,
} VmforkSign;

typedef struct Vmfork {
        uint64_t count;      /* since the start */
        uint64_t generation; /* of the file: also counts the forks of earlier runs in this boot */
        VmforkSign last_sign;
        uint64_t last_usec; /* CLOCK_BOOTTIME, as all times here */
        bool pending;       /* until fed and reseeded, or known that it cannot be */
        int runtime_fd;     /* not owned */
        sd_bus *bus;
} Vmfork;

#define VMFORK_NULL \
        { .runtime_fd = -1 }

/* Reads or creates the generation file. runtime_fd: -1 if there is no runtime directory. */
void vmfork_start(Vmfork *vmfork, int runtime_fd);

/* A sign was seen. True if it is of another fork than those before: answer it. */
bool vmfork_seen(Vmfork *vmfork, VmforkSign sign, uint64_t now_usec);

/* The answer: fed with fresh_bits and reseeded, or not. True if one was pending. */
bool vmfork_answered(Vmfork *vmfork, uint32_t fresh_bits, bool reseeded, uint64_t now_usec);

/* Asks systemd, where it runs, to start the target. Nothing waits for it. */
void vmfork_start_target(Vmfork *vmfork, sd_event *event);

void vmfork_deinit(Vmfork *vmfork);
