/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether this guest's memory is hidden from its host: AMD SEV, SEV-ES and SEV-SNP, Hygon CSV, Intel
 * TDX, Hyper-V isolation (Azure), Arm CCA, IBM Secure Execution and PEF. Then the host is an attacker,
 * and bytes that it provides or sees are worth no credit. What cannot be told is taken for a yes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/rootdir.h"

bool confidential_guest(const RootDir *root);

/* The CPU's own word, one file per architecture. */
bool confidential_cpu(const RootDir *root);

typedef struct CpuidRegisters {
        uint32_t eax, ebx, ecx, edx;
} CpuidRegisters;

/* CPUID of a leaf, subleaf 0. */
typedef void (*CpuidFunction)(uint32_t leaf, void *userdata, CpuidRegisters *ret_registers);

/* What an x86 CPU answers means. AMD's status register is read at dev/cpu/0/msr below the root. */
bool confidential_cpuid(CpuidFunction cpuid, void *userdata, const RootDir *root);
