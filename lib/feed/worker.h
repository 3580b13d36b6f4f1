/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A blocking source in a child process of its own, seen from the parent. The child opens what it
 * needs, gives up every privilege (lib/feed/worker-child.h) and answers requests over a
 * SOCK_SEQPACKET pair. The parent never waits for it: it polls the socket, kills a child that is
 * late, and believes nothing that it says beyond the bytes themselves.
 *
 * States: stopped --start--> idle --ask--> asked --receive--> idle; stop from any.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/feed/batch.h"
#include "lib/feed/worker-news.h"
#include "lib/sources/source.h"

typedef struct WorkerSpec {
        SourceId source;
        SourceConfig config;
        uid_t uid;
        gid_t gid;
        WorkerNews *news; /* outlives the worker; NULL: what it says is logged for debugging only */
} WorkerSpec;

typedef struct Worker {
        pid_t pid; /* 0: stopped */
        int pidfd; /* -1 before Linux 5.3 */
        int fd;    /* to be polled: readable when there is an answer */
        int stderr_fd;
        SourceId source;
        WorkerNews *news;
        uint32_t sequence;
        uint32_t asked_bytes; /* 0: nothing asked for */
        bool drain;           /* with the next request */
        uint64_t asked_usec;
} Worker;

#define WORKER_NULL \
        { .pidfd = -1, .fd = -1, .stderr_fd = -1 }

enum {
        WORKER_E_AGAIN = 1, /* no answer yet */
        WORKER_E_SOURCE,    /* the source failed: ret_batch is not written, *ret_error is why */
        WORKER_E_GARBAGE,   /* not an answer to what was asked: stop the worker */
        WORKER_E_GONE,      /* the child ended */
};

/*
 * Forks. The child's exit is reaped by whoever handles SIGCHLD. -EPERM if this process lacks a
 * capability without which there is no sandbox.
 */
_must_check_ int worker_start(Worker *worker, const WorkerSpec *spec);

/* Why worker_start() failed: the capability that is missing, else the errno in words. */
const char *worker_start_error_to_string(int error);

/*
 * Says what the child still has to say (WorkerNews) and kills it at once; nothing in it is worth a
 * goodbye. Returns its pid, or 0.
 */
pid_t worker_stop(Worker *worker);

/* Whoever has reaped the child says so before anything else: its pid may be another's from now on. */
void worker_reaped(Worker *worker);

/*
 * Asks for n_bytes (1..SOURCE_READ_MAX_BYTES). At the end of its time the source gives what it has, if
 * that is at least min_bytes; fewer stay with it for the next request, and the answer is -EINPROGRESS.
 * -EBUSY while an answer is outstanding, -EPIPE if the child is gone.
 */
_must_check_ int worker_ask(Worker *worker, uint32_t n_bytes, uint32_t min_bytes);

/* Lets the next request first drop what waits to be read (SourceOps.drain) and what was kept. */
void worker_drain(Worker *worker);

/*
 * Takes one answer into batch->secret and sets batch->length, asked_usec, origin and replay, which are
 * the worker's word: believed only where it lowers the credit. batch->label is set
 * with WORKER_E_SOURCE, too: which seed the error is about.
 */
_must_check_ int worker_receive(Worker *worker, Batch *batch, int *ret_error);
