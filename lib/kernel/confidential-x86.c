/* SPDX-License-Identifier: MIT */
#include <cpuid.h>
#include <string.h>

#include "lib/kernel/confidential.h"

bool confidential_cpu(void) {
        /* Intel TDX Module 1.0 specification, CPUID leaf 0x21: EBX, EDX, ECX. */
        static const char tdx[] = "IntelTDX    ";
        unsigned int eax, ebx, ecx, edx;
        char signature[12];

        if (!__get_cpuid_count(0x21, 0, &eax, &ebx, &ecx, &edx))
                return false;
        memcpy(signature, &ebx, 4);
        memcpy(signature + 4, &edx, 4);
        memcpy(signature + 8, &ecx, 4);
        return memcmp(signature, tdx, sizeof(signature)) == 0;
}
