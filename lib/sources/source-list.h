/* SPDX-License-Identifier: MIT */
#pragma once

/* Every source, one file each. */

#include "lib/sources/source.h"

extern const SourceOps source_hwrng;
extern const SourceOps source_cpu;
extern const SourceOps source_tpm;
extern const SourceOps source_egd;
extern const SourceOps source_metadata;
extern const SourceOps source_file;
extern const SourceOps source_exec;
extern const SourceOps source_jitter;
extern const SourceOps source_platform;
extern const SourceOps source_config_drive;
