/* SPDX-License-Identifier: MIT */
#pragma once

/* Chooses the init that PID 1 becomes, and keeps two of them from executing each other forever. */

#include <stdbool.h>

#include "monitor/sample/views.h"
#include "monitor/settings.h"

/* Whether this PID 1 is the machine's and not a container's. True if unknown. */
bool init_is_machines(void);

/*
 * Executes entropy.init=, else the initramfs's own /init if rdinit= replaced it, else what the
 * kernel would try. A monitor that was executed by such an init, in the same root, continues with
 * the next one. Returns, with an exit status, only if there is none.
 */
int init_execute(const MonitorSettings *settings, const Views *views, char *argv[]);
