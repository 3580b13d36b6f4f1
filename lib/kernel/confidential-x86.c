/* SPDX-License-Identifier: MIT */
#include <cpuid.h>

#include "lib/kernel/confidential.h"

static void execute_cpuid(uint32_t leaf, void *userdata, CpuidRegisters *ret_registers) {
        __cpuid_count(
                leaf,
                0,
                ret_registers->eax,
                ret_registers->ebx,
                ret_registers->ecx,
                ret_registers->edx);
}

bool confidential_cpu(const RootDir *root) {
        return confidential_cpuid(execute_cpuid, NULL, root);
}
