/* SPDX-License-Identifier: MIT */
#pragma once

#include "lib/config/options.h"

/* All that can be set: the options of the command line and the keys of [rngd], for Settings. */
extern const ConfigOptions settings_table;
