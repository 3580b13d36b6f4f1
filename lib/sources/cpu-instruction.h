/* SPDX-License-Identifier: MIT */
#pragma once

/* The random number instruction of this CPU, one file per architecture. */

#include <stdbool.h>
#include <stdint.h>

typedef struct CpuInstruction {
        const char *name;

        /* Words that make one: above 1 where the instruction gives the output of a generator that
         * reseeds itself only now and then, and only a hash over that many holds a full seed. */
        uint32_t words_per_seed;

        /* One word. False if the CPU has none now, after a bounded number of tries. */
        bool (*read)(uint64_t *ret_word);
} CpuInstruction;

/* Detected at run time; NULL where this CPU has none. */
const CpuInstruction *cpu_instruction(void);
