/* SPDX-License-Identifier: MIT */
#pragma once

/* One-shot timers of CLOCK_BOOTTIME in the event loop. */

#include <stdint.h>
#include <systemd/sd-event.h>

/* Not older than this turn of the loop. */
uint64_t event_now_usec(sd_event *event);

/* Made when it is needed first; UINT64_MAX: off. A failure is logged. */
void event_timer_set(
        sd_event *event,
        sd_event_source **timer,
        uint64_t at_usec,
        sd_event_time_handler_t handler,
        void *userdata);
