/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Processes that start, as the kernel announces them (netlink connector, linux/cn_proc.h): every
 * start, however short the process lives, without looking at /proc. In the initial pid and network
 * namespace only; CAP_NET_ADMIN before Linux 6.6.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

typedef enum ProcStartKind {
        PROC_START_FORK, /* a new process; threads are not told */
        PROC_START_EXEC,
} ProcStartKind;

typedef struct ProcStart {
        ProcStartKind kind;
        pid_t pid;
        uint64_t at_usec; /* CLOCK_MONOTONIC */
} ProcStart;

enum {
        PROC_CONNECTOR_E_END = 1, /* nothing more now */
        PROC_CONNECTOR_E_LOST,    /* the socket was full: some starts were not told */
        PROC_CONNECTOR_E_OTHER,   /* an event of another kind: go on */
};

_must_check_ int proc_connector_open(int *ret_fd);
_must_check_ int proc_connector_receive(int fd, ProcStart *ret_start);

/* The parser alone, over one datagram: PROC_CONNECTOR_E_OTHER for what is no start. */
_must_check_ int proc_connector_parse(const void *datagram, size_t length, ProcStart *ret_start);
