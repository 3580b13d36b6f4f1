/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <sys/auxv.h>

#include "lib/sources/cpu-instruction.h"

/* Linux 5.6, arch/arm64/include/uapi/asm/hwcap.h; older headers lack it. */
#ifndef HWCAP2_RNG
#define HWCAP2_RNG (1UL << 16)
#endif

/*
 * RNDRRS, not RNDR: it reseeds its generator before it answers (Arm ARM, D23.2.140). By its
 * encoding, since an assembler for plain Armv8.0 does not know the name. Failure sets PSTATE.Z.
 */
static bool read_rndrrs(uint64_t *ret_word) {
        uint32_t failed;

        __asm__ volatile("mrs %0, s3_3_c2_c4_1\n\tcset %w1, eq"
                         : "=r"(*ret_word), "=r"(failed)
                         :
                         : "cc");
        return !failed;
}

const CpuInstruction *cpu_instruction(void) {
        static const CpuInstruction rndrrs = {
                .name = "RNDRRS",
                .words_per_seed = 1,
                .read = read_rndrrs,
                .tries = 100,
        };

        return getauxval(AT_HWCAP2) & HWCAP2_RNG ? &rndrrs : NULL;
}
