/* SPDX-License-Identifier: MIT */
#pragma once

/* Collects what status judges: the kernel, its log, the run reports, this boot's recording. */

#include "monitor/status/seeded.h"

/* Never fails: what cannot be read stays unknown. directory is where the documents are. */
void status_facts(const char *directory, SeededFacts *ret_facts);
