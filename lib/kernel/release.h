/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

/* Whether the running kernel is older than MAJOR.MINOR, by a release such as "6.1.0-23-cloud-amd64":
 * 1 or 0, -EINVAL for a release of another form, or the error of reading it. */
_must_check_ int kernel_is_before(const RootDir *root, uint32_t major, uint32_t minor);
