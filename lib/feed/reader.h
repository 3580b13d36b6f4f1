/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One source as a program sees it: what it is now, whether it can be asked, its worker, its health, its
 * back-off, and how much of what it gives may be older than a copy of this machine. A reader decides
 * nothing about when bytes are needed, knows no event loop, and takes the time as an argument
 * (CLOCK_BOOTTIME). What it reports it returns; the reason of a failure is in reader->failure.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/feed/feeder.h"
#include "lib/feed/worker.h"
#include "lib/policy/backoff.h"
#include "lib/policy/health.h"

#define READER_FAILURE_MAX COUNTERS_ERROR_MAX

typedef enum ReaderState {
        READER_DISABLED,
        READER_ABSENT,  /* no device: looked for again at each trigger */
        READER_IDLE,    /* can be asked */
        READER_ASKED,   /* its worker owes an answer */
        READER_WAITING, /* failed: not before retry_usec */
        READER_RETIRED, /* permanent health failure: until another device is there */
        _READER_STATE_MAX,
} ReaderState;

/* What its owner decided. What it points to is the owner's. */
typedef struct ReaderSettings {
        bool enabled;
        CreditTrust trust;
        uint32_t credit_override_per_1024; /* or CREDIT_OVERRIDE_NONE */
        SourceConfig config;
        uid_t uid; /* of its worker */
        gid_t gid;
        uint64_t timeout_usec; /* of one request */
} ReaderSettings;

typedef struct Reader {
        SourceId id;
        ReaderSettings settings;
        const RootDir *root; /* not owned, nor is the next */
        WorkerNews *news;    /* or NULL */
        bool confidential;   /* this is a confidential guest */

        ReaderState state;
        SourceProbe probe; /* what it was when it was last looked at */
        Worker worker;
        /* The socket of its worker is about to be closed, and is not to be watched any more; or NULL. */
        void (*before_close)(void *userdata, SourceId id);
        void *userdata;
        uint64_t deadline_usec; /* while asked */
        uint64_t retry_usec;    /* while waiting */
        uint64_t failed_usec;   /* since when it waits */
        uint32_t n_late;        /* deadlines that its present request has missed */
        uint64_t answered_usec; /* when it last gave bytes; 0: never */
        uint32_t wanted_bytes;  /* of the present request, beside those to be passed over */
        Backoff backoff;
        Health health;
        uint32_t health_per_1024; /* the claim that health was started with */

        uint32_t stale_bytes; /* still to be passed over before anything is credited */
        bool drain;           /* before the next request */

        uint64_t file_offset; /* of a regular file: where to go on */
        dev_t opened_device;  /* of a file, to see when its path names another one */
        ino_t opened_inode;
        bool told_stale; /* that what it gives is not credited since its writer may have made it ahead */
        bool not_offered; /* only opening it could show that: not looked for again until a reload */
        /* With READER_E_FAILED: of the source; -ESTALE: another one answered; 0: it was not the source
         * that failed. */
        int error;
        char failure[READER_FAILURE_MAX];
} Reader;

/* What a request or an answer came to. */
enum {
        READER_E_ASKED = 1, /* an answer will come; or it is not there yet */
        READER_E_AGAIN,     /* nothing: ask again, without a failure (slow, or changed meanwhile) */
        READER_E_FAILED,    /* no bytes; reader->state and reader->failure say more */
};

void reader_init(Reader *reader, SourceId id, const RootDir *root, bool confidential);

/* With new settings: what it did wrong under the old ones no longer counts. */
void reader_configure(Reader *reader, const ReaderSettings *settings);

/* Looks whether its device is there, and whether it is another one than before. */
void reader_probe(Reader *reader);

/* Its device was unplugged: what it did wrong before no longer counts. */
void reader_forget(Reader *reader);

/* What waits in buffers may be from before a copy of this machine was made: none of it is credited. */
void reader_expect_stale(Reader *reader);

/*
 * Asks for n_bytes that can be credited, and for those that must be passed over before. 0: the batch
 * is here (a source that does not block); READER_E_ASKED, READER_E_AGAIN, READER_E_FAILED.
 */
_must_check_ int reader_ask(Reader *reader, uint32_t n_bytes, Batch *batch, uint64_t now_usec);

/* The worker's socket is readable. 0: the batch is here; READER_E_... */
_must_check_ int reader_receive(Reader *reader, Batch *batch, uint64_t now_usec);

/* The deadline passed without an answer: the worker is killed. Always READER_E_FAILED. */
int reader_late(Reader *reader, uint64_t now_usec);

/* A child of this process ended. 0: not this one's, or nothing was lost; READER_E_FAILED. */
_must_check_ int reader_reaped(Reader *reader, pid_t pid, uint64_t now_usec);

/* What feeder_feed() said of its last batch (0, FEED_E_... or negative). */
void reader_judged(Reader *reader, int fed, uint64_t now_usec);

/* Ends its worker, whose pid it returns to whoever waits for it; 0: there was none. */
pid_t reader_stop(Reader *reader);

/* For the credit decision: of its source, and of one batch of it. */
CreditInput reader_credit_input(const Reader *reader);
CreditInput reader_credit_input_of(const Reader *reader, const Batch *batch);

/* Whether it could give something, now or after a back-off. */
bool reader_is_usable(const Reader *reader);

/* Whether asking it would load kernel modules that no administrator has called for. */
bool reader_must_load(const Reader *reader);

const char *reader_state_to_string(ReaderState state);

/* What the source is right now: "virtio_rng.0", "RDSEED", "/path"; never NULL. */
const char *reader_detail(const Reader *reader);
