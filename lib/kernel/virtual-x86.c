/* SPDX-License-Identifier: MIT */
#include <cpuid.h>

#include "lib/kernel/virtual.h"

/* CPUID leaf 1, ECX bit 31: never set by hardware, and by agreement set by each hypervisor. */
VirtualCpu virtual_cpu(void) {
        unsigned int eax, ebx, ecx, edx;

        if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
                return VIRTUAL_CPU_UNKNOWN;
        return ecx >> 31 ? VIRTUAL_CPU_YES : VIRTUAL_CPU_NO;
}
