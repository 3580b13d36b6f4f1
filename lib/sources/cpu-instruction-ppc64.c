/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <sys/auxv.h>

#include "lib/sources/cpu-instruction.h"

/* Linux 4.9, arch/powerpc/include/uapi/asm/cputable.h */
#ifndef PPC_FEATURE2_DARN
#define PPC_FEATURE2_DARN 0x00200000UL
#endif

/* Power ISA 3.0B, darn: ten tries are recommended; all ones is the error value. */
#define DARN_ERROR UINT64_MAX

static bool read_darn(uint64_t *ret_word) {
        /* darn RT,1: 64 conditioned bits. By its encoding, since an assembler for POWER8 does not
         * know it: 31 << 26 | RT << 21 | L << 16 | 755 << 1. */
        register uint64_t result __asm__("r3");

        __asm__ volatile(".long 0x7c6105e6" : "=r"(result));
        *ret_word = result;
        return *ret_word != DARN_ERROR;
}

const CpuInstruction *cpu_instruction(void) {
        static const CpuInstruction darn = {
                .name = "DARN",
                .words_per_seed = 1,
                .read = read_darn,
                .tries = 10,
        };

        return getauxval(AT_HWCAP2) & PPC_FEATURE2_DARN ? &darn : NULL;
}
