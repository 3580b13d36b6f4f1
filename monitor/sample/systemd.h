/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When systemd finished the boot. Its library is loaded only here, by finish: a boot waits for the
 * program when it is the first process, so it links no more than it needs.
 */

#include <stdint.h>

#include "lib/base/error.h"

/*
 * In CLOCK_MONOTONIC; waits at most wait_usec. -EAGAIN if the boot is not finished by then, -ENOENT
 * if systemd is not the init, -ELIBACC without its library, or another error of sd-bus.
 */
_must_check_ int systemd_finished_usec(uint64_t wait_usec, uint64_t *ret_usec);
