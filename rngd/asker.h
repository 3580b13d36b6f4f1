/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One source as the daemon sees it: whether it can be asked now, its worker, its health, its
 * back-off. An asker decides nothing about when bytes are wanted (rngd/want.h does).
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/intake/worker.h"
#include "lib/policy/backoff.h"
#include "lib/policy/credit.h"
#include "lib/policy/health.h"
#include "lib/sources/source.h"

typedef struct Manager Manager;

typedef enum AskerState {
        ASKER_DISABLED,
        ASKER_ABSENT,  /* no device: a plug event brings it back */
        ASKER_IDLE,    /* can be asked */
        ASKER_ASKED,   /* its worker owes an answer */
        ASKER_WAITING, /* failed: not before retry_usec */
        ASKER_RETIRED, /* permanent health failure: until it is plugged in again */
        _ASKER_STATE_MAX,
} AskerState;

typedef struct Asker {
        Manager *manager;
        SourceId id;
        AskerState state;
        Worker worker;
        sd_event_source *answer_source;
        sd_event_source *deadline_source;
        uint64_t retry_usec; /* CLOCK_BOOTTIME, while waiting */
        Backoff backoff;
        Health health;
        uint32_t health_quality_per_1024; /* what health was started with */
        SourceLook look;                  /* what it was when it was last looked at */
        bool reseed;                      /* RNDRESEEDCRNG after what was asked for */
        uint32_t rounds;                  /* answers within the present need */
        uint64_t file_offset;
        dev_t opened_device; /* of a file, to see when its path names another one */
        ino_t opened_inode;
        bool not_offered; /* only opening it could tell: not looked for again until a reload */
} Asker;

void asker_init(Asker *asker, Manager *manager, SourceId id);
void asker_deinit(Asker *asker);

/* Looks whether its device is there: at the start, on a plug event, after a reload. */
void asker_look(Asker *asker);

/* It was unplugged: what it did wrong before no longer counts. */
void asker_forget(Asker *asker);

/* The settings changed. */
void asker_begin_again(Asker *asker);

/* Whether asker_ask() would ask. */
bool asker_can_be_asked(const Asker *asker, uint64_t now_usec);

/*
 * Asks for n_bytes. The answer arrives by want_batch() or want_failed(), for a source that does
 * not block before this returns.
 */
void asker_ask(Asker *asker, uint32_t n_bytes, bool after_fork);

/* What goes into the credit decision for its next batch. */
CreditInput asker_credit_input(const Asker *asker);

/* Its worker's process ended; true if this was its worker. */
bool asker_reaped(Asker *asker, pid_t pid, int status);

void asker_stop(Asker *asker);

/* It will not be asked again before a back-off (or a plug event, if retire). */
void asker_failed(Asker *asker, bool retire);
void asker_succeeded(Asker *asker);

const char *asker_state_to_string(AskerState state);

/* What the source is right now: "virtio_rng.0", "RDSEED", "/path"; never NULL. */
const char *asker_detail(const Asker *asker);
