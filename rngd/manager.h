/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon: the one that knows all of its parts. It owns the event loop, hears what they report, and
 * says what follows from it. manager_new() builds without any effect outside, manager_start() arms,
 * manager_free() undoes both in reverse.
 */

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/config/messages.h"
#include "lib/kernel/random.h"
#include "rngd/feeding.h"
#include "rngd/settings/settings.h"
#include "rngd/status.h"

/* How to read the settings again, for SIGHUP. */
typedef struct ManagerArguments {
        int argc;
        char **argv;
} ManagerArguments;

typedef struct Manager Manager;

/* Takes the settings over (they are empty afterwards). arguments must outlive the manager. */
_must_check_ int manager_new(Settings *settings, ManagerArguments arguments, Manager **ret_manager);

/* Gets ready, starts no process. Negative: nothing useful can be done, and it was logged; -ENODEV
 * if a source is required and there is none. */
_must_check_ int manager_start(Manager *manager);

/* Feeds at once and when something happens, until told to stop; returns an exit status. */
int manager_run(Manager *manager);

Manager *manager_free(Manager *manager);

static inline void cleanup_manager(Manager **manager) {
        *manager = manager_free(*manager);
}

#define _cleanup_manager_ _cleanup_(cleanup_manager)
