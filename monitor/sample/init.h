/* SPDX-License-Identifier: MIT */
#pragma once

/* The init that PID 1 becomes: which one, and that no two of them start each other for ever. */

#include <stdbool.h>

#include "monitor/sample/views.h"
#include "monitor/settings.h"

/* Whether this PID 1 is the machine's, and not a container's; true where nobody tells. */
bool init_is_machines(void);

/*
 * Executes entropy.init=, else the initramfs's own /init where rdinit= was given instead of it, else
 * what the kernel would try. A monitor that such an init has executed, in the same root, goes on
 * with the next one. Returns, with an exit status, only where there is none.
 */
int init_execute(const MonitorSettings *settings, const Views *views, char *argv[]);
