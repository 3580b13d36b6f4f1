/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether this guest's memory is hidden from its host (AMD SEV-SNP, Intel TDX): then the host is
 * an attacker, and bytes that it provides are worth no credit.
 */

#include <stdbool.h>

#include "lib/base/rootdir.h"

bool confidential_guest(const RootDir *root);

/* The CPU's own word, one file per architecture. */
bool confidential_cpu(void);
