/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "lib/sources/cpu-instruction.h"

const CpuInstruction *cpu_instruction(void) {
        return NULL;
}
