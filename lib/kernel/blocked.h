/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who waits for the kernel's RNG: looks through /proc for tasks that sleep in getrandom() or a
 * read of the random devices, and for the one that runs the kernel's jitter loop for all of them.
 * A sleeper shows in wchan. A task in the jitter loop runs, so wchan is 0 and only its stack tells
 * (CAP_SYS_ADMIN and CONFIG_STACKTRACE). Needs no memory of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define BLOCKED_NAME_MAX 16U /* TASK_COMM_LEN */

typedef enum BlockedHow {
        BLOCKED_NOT,
        BLOCKED_SLEEPS,
        BLOCKED_JITTER,
} BlockedHow;

typedef struct BlockedTask {
        pid_t pid; /* of the process */
        pid_t tid;
        BlockedHow how;
        char name[BLOCKED_NAME_MAX];
} BlockedTask;

/* proc_fd is the root of a proc filesystem. Calls found() for each such task; 0 or negative errno. */
_must_check_ int blocked_scan(
        int proc_fd,
        void (*found)(const BlockedTask *task, void *userdata),
        void *userdata);

/* The judgement alone, over the texts of /proc/PID/wchan and /proc/PID/stack. */
BlockedHow blocked_judge(const char *wchan, const char *stack);
