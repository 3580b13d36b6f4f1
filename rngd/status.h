/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon says of itself: one line for systemd, one JSON document for whoever connects to
 * rngd.sock. A client is answered in one step and never read from, so it cannot hold us up.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "rngd/status-document.h"

#define STATUS_LINE_MAX 256U

typedef struct StatusHooks {
        StatusFacts (*facts)(void *userdata);
        void *userdata;
} StatusHooks;

typedef struct Status {
        StatusHooks hooks;
        int runtime_fd; /* not owned */
        char line[STATUS_LINE_MAX];
        bool ready_sent;
        int socket_fd;
        sd_event_source *socket_source;
} Status;

void status_init(Status *status, const StatusHooks *hooks);

/* Opens the socket in the runtime directory (-1: there is none); a failure is logged and the daemon goes on
 * without it. */
void status_start(Status *status, sd_event *event, int runtime_fd);

/* Tells systemd what changed, if anything did. After each turn of the loop. */
void status_update(Status *status);

void status_stopping(void);
void status_deinit(Status *status);
