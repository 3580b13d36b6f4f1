/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The monitor as the first process (init= or rdinit=): a child samples, and PID 1 becomes the real
 * init at once. Whatever fails here, the boot goes on as if the monitor were not there.
 */

#include <stdbool.h>

#include "lib/base/error.h"

/* Returns, with an exit status, only if there is no init that can be executed: the kernel then
 * panics, as it does without a monitor. */
int pid1_main(int argc, char *argv[]);

/*
 * One sampler per boot may wait for finish, which finds it by a socket's name. False if another
 * one has it; else this process keeps it as long as it lives.
 */
bool pid1_take_name(void);
