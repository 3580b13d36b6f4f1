/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The RNG of one kernel: what was added, when it is ready, what it gives. Two copies of the struct
 * give the same bytes until something different is added, as two clones do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_LINES_MAX 32U

typedef enum KernelLine {
        KERNEL_LINE_NONE,
        KERNEL_LINE_FORK,
        KERNEL_LINE_RESUME,
        KERNEL_LINE_READY,
} KernelLine;

typedef struct Kernel {
        bool counting; /* a pool of 4096 bits; else one of 256 that latches */
        bool ready;
        bool forked; /* its driver told of a VM fork in this boot */
        uint32_t level_bits;
        uint64_t pool[4], crng[4], draws;
        uint64_t boot_id[2];
        uint64_t boottime_usec, suspended_usec;
        KernelLine lines[KERNEL_LINES_MAX]; /* of its log, as a ring */
        uint64_t line_usec[KERNEL_LINES_MAX];
        uint64_t n_lines;
} Kernel;

void kernel_boot(Kernel *kernel, bool counting, uint64_t luck);
void kernel_mix(Kernel *kernel, const uint8_t *bytes, size_t n);
void kernel_credit(Kernel *kernel, uint32_t bits);
void kernel_reseed(Kernel *kernel);
void kernel_draw(Kernel *kernel, uint8_t *bytes, size_t n);
void kernel_log(Kernel *kernel, KernelLine line);

/* Its driver saw another generation ID. */
void kernel_fork(Kernel *kernel, const uint64_t generation[static 2]);
