/* SPDX-License-Identifier: MIT */
#include "rngd/event-timer.h"
#include "lib/base/log.h"
#include "lib/kernel/clock.h"

uint64_t event_now_usec(sd_event *event) {
        uint64_t now_usec;

        if (sd_event_now(event, CLOCK_BOOTTIME, &now_usec) != 0)
                return clock_boottime_usec();
        return MAX(now_usec, clock_boottime_usec());
}

void event_timer_set(
        sd_event *event,
        sd_event_source **timer,
        uint64_t at_usec,
        sd_event_time_handler_t handler,
        void *userdata) {
        const uint64_t left_usec = at_usec - MIN(at_usec, event_now_usec(event));
        int r = 0;

        if (at_usec == UINT64_MAX) {
                if (*timer)
                        (void)sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
                return;
        }
        if (!*timer)
                r = sd_event_add_time(event, timer, CLOCK_BOOTTIME, at_usec, 1, handler, userdata);
        if (r >= 0)
                r = sd_event_source_set_time(*timer, at_usec);
        if (r >= 0) /* slack, so that wakeups of programs coalesce */
                r = sd_event_source_set_time_accuracy(*timer, MAX(left_usec / 20, 1U));
        if (r >= 0)
                r = sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot set a timer, ignoring");
}
