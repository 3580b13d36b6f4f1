/* SPDX-License-Identifier: MIT */
#pragma once

/* Collects what status judges: the kernel, its log, the ledgers, this boot's recording. */

#include "monitor/seeded.h"

/* Never fails: what cannot be read stays unknown. folder is where the documents are. */
void status_facts(const char *folder, SeededFacts *ret_facts);
