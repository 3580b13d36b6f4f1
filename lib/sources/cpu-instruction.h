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

        /* One word. False if the CPU has none now. */
        bool (*read)(uint64_t *ret_word);

        unsigned int tries; /* a working CPU never fails so often in a row */
} CpuInstruction;

static inline bool cpu_instruction_read(const CpuInstruction *instruction, uint64_t *ret_word) {
        unsigned int n = 0;
        bool done;

        do
                done = instruction->read(ret_word);
        while (!done && ++n < instruction->tries);
        return done;
}

/* Detected at run time; NULL where this CPU has none. */
const CpuInstruction *cpu_instruction(void);
