/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Clock jumps, as a hint that this machine was suspended, restored or cloned: a cancelable timer
 * on the wall clock (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET) and the time spent suspended.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"

/* A timer that never expires and becomes readable when somebody sets the wall clock. */
_must_check_ int clock_jump_open(int *ret_fd);

/* Takes the event and arms the timer again; ret_jumped is false for a spurious wake-up. */
_must_check_ int clock_jump_receive(int fd, bool *ret_jumped);

/* CLOCK_BOOTTIME minus CLOCK_MONOTONIC: grows with each suspend, by its length. */
uint64_t clock_suspended_usec(void);
