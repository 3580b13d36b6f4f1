/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The readers of all sources, in the event loop: watches the sockets of their workers and the deadlines
 * of the answers that are owed, and follows devices that come and go. When bytes are needed, and what
 * becomes of them, is its owner's.
 */

#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/config/source-settings.h"
#include "lib/feed/reader.h"
#include "rngd/hwrng-choice.h"

typedef struct ReaderSetHooks {
        /* A worker has answered, and its answer is not taken yet. */
        void (*before_answer)(void *userdata);
        /* What asking a source came to. 0: set->batch holds its bytes; READER_E_FAILED. */
        void (*result)(void *userdata, Reader *reader, int r);
        /* Later than that, if nobody called for it: another source may have to be asked. */
        void (*changed)(void *userdata);
        void *userdata;
} ReaderSetHooks;

typedef struct ReaderSet {
        ReaderSetHooks hooks;
        sd_event *event; /* not owned */
        Batch batch;
        WorkerNews news;
        Reader readers[_SOURCE_LIVE_MAX];
        sd_event_source *answers[_SOURCE_LIVE_MAX];
        pid_t answer_pids[_SOURCE_LIVE_MAX]; /* of whose worker answers[] is */
        sd_event_source *deadline_source;    /* of the answers that are owed */
        HwrngChoice hwrng_choice;
        bool confidential; /* this is a confidential guest */
} ReaderSet;

/* Without any effect outside. event and root must outlive it. 0 or -ENOMEM. */
_must_check_ int reader_set_init(
        ReaderSet *set,
        sd_event *event,
        const RootDir *root,
        const ReaderSetHooks *hooks);

/* Ends all workers. */
void reader_set_deinit(ReaderSet *set);

/* A clean record for each source. */
void reader_set_configure(ReaderSet *set, const SourceSettings sources[static _SOURCE_LIVE_MAX]);

/* Looks at each source anew. True if one is there that was not, or another device in its place. */
bool reader_set_probe(ReaderSet *set);

/* The result may come before this returns, or later. */
void reader_set_ask(ReaderSet *set, SourceId id, uint32_t n_bytes);

/* A child of this process ended. */
void reader_set_reaped(ReaderSet *set, pid_t pid);

/* What waits in buffers may be from before a copy of this machine was made. */
void reader_set_expect_stale(ReaderSet *set);

/* A hardware RNG failed for good: to another one, unless the administrator chose it. */
void reader_set_leave_hwrng(ReaderSet *set);

/* A hardware RNG went: its name may stand for another one soon. */
void reader_set_forget_hwrng(ReaderSet *set);

/* Whether any source could deliver, now or after a back-off; whether one owes an answer. */
bool reader_set_is_usable(const ReaderSet *set);
bool reader_set_is_waiting(const ReaderSet *set);
