/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon says of itself: one line for systemd, one JSON document for whoever connects to
 * rngd.sock. A client is answered in one step and never read from, so it cannot hold us up.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"

#define STATUS_LINE_MAX 256U

typedef struct Manager Manager;

typedef struct Status {
        char line[STATUS_LINE_MAX];
        bool ready_sent;
        int socket_fd;
        sd_event_source *socket_source;
} Status;

#define STATUS_NULL \
        { .socket_fd = -1 }

/* Opens the socket; a failure is logged and the daemon goes on without it. */
void status_start(Manager *manager);

/* Tells systemd what changed, if anything did. After each turn of the loop. */
void status_update(Manager *manager);

void status_stopping(void);
void status_deinit(Manager *manager);
