/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/manager.h"
#include "rngd/watch-fork.h"

/* Some counting kernels (5.6 to 5.16) zero their pool without waking who sleeps on POLLOUT. */
#define REARM_USEC (60 * USEC_PER_SEC)

#define LEVEL_WANTS_PER_SEC 100U

#define CLOCK_JUMP_INTERVAL_USEC (60 * USEC_PER_SEC)
#define SAME_RESUME_USEC         (10 * USEC_PER_SEC)
#define SUSPENDED_MIN_USEC       (100 * USEC_PER_MSEC)

static void describe(sd_event_source *source, const char *description) {
        (void)sd_event_source_set_description(source, description);
}

/* ---- POLLOUT and POLLIN of /dev/random ---- */

void watch_level(Manager *manager) {
        sd_event_source *source = manager->watch.random_source;
        uint32_t events = 0;

        if (!source)
                return;
        if (!manager->feeding.ready && !manager->watch.pollin_is_not_ready)
                events |= EPOLLIN;
        if (!manager->feeding.need.active && feeding_has_source(&manager->feeding) &&
            (manager->feeding.model == RANDOM_MODEL_COUNTING || !manager->feeding.ready))
                events |= EPOLLOUT;

        /* One-shot, since both are levels that stay: it fires once and is armed again here. */
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (events == 0)
                return;
        (void)sd_event_source_set_io_events(source, events);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_random(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Manager *manager = userdata;

        feeding_note_ready(&manager->feeding);
        if (!manager->feeding.ready && (revents & EPOLLIN))
                /* Before Linux 5.6 POLLIN means some level, not readiness. */
                manager->watch.pollin_is_not_ready = true;

        if (revents & EPOLLOUT)
                feeding_trigger(&manager->feeding, TRIGGER_LEVEL);
        else
                watch_level(manager);
        return 0;
}

static int on_rearm(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        /* Adding it to epoll anew makes the kernel look at the level. */
        watch_level(manager);
        (void)sd_event_source_set_time_relative(s, REARM_USEC);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int start_random(Manager *manager) {
        Watch *watch = &manager->watch;
        int r;

        r = sd_event_add_io(
                manager->event,
                &watch->random_source,
                manager->random.fd,
                0,
                on_random,
                manager);
        if (r < 0)
                return r;
        describe(watch->random_source, "random");
        (void)sd_event_source_set_enabled(watch->random_source, SD_EVENT_OFF);

        /* A kernel that takes credit and shows none would ask without end; this bounds it. */
        (void)sd_event_source_set_ratelimit(
                watch->random_source,
                USEC_PER_SEC,
                LEVEL_WANTS_PER_SEC);

        if (manager->feeding.model != RANDOM_MODEL_COUNTING)
                return 0;
        return sd_event_add_time_relative(
                manager->event,
                &watch->rearm_source,
                CLOCK_BOOTTIME,
                REARM_USEC,
                REARM_USEC / 4,
                on_rearm,
                manager);
}

/* ---- suspend ---- */

void watch_seen_resume(Manager *manager) {
        uint64_t now_usec = clock_boottime_usec();

        /* The log and the clocks tell of the same resume. */
        if (manager->watch.resumed_usec > 0 &&
            now_usec - manager->watch.resumed_usec < SAME_RESUME_USEC)
                return;
        manager->watch.resumed_usec = now_usec;
        log_info("Resumed from suspend");
        feeding_trigger(&manager->feeding, TRIGGER_RESUME);
}

/* ---- hotplug ---- */

static int on_hotplug(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Manager *manager = userdata;
        HotplugChange change;
        int r;

        r = hotplug_receive(manager->watch.hotplug, &change);
        if (r < 0 || !change.any)
                return 0;

        if (change.rng_removed)
                feeding_forget_hwrng(&manager->feeding);
        if (feeding_probe(&manager->feeding) || change.rng_removed)
                feeding_trigger(&manager->feeding, TRIGGER_PLUG);

        /* fw_cfg's module may be what came. */
        watch_vmgenid_start(manager);
        watch_level(manager);
        return 0;
}

static int start_hotplug(Manager *manager) {
        Watch *watch = &manager->watch;
        int r;

        r = hotplug_new(&manager->root, &watch->hotplug);
        if (r < 0)
                return r;
        r = sd_event_add_io(
                manager->event,
                &watch->hotplug_source,
                hotplug_fd(watch->hotplug),
                EPOLLIN,
                on_hotplug,
                manager);
        if (r < 0)
                return r;
        describe(watch->hotplug_source, "hotplug");
        log_debug(
                "Hotplug events come from %s",
                hotplug_by_udevd(watch->hotplug) ? "udevd" : "the kernel");
        return 0;
}

/* ---- clocks ---- */

static int on_clock_jump(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Manager *manager = userdata;
        uint64_t now_usec = clock_boottime_usec();
        bool jumped;
        int r;

        r = clock_jump_receive(fd, &jumped);
        if (r < 0)
                return r;
        if (!jumped)
                return 0;

        /* A restore jumps, but so does every step of an NTP client: feed, and seldom. */
        if (manager->watch.clock_jumped_usec > 0 &&
            now_usec - manager->watch.clock_jumped_usec < CLOCK_JUMP_INTERVAL_USEC)
                return 0;
        manager->watch.clock_jumped_usec = now_usec;
        log_info("The clock was set");
        feeding_trigger(&manager->feeding, TRIGGER_CLOCK);
        return 0;
}

static int start_clock(Manager *manager) {
        Watch *watch = &manager->watch;
        int r;

        watch->suspended_usec = clock_suspended_usec();
        r = clock_jump_open(&watch->clock_fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(
                manager->event,
                &watch->clock_source,
                watch->clock_fd,
                EPOLLIN,
                on_clock_jump,
                manager);
        if (r < 0)
                return r;
        describe(watch->clock_source, "clock");
        return 0;
}

static int on_reseed_interval(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        watch_timers(manager);
        feeding_trigger(&manager->feeding, TRIGGER_TIMER);
        return 0;
}

void watch_timers(Manager *manager) {
        Watch *watch = &manager->watch;
        uint64_t interval_usec = manager->settings.reseed_interval_usec;
        int r = 0;

        watch->reseed_source = sd_event_source_disable_unref(watch->reseed_source);
        if (interval_usec > 0)
                r = sd_event_add_time_relative(
                        manager->event,
                        &watch->reseed_source,
                        CLOCK_BOOTTIME,
                        interval_usec,
                        interval_usec / 10, /* slack, so that wakeups of programs coalesce */
                        on_reseed_interval,
                        manager);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot set the timer of reseed-interval, ignoring");
        watch_fork_check_timer(manager);
}

/* ---- after every turn ---- */

static void look_at_suspend(Manager *manager) {
        Watch *watch = &manager->watch;
        uint64_t suspended_usec = clock_suspended_usec();
        bool resumed = suspended_usec > watch->suspended_usec + SUSPENDED_MIN_USEC;

        watch->suspended_usec = suspended_usec;
        if (resumed)
                watch_seen_resume(manager);
}

void watch_look_for_fork(Manager *manager) {
        watch_kmsg_look(manager);
        watch_vmgenid_look(manager, true);
        look_at_suspend(manager);
}

static int on_post(sd_event_source *s, void *userdata) {
        Manager *manager = userdata;

        look_at_suspend(manager);
        watch_vmgenid_look(manager, false);
        feeding_note_ready(&manager->feeding); /* of itself, or by somebody else */
        status_update(manager);
        return 0;
}

/* ---- signals ---- */

static int on_stop(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        Manager *manager = userdata;

        log_info("Stopping: %s", strsignal((int)info->ssi_signo));
        return sd_event_exit(manager->event, EXIT_SUCCESS);
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        manager_reload(userdata);
        return 0;
}

static int on_feed_now(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        Manager *manager = userdata;

        feeding_trigger(&manager->feeding, TRIGGER_SIGNAL);
        return 0;
}

static int on_child(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        Manager *manager = userdata;
        pid_t pid;

        /* One signal may stand for several children. */
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                feeding_reaped(&manager->feeding, pid);
        return 0;
}

static int start_signals(Manager *manager) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = {
                { SIGTERM, on_stop },     { SIGINT, on_stop },   { SIGHUP, on_reload },
                { SIGUSR1, on_feed_now }, { SIGCHLD, on_child },
        };
        int r;

        _Static_assert(
                ELEMENTSOF(signals) <= ELEMENTSOF(manager->watch.signal_sources),
                "a place for each signal");
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(
                        manager->event,
                        &manager->watch.signal_sources[i],
                        signals[i].number,
                        signals[i].handler,
                        manager);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- all of it ---- */

int watch_start(Manager *manager) {
        int r;

        r = watch_kmsg_open(manager);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot read the kernel's log, so a VM fork may go unnoticed");
        r = start_signals(manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot watch signals");
        r = start_random(manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot watch /dev/random");
        return 0;
}

void watch_start_late(Manager *manager) {
        static const struct {
                const char *what;
                int (*start)(Manager *);
        } parts[] = {
                { "Cannot wait for the kernel's log", watch_kmsg_start },
                { "Cannot watch for devices, so a new RNG may go unnoticed", start_hotplug },
                { "Cannot watch the clock", start_clock },
                { "Cannot watch vmclock", watch_vmclock_start },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                r = parts[i].start(manager);
                if (r < 0)
                        (void)log_errno(LOG_WARNING, r, "%s, ignoring", parts[i].what);
        }
        watch_vmgenid_start(manager);
        watch_timers(manager);

        r = sd_event_add_post(manager->event, &manager->watch.post_source, on_post, manager);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot keep the status up to date, ignoring");
}

void watch_deinit(Watch *watch) {
        sd_event_source **sources[] = {
                &watch->random_source,     &watch->rearm_source, &watch->reseed_source,
                &watch->hotplug_source,    &watch->clock_source, &watch->vmclock_source,
                &watch->fork_check_source, &watch->post_source,
        };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                *sources[i] = sd_event_source_disable_unref(*sources[i]);
        for (size_t i = 0; i < ELEMENTSOF(watch->signal_sources); i++)
                watch->signal_sources[i] = sd_event_source_disable_unref(watch->signal_sources[i]);

        watch->hotplug = hotplug_free(watch->hotplug);
        cleanup_close(&watch->clock_fd);
        cleanup_close(&watch->vmclock_fd);
        cleanup_close(&watch->vmgenid_fd);
}
