/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * sd_notify(3) and the watchdog of sd_event_set_watchdog(3) without their one flaw: they wait when
 * nobody reads the socket, and a callback must not. What cannot be told now is not told.
 */

#include <systemd/sd-event.h>

#include "lib/base/error.h"

/* Lines of VARIABLE=value to $NOTIFY_SOCKET, if there is one. -EAGAIN: nobody reads them now. */
int notify_send(const char *text);

/* WATCHDOG=1 about twice in each WATCHDOG_USEC, if that is set for this process; *ret_source is NULL
 * else. */
_must_check_ int notify_start_watchdog(sd_event *event, sd_event_source **ret_source);
