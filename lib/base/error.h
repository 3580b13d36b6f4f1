/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two bands of errors. A function that can fail returns int:
 *
 *   0          success
 *   negative   an errno value, fatal for the caller's step: forward it unchanged
 *   positive   a MODULE_E_... code that the function's header documents: an expected outcome
 *              that the direct caller must handle and never forwards
 *
 * Out-parameters are last, named ret_..., and are written on success only, so that a caller's
 * safe default (no credit, no bytes) survives every failure.
 */

#include <errno.h>

#include "lib/base/cleanup.h"

/* The errno of the call that just failed, negative; never 0, even if a library forgot to set it. */
static inline int negative_errno(void) {
        int error = -errno;

        return error < 0 ? error : -EIO;
}
