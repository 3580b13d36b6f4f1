/* SPDX-License-Identifier: MIT */
#include "lib/kernel/virtual.h"

VirtualCpu virtual_cpu(void) {
        return VIRTUAL_CPU_UNKNOWN;
}
