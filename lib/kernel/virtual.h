/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether this machine may be a virtual one, whose disk and memory somebody can copy or set back. */

#include <stdbool.h>

#include "lib/base/rootdir.h"

typedef enum VirtualCpu {
        VIRTUAL_CPU_UNKNOWN, /* this architecture's has no word for it */
        VIRTUAL_CPU_YES,
        VIRTUAL_CPU_NO,
} VirtualCpu;

/* The CPU's own word, one file per architecture. */
VirtualCpu virtual_cpu(void);

/*
 * False only with a sign of real hardware: an x86 CPU that names no hypervisor, with a DMI that names no
 * known one; or a device tree that has none in it. With ACPI alone on another architecture, on s390,
 * or without /sys nothing can be told, which is a yes.
 */
bool virtual_machine_possible(const RootDir *root, VirtualCpu cpu);
