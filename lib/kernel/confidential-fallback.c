/* SPDX-License-Identifier: MIT */
#include "lib/kernel/confidential.h"

bool confidential_cpu(void) {
        return false;
}
