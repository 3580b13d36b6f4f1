/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When systemd took the boot for finished. Its library is loaded here and only here, by finish: as
 * the first process the program is what a boot waits for, and links nothing that it can do without.
 */

#include <stdint.h>

#include "lib/base/error.h"

/*
 * As CLOCK_MONOTONIC; waits so long at most. -EAGAIN if the boot is not finished by then, -ENOENT
 * where systemd is not the init, -ELIBACC without its library, or another error of sd-bus.
 */
_must_check_ int systemd_finished_usec(uint64_t wait_usec, uint64_t *ret_usec);
