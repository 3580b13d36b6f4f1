/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * --list, --test and --output: the same sources, workers and health tests as the daemon's, one
 * answer at a time and without the kernel's RNG. Each returns an exit status.
 */

#include "rngd/settings/settings.h"

int probe_list(const Settings *settings);
int probe_rates(const Settings *settings);
int probe_output(const Settings *settings);
