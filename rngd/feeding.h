/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gets bytes from the sources to the kernel's RNG: the set of readers, the request that says whom to ask
 * next, and the feeder. Triggers come in; what is worth knowing goes out through the hooks that its owner
 * gave it. It adds sources of its own to the event loop.
 */

#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/feed/feeder.h"
#include "rngd/reader-set.h"
#include "rngd/request.h"
#include "rngd/settings/settings.h"

typedef struct FeedingHooks {
        /* Before an answer is taken: it may be from a life before a VM fork whose sign is there by now. */
        void (*look_for_fork)(void *userdata);
        /* Every source answered, failed or is not there: what came of the request by now. */
        void (*settled)(void *userdata, uint32_t fresh_bits, bool reseeded);
        /* The request is over: met, or given up. */
        void (*over)(void *userdata, bool no_source);
        /* The last source that worked is gone. */
        void (*no_source)(void *userdata);
        void *userdata;
} FeedingHooks;

typedef struct Feeding {
        FeedingHooks hooks;
        sd_event *event; /* not owned, nor are the next two */
        const KernelRandom *random;
        const Settings *settings;
        RandomModel model;
        uint32_t pool_bits;
        bool ready;
        bool kernel_jitter; /* it makes itself ready from its own when somebody waits */
        bool spared;        /* the last resort was left alone since its modules are not loaded */

        Counters counters;
        Feeder feeder;
        ReaderSet set;
        Request request;
        bool reseed[_SOURCE_LIVE_MAX]; /* after what was asked for */
        bool told_no_credit;
        int runtime_fd;               /* not owned; -1: not there */
        sd_event_source *next_source; /* when the request is to be looked at again */
        bool running;                 /* feeding_run() is at work: what it causes is seen there */
        uint64_t triggers[_TRIGGER_MAX]; /* how often each came */
} Feeding;

/* Without any effect outside. random, settings, event and root must outlive it. 0 or -ENOMEM. */
_must_check_ int feeding_init(
        Feeding *feeding,
        sd_event *event,
        const RootDir *root,
        KernelRandom *random,
        const Settings *settings,
        const FeedingHooks *hooks);

/* The runtime directory, if there is one; not owned. */
void feeding_set_runtime(Feeding *feeding, int runtime_fd);
void feeding_deinit(Feeding *feeding);

/* After the settings were read again. */
void feeding_take_settings(Feeding *feeding);

/* The kernel as it was found at the start. */
void feeding_set_kernel(Feeding *feeding, RandomModel model, uint32_t pool_bits, bool ready);

/* Something happened that calls for fresh bytes. */
void feeding_trigger(Feeding *feeding, Trigger trigger);

/* The sources changed: asks those that the present request has not asked yet. */
void feeding_run(Feeding *feeding);

/* Whether any source could deliver, but for a last resort that is left alone for now. */
bool feeding_uses_source(const Feeding *feeding);

/* Looks whether the kernel's RNG became ready, and logs it once. */
void feeding_note_ready(Feeding *feeding);
