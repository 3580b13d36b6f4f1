/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/kernel-events.h"

/* Some counting kernels (5.6 to 5.16) zero their pool without waking who sleeps on POLLOUT. */
#define REARM_USEC (60 * USEC_PER_SEC)

#define ROOM_EVENTS_PER_SEC 100U

#define CLOCK_SET_INTERVAL_USEC (60 * USEC_PER_SEC)
#define SAME_RESUME_USEC        (10 * USEC_PER_SEC)
#define SUSPENDED_MIN_USEC      (100 * USEC_PER_MSEC)

static void describe(sd_event_source *source, const char *description) {
        (void)sd_event_source_set_description(source, description);
}

static void tell(const KernelEvents *events, KernelEvent event) {
        events->hooks.seen(events->hooks.userdata, event);
}

/* Whether the last one of its kind is so long ago that this is another. */
static bool is_another(uint64_t *last_usec, uint64_t interval_usec) {
        const uint64_t now_usec = clock_boottime_usec();

        if (*last_usec > 0 && now_usec - *last_usec < interval_usec)
                return false;
        *last_usec = now_usec;
        return true;
}

/* ---- POLLOUT and POLLIN of /dev/random ---- */

void kernel_events_watch_random(KernelEvents *events, bool until_ready, bool until_room) {
        sd_event_source *source = events->random_source;
        uint32_t mask = 0;

        if (!source)
                return;
        if (until_ready && !events->readable_is_not_ready)
                mask |= EPOLLIN;
        if (until_room)
                mask |= EPOLLOUT;

        /* One-shot, since both are levels that stay: it fires once and is armed again here. */
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (mask == 0)
                return;
        (void)sd_event_source_set_io_events(source, mask);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_random(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        KernelEvents *events = userdata;

        /* Before Linux 5.6 POLLIN means some level, not readiness. */
        if ((revents & EPOLLIN) && !random_is_ready(events->random))
                events->readable_is_not_ready = true;
        tell(events, revents & EPOLLOUT ? KERNEL_EVENT_ROOM : KERNEL_EVENT_READABLE);
        return 0;
}

static int on_rearm(sd_event_source *s, uint64_t usec, void *userdata) {
        KernelEvents *events = userdata;
        int enabled;

        /* Adding it to epoll anew makes the kernel look at the level. */
        if (sd_event_source_get_enabled(events->random_source, &enabled) > 0) {
                (void)sd_event_source_set_enabled(events->random_source, SD_EVENT_OFF);
                (void)sd_event_source_set_enabled(events->random_source, enabled);
        }
        (void)sd_event_source_set_time_relative(s, REARM_USEC);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int start_random(KernelEvents *events, bool counting) {
        int r;

        r = sd_event_add_io(
                events->event,
                &events->random_source,
                events->random->fd,
                0,
                on_random,
                events);
        if (r < 0)
                return r;
        describe(events->random_source, "random");
        (void)sd_event_source_set_enabled(events->random_source, SD_EVENT_OFF);

        /* A kernel that takes credit and shows none would ask without end; this bounds it. */
        (void)sd_event_source_set_ratelimit(
                events->random_source,
                USEC_PER_SEC,
                ROOM_EVENTS_PER_SEC);

        if (!counting)
                return 0;
        return sd_event_add_time_relative(
                events->event,
                &events->rearm_source,
                CLOCK_BOOTTIME,
                REARM_USEC,
                REARM_USEC / 4,
                on_rearm,
                events);
}

/* ---- the log, and suspend ---- */

static void seen_resume(KernelEvents *events) {
        /* The log and the clocks tell of the same resume. */
        if (!is_another(&events->resumed_usec, SAME_RESUME_USEC))
                return;
        log_info("Resumed from suspend");
        tell(events, KERNEL_EVENT_RESUME);
}

static void on_log(void *userdata, KernelLogEvent event) {
        KernelEvents *events = userdata;

        switch (event) {
        case KERNEL_LOG_RESUME:
                seen_resume(events);
                return;
        case KERNEL_LOG_VMFORK:
                tell(events, KERNEL_EVENT_VMFORK);
                return;
        case KERNEL_LOG_GAP:
        default:
                tell(events, KERNEL_EVENT_GAP);
                return;
        }
}

void kernel_events_look_for_resume(KernelEvents *events) {
        const uint64_t suspended_usec = clock_suspended_usec();
        const bool resumed = suspended_usec > events->suspended_usec + SUSPENDED_MIN_USEC;

        events->suspended_usec = suspended_usec;
        if (resumed)
                seen_resume(events);
}

void kernel_events_look(KernelEvents *events) {
        kernel_log_look(&events->log);
        kernel_events_look_for_resume(events);
}

/* ---- hotplug ---- */

static void on_devices(void *userdata, bool rng_removed) {
        tell(userdata, rng_removed ? KERNEL_EVENT_RNG_REMOVED : KERNEL_EVENT_DEVICES);
}

static int start_hotplug(KernelEvents *events) {
        return hotplug_start(&events->hotplug, events->event, events->root);
}

/* ---- clocks ---- */

static int on_clock_jump(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        KernelEvents *events = userdata;
        bool jumped;
        int r;

        r = clock_jump_receive(fd, &jumped);
        if (r < 0)
                return r;
        /* A restore jumps, but so does every step of an NTP client: told of seldom. */
        if (!jumped || !is_another(&events->clock_set_usec, CLOCK_SET_INTERVAL_USEC))
                return 0;
        log_info("The clock was set");
        tell(events, KERNEL_EVENT_CLOCK_SET);
        return 0;
}

static int start_clock(KernelEvents *events) {
        int r;

        events->suspended_usec = clock_suspended_usec();
        r = clock_jump_open(&events->clock_fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(
                events->event,
                &events->clock_source,
                events->clock_fd,
                EPOLLIN,
                on_clock_jump,
                events);
        if (r < 0)
                return r;
        describe(events->clock_source, "clock");
        return 0;
}

/* ---- signals ---- */

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        switch (info->ssi_signo) {
        case SIGHUP:
                tell(userdata, KERNEL_EVENT_RELOAD);
                return 0;
        case SIGUSR1:
                tell(userdata, KERNEL_EVENT_FEED);
                return 0;
        case SIGCHLD:
                tell(userdata, KERNEL_EVENT_CHILD);
                return 0;
        default:
                log_info("Stopping: %s", strsignal((int)info->ssi_signo));
                tell(userdata, KERNEL_EVENT_STOP);
                return 0;
        }
}

static int start_signals(KernelEvents *events) {
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
        int r;

        _Static_assert(
                ELEMENTSOF(numbers) <= ELEMENTSOF(events->signal_sources),
                "a place for each signal");
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                r = sd_event_add_signal(
                        events->event,
                        &events->signal_sources[i],
                        numbers[i],
                        on_signal,
                        events);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- all of it ---- */

void kernel_events_init(
        KernelEvents *events,
        sd_event *event,
        const RootDir *root,
        const KernelRandom *random,
        const KernelEventsHooks *hooks) {
        *events = (KernelEvents){
                .hooks = *hooks,
                .event = event,
                .root = root,
                .random = random,
                .clock_fd = -1,
        };
        hotplug_init(&events->hotplug, &(const HotplugHooks){ on_devices, events });
        kernel_log_init(&events->log, event, root, &(const KernelLogHooks){ on_log, events });
}

int kernel_events_start(KernelEvents *events, bool counting) {
        int r;

        r = kernel_log_open(&events->log);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot read the kernel's log, so a VM fork may go unnoticed");
        r = start_signals(events);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot watch signals");
        r = start_random(events, counting);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot watch /dev/random");
        return 0;
}

void kernel_events_start_late(KernelEvents *events, int runtime_fd) {
        static const struct {
                const char *what;
                int (*start)(KernelEvents *);
        } parts[] = {
                { "Cannot watch for devices, so a new RNG may go unnoticed", start_hotplug },
                { "Cannot watch the clock", start_clock },
        };
        int r;

        r = kernel_log_start(&events->log, runtime_fd);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot wait for the kernel's log, ignoring");
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                r = parts[i].start(events);
                if (r < 0)
                        (void)log_errno(LOG_WARNING, r, "%s, ignoring", parts[i].what);
        }
}

void kernel_events_deinit(KernelEvents *events) {
        sd_event_source **sources[] = {
                &events->random_source,
                &events->rearm_source,
                &events->clock_source,
        };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                *sources[i] = sd_event_source_disable_unref(*sources[i]);
        for (size_t i = 0; i < ELEMENTSOF(events->signal_sources); i++)
                events->signal_sources[i] =
                        sd_event_source_disable_unref(events->signal_sources[i]);

        kernel_log_deinit(&events->log);
        hotplug_deinit(&events->hotplug);
        cleanup_close(&events->clock_fd);
}
