/* SPDX-License-Identifier: MIT */
#pragma once

/* What the paths of the settings really are. */

#include "rngd/settings/settings.h"

/*
 * Gives a path of -r to the source that it belongs to (hwrng is one device, all else is a file) and
 * refuses paths that can never be a source. 0, or -EINVAL after one line in the log.
 */
_must_check_ int devices_sort(Settings *settings);
