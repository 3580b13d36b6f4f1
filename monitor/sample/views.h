/* SPDX-License-Identifier: MIT */
#pragma once

/* The file systems that the sampler reads: proc, devtmpfs and sysfs, or private instances of
 * them. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct Views {
        int proc_fd; /* each -1 where there is none */
        int dev_fd;
        int sys_fd;
} Views;

#define VIEWS_NULL \
        { .proc_fd = -1, .dev_fd = -1, .sys_fd = -1 }

/*
 * own: instances that are mounted nowhere, for PID 1, before anything is mounted. If the kernel
 * refuses, /proc, /dev and /sys are used. Never fails: without a view less is recorded.
 */
void views_open(bool own, Views *ret_views);
void views_close(Views *views);

/* One line in the kernel log or on standard error. Errors are ignored: a boot does not depend on
 * it. */
void views_complain(const Views *views, const char *format, ...) _printf_(2, 3);
