/* SPDX-License-Identifier: MIT */
#pragma once

/* The directories the sampler reads below: proc, devtmpfs and sysfs, this process's own where asked. */

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/error.h"

typedef struct Views {
        int proc_fd; /* each -1 where there is none */
        int dev_fd;
        int sys_fd;
} Views;

#define VIEWS_NULL \
        { .proc_fd = -1, .dev_fd = -1, .sys_fd = -1 }

/*
 * own: instances that are mounted nowhere, for PID 1, before anybody has mounted anything; what
 * the kernel refuses falls back to /proc, /dev and /sys. Never fails: without a view less is seen.
 */
void views_open(bool own, Views *ret_views);
void views_close(Views *views);

/* A file below proc; NULL where it cannot be read. */
FILE *views_open_proc(const Views *views, const char *path);

/* One line for people, in the kernel's log or on standard error: a boot does not depend on it. */
void views_complain(const Views *views, const char *format, ...) _printf_(2, 3);
