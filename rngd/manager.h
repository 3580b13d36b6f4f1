/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon: one event loop, and everything that hangs on it. manager_new() builds without any
 * effect outside, manager_start() arms, manager_free() undoes both in reverse.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/config/messages.h"
#include "lib/kernel/random.h"
#include "rngd/feeding.h"
#include "rngd/fork.h"
#include "rngd/settings.h"
#include "rngd/status.h"
#include "rngd/watch-kmsg.h"
#include "rngd/watch.h"

/* How to read the settings again, for SIGHUP. */
typedef struct ManagerArguments {
        int argc;
        char **argv;
} ManagerArguments;

typedef struct Manager Manager;

struct Manager {
        Settings settings;
        ManagerArguments arguments;
        RootDir root;
        char *runtime_directory; /* /run/guest-entropy, or what systemd made for us */
        int runtime_fd;          /* -1 where it could not be made */
        sd_event *event;

        KernelRandom random;
        uint64_t ready_since_usec; /* by the kernel's log; 0: not known */
        bool no_credit_told;
        bool threshold_changed;
        uint32_t threshold_saved_bits;
        uint32_t threshold_bits; /* what was asked for; 0: left alone */
        Feeding feeding;
        ForkWatch fork;
        Watch watch;
        KmsgWatch kmsg;
        Status status;
        sd_event_source *watchdog_source;
        uint64_t started_usec;
};

/* Takes the settings over (they are empty afterwards). arguments must outlive the manager. */
_must_check_ int manager_new(Settings *settings, ManagerArguments arguments, Manager **ret_manager);

/* Gets ready, starts no process. Negative: nothing useful can be done, and it was logged; -ENODEV
 * if a source is required and there is none. */
_must_check_ int manager_start(Manager *manager);

/* Feeds at once and when something happens, until told to stop; returns an exit status. */
int manager_run(Manager *manager);

/* SIGHUP: reads the settings again; broken ones are logged and the old ones stay in force. */
void manager_reload(Manager *manager);

Manager *manager_free(Manager *manager);

static inline void cleanup_manager(Manager **manager) {
        *manager = manager_free(*manager);
}

#define _cleanup_manager_ _cleanup_(cleanup_manager)
