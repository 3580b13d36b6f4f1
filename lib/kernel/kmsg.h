/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel log (/dev/kmsg; Documentation/ABI/testing/dev-kmsg): the one place where a mainline
 * kernel tells userspace that its RNG became ready or was reseeded after a VM fork. A line counts
 * only as a whole and as the kernel's own: what stands in a process's or a file's name is no event.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

/* CONSOLE_EXT_LOG_MAX of the kernel: no record is longer. */
#define KMSG_RECORD_MAX 8192U

typedef enum KmsgEvent {
        KMSG_EVENT_NONE,
        KMSG_EVENT_RNG_READY, /* "random: crng init done", and what older kernels say instead */
        KMSG_EVENT_VM_FORK,   /* "random: crng reseeded due to virtual machine fork", 5.18 */
        KMSG_EVENT_RESUME,    /* "random: crng reseeded on system resumption", 5.19 */
        KMSG_EVENT_FAST_INIT, /* "random: fast init done", 4.8 to 5.17 */
        KMSG_EVENT_UNINITIALIZED_READ, /* somebody read /dev/urandom before the RNG was ready */
        KMSG_EVENT_INIT_STARTED,       /* "Run /init as init process" */
        KMSG_EVENT_SEEDER,             /* a line of entropy-seeder */
        KMSG_EVENT_MONITOR,            /* a line of entropy-monitor */
} KmsgEvent;

#define KMSG_DETAIL_MAX 96U

typedef struct KmsgRecord {
        KmsgEvent event;
        uint64_t sequence;
        uint64_t at_usec; /* the kernel's log clock: within milliseconds of CLOCK_MONOTONIC */
        /* What the line says beyond its event, cut to fit: "trusting CPU's manufacturer", the
         * process that read /dev/urandom, init's path, the seeder's text. Empty for the others. */
        char detail[KMSG_DETAIL_MAX];
} KmsgRecord;

enum {
        KMSG_E_END = 1, /* no further record now */
        KMSG_E_LOST,    /* records were overwritten before they were read: go on reading */
};

/* From the oldest record on. -EPERM where dmesg_restrict and no CAP_SYSLOG. */
_must_check_ int kmsg_open(const RootDir *root, int *ret_fd);

/* One record. KMSG_E_END, KMSG_E_LOST, or -EBADMSG for what is not a record. */
_must_check_ int kmsg_read(int fd, KmsgRecord *ret_record);

/* The parser alone, over length bytes that need not end in zero. */
_must_check_ int kmsg_parse(const char *text, size_t length, KmsgRecord *ret_record);
