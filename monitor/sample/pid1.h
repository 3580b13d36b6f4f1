/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The monitor as the first process (init= or rdinit=): a child samples, and PID 1 becomes the real
 * init at once. Whatever fails, the boot continues as if the monitor were not there.
 */

#include <stdbool.h>

#include "lib/base/error.h"

/* Returns, with an exit status, only if there is no init that can be executed: the kernel then
 * panics, as it does without a monitor. */
int pid1_main(int argc, char *argv[]);

/*
 * One sampler may wait for finish, which finds it by the name of a socket. False if another process
 * has taken the name; else this process keeps it until it exits.
 */
bool pid1_take_name(void);
