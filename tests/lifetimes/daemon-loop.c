/* SPDX-License-Identifier: MIT */
/* sd-event(3) as far as rngd uses it, over the simulated files and time; and what else rngd calls. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "lib/base/cleanup.h"
#include "rngd/container.h"
#include "rngd/devices.h"
#include "rngd/hotplug.h"
#include "rngd/notify.h"
#include "rngd/settings/options.h"
#include "rngd/status.h"
#include "tests/lifetimes/calls.h"
#include "tests/lifetimes/daemon.h"
#include "tests/lifetimes/files.h"
#include "tests/lifetimes/machine.h"

#define SOURCES_MAX 40U
#define TURNS_MAX   3000U

typedef enum Kind {
        KIND_NONE,
        KIND_IO,
        KIND_TIME,
        KIND_SIGNAL,
        KIND_DEFER,
        KIND_POST,
} Kind;

struct sd_event_source {
        Kind kind;
        int enabled;
        int64_t priority;
        int fd, number;
        uint32_t events;
        uint64_t at_usec;
        union {
                sd_event_io_handler_t io;
                sd_event_time_handler_t time;
                sd_event_signal_handler_t signal;
                sd_event_handler_t plain;
        } handler;
        void *userdata;
};

struct sd_event {
        sd_event_source sources[SOURCES_MAX];
        bool exiting;
        int exit_code;
};

int sd_event_new(sd_event **ret_event) {
        *ret_event = sim_calloc(1, sizeof(**ret_event));
        daemon_set_event(*ret_event);
        return *ret_event ? 0 : -ENOMEM;
}

sd_event *sd_event_unref(sd_event *event) {
        sim_free(event);
        return NULL;
}

int sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret_usec) {
        *ret_usec = machine_now->kernel.boottime_usec;
        return 0;
}

int sd_event_exit(sd_event *event, int code) {
        event->exiting = true;
        event->exit_code = code;
        return 0;
}

/* ---- sources ---- */

static int add(sd_event *event, sd_event_source **ret_source, sd_event_source source) {
        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (event->sources[i].kind == KIND_NONE) {
                        event->sources[i] = source;
                        if (ret_source)
                                *ret_source = &event->sources[i];
                        return 0;
                }
        return -ENOMEM;
}

int sd_event_add_io(
        sd_event *event,
        sd_event_source **ret_source,
        int fd,
        uint32_t events,
        sd_event_io_handler_t handler,
        void *userdata) {
        return add(
                event,
                ret_source,
                (sd_event_source){
                        .kind = KIND_IO,
                        .enabled = SD_EVENT_ON,
                        .fd = fd,
                        .events = events,
                        .handler.io = handler,
                        .userdata = userdata,
                });
}

int sd_event_add_time(
        sd_event *event,
        sd_event_source **ret_source,
        clockid_t clock,
        uint64_t usec,
        uint64_t accuracy,
        sd_event_time_handler_t handler,
        void *userdata) {
        return add(
                event,
                ret_source,
                (sd_event_source){
                        .kind = KIND_TIME,
                        .enabled = SD_EVENT_ONESHOT,
                        .at_usec = usec,
                        .handler.time = handler,
                        .userdata = userdata,
                });
}

int sd_event_add_time_relative(
        sd_event *event,
        sd_event_source **ret_source,
        clockid_t clock,
        uint64_t usec,
        uint64_t accuracy,
        sd_event_time_handler_t handler,
        void *userdata) {
        return sd_event_add_time(
                event,
                ret_source,
                clock,
                machine_now->kernel.boottime_usec + usec,
                accuracy,
                handler,
                userdata);
}

int sd_event_add_signal(
        sd_event *event,
        sd_event_source **ret_source,
        int number,
        sd_event_signal_handler_t handler,
        void *userdata) {
        return add(
                event,
                ret_source,
                (sd_event_source){
                        .kind = KIND_SIGNAL,
                        .enabled = SD_EVENT_ON,
                        .number = number,
                        .handler.signal = handler,
                        .userdata = userdata,
                });
}

static int add_plain(
        sd_event *event,
        sd_event_source **ret_source,
        Kind kind,
        sd_event_handler_t handler,
        void *userdata) {
        return add(
                event,
                ret_source,
                (sd_event_source){
                        .kind = kind,
                        .enabled = kind == KIND_DEFER ? SD_EVENT_ONESHOT : SD_EVENT_ON,
                        .handler.plain = handler,
                        .userdata = userdata,
                });
}

int sd_event_add_defer(
        sd_event *event,
        sd_event_source **ret_source,
        sd_event_handler_t handler,
        void *userdata) {
        return add_plain(event, ret_source, KIND_DEFER, handler, userdata);
}

int sd_event_add_post(
        sd_event *event,
        sd_event_source **ret_source,
        sd_event_handler_t handler,
        void *userdata) {
        return add_plain(event, ret_source, KIND_POST, handler, userdata);
}

sd_event_source *sd_event_source_disable_unref(sd_event_source *source) {
        if (source)
                *source = (sd_event_source){};
        return NULL;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled) {
        source->enabled = enabled;
        return 0;
}

int sd_event_source_get_enabled(sd_event_source *source, int *ret_enabled) {
        if (ret_enabled)
                *ret_enabled = source ? source->enabled : SD_EVENT_OFF;
        return source && source->enabled != SD_EVENT_OFF;
}

int sd_event_source_set_io_events(sd_event_source *source, uint32_t events) {
        source->events = events;
        return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec) {
        source->at_usec = usec;
        return 0;
}

int sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec) {
        source->at_usec = machine_now->kernel.boottime_usec + usec;
        return 0;
}

int sd_event_source_set_time_accuracy(sd_event_source *source, uint64_t usec) {
        return 0;
}

int sd_event_source_set_priority(sd_event_source *source, int64_t priority) {
        source->priority = priority;
        return 0;
}

int sd_event_source_set_description(sd_event_source *source, const char *description) {
        return 0;
}

int sd_event_source_set_ratelimit(sd_event_source *source, uint64_t interval, unsigned burst) {
        return 0;
}

/* ---- the loop ---- */

static uint32_t ready_events(const sd_event_source *source) {
        struct pollfd entry = { .fd = source->fd, .events = (short)source->events };

        (void)sim_poll(&entry, 1, 0);
        return (uint32_t)entry.revents;
}

static bool is_pending(const sd_event_source *source) {
        if (source->enabled == SD_EVENT_OFF)
                return false;
        switch (source->kind) {
        case KIND_IO:
                return ready_events(source) != 0;
        case KIND_TIME:
                return source->at_usec <= machine_now->kernel.boottime_usec;
        case KIND_SIGNAL:
                return source->number == SIGUSR1 && machine_now->daemon.signalled;
        case KIND_DEFER:
                return true;
        case KIND_NONE:
        case KIND_POST:
        default:
                return false;
        }
}

static sd_event_source *most_urgent(sd_event *event) {
        sd_event_source *found = NULL;

        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (is_pending(&event->sources[i]) &&
                    (!found || event->sources[i].priority < found->priority))
                        found = &event->sources[i];
        return found;
}

static void dispatch(sd_event_source *source) {
        const uint32_t revents = source->kind == KIND_IO ? ready_events(source) : 0;
        const struct signalfd_siginfo info = { .ssi_signo = (uint32_t)source->number };

        if (source->enabled == SD_EVENT_ONESHOT)
                source->enabled = SD_EVENT_OFF;
        switch (source->kind) {
        case KIND_IO:
                (void)source->handler.io(source, source->fd, revents, source->userdata);
                return;
        case KIND_TIME:
                (void)source->handler.time(source, source->at_usec, source->userdata);
                return;
        case KIND_SIGNAL:
                machine_now->daemon.signalled = false;
                (void)source->handler.signal(source, &info, source->userdata);
                return;
        case KIND_DEFER:
        case KIND_POST:
                (void)source->handler.plain(source, source->userdata);
                return;
        case KIND_NONE:
        default:
                return;
        }
}

static bool turn(sd_event *event) {
        sd_event_source *source = most_urgent(event);

        if (!source)
                return false;
        dispatch(source);
        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (event->sources[i].kind == KIND_POST &&
                    event->sources[i].enabled != SD_EVENT_OFF)
                        dispatch(&event->sources[i]);
        return true;
}

static uint64_t next_usec(const sd_event *event) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < SOURCES_MAX; i++) {
                const sd_event_source *source = &event->sources[i];

                if (source->enabled == SD_EVENT_OFF)
                        continue;
                if (source->kind == KIND_TIME)
                        next = MIN(next, source->at_usec);
                if (source->kind == KIND_IO)
                        next = MIN(next, platform_answer_usec(source->fd));
        }
        return next;
}

int sd_event_loop(sd_event *event) {
        for (unsigned i = 0; i < TURNS_MAX && !event->exiting && !machine_now->dead; i++) {
                uint64_t next;

                if (turn(event))
                        continue;
                next = next_usec(event);
                if (next > daemon_until_usec())
                        break;
                machine_now->kernel.boottime_usec = MAX(machine_now->kernel.boottime_usec, next);
        }
        return event->exit_code;
}

/* ---- devices that come ---- */

static int on_plug(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        const Hotplug *hotplug = userdata;

        machine_now->daemon.plugged = false;
        hotplug->hooks.changed(hotplug->hooks.userdata, false);
        return 0;
}

void hotplug_init(Hotplug *hotplug, const HotplugHooks *hooks) {
        *hotplug = (Hotplug){ .hooks = *hooks };
}

int hotplug_start(Hotplug *hotplug, sd_event *event, const RootDir *root) {
        return sd_event_add_io(
                event,
                &hotplug->uevent_source,
                files_new((Fd){ .kind = FD_PLUG }),
                EPOLLIN,
                on_plug,
                hotplug);
}

void hotplug_deinit(Hotplug *hotplug) {
        hotplug->uevent_source = sd_event_source_disable_unref(hotplug->uevent_source);
}

/* ---- nobody is there to be told, and nothing is read again ---- */

void status_init(Status *status, const StatusHooks *hooks) {
        daemon_set_status(hooks);
}

void status_start(Status *status, sd_event *event, int runtime_fd) {
}

void status_update(Status *status) {
}

void status_stopping(void) {
}

void status_deinit(Status *status) {
}

int notify_send(const char *text) {
        return 0;
}

int notify_start_watchdog(sd_event *event, sd_event_source **ret_source) {
        *ret_source = NULL;
        return 0;
}

bool in_container(void) {
        return false;
}

int devices_sort(Settings *settings) {
        return 0;
}

int options_load(
        int argc,
        char *argv[],
        const Settings *previous,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices) {
        return -EINVAL;
}

int sd_bus_new(sd_bus **ret_bus) {
        return -ENOENT;
}

int sd_bus_set_address(sd_bus *bus, const char *address) {
        return -ENOENT;
}

int sd_bus_start(sd_bus *bus) {
        return -ENOENT;
}

int sd_bus_attach_event(sd_bus *bus, sd_event *event, int priority) {
        return -ENOENT;
}

sd_bus *sd_bus_close_unref(sd_bus *bus) {
        return NULL;
}

int sd_bus_is_open(sd_bus *bus) {
        return 0;
}

int sd_bus_call_method_async(
        sd_bus *bus,
        sd_bus_slot **ret_slot,
        const char *destination,
        const char *path,
        const char *interface,
        const char *member,
        sd_bus_message_handler_t handler,
        void *userdata,
        const char *types,
        ...) {
        return -ENOENT;
}

const sd_bus_error *sd_bus_message_get_error(sd_bus_message *message) {
        return NULL;
}
