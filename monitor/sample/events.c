/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/kmsg.h"
#include "lib/kernel/proc-connector.h"
#include "lib/kernel/uevent.h"
#include "monitor/sample/events.h"

#define HWRNG_FILE "class/misc/hw_random/rng_current"
/* Limits each turn, so that a storm of events does not stop the sampling. */
#define AT_ONCE 4096U

void events_open(const Views *views, Events *ret_events) {
        Events events = EVENTS_NULL;

        events.kmsg_fd =
                openat(views->dev_fd, "kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (uevent_open(&events.uevent_fd) < 0)
                events.uevent_fd = -1;
        if (proc_connector_open(&events.starts_fd) < 0) {
                events.starts_fd = -1;
                events.stat_fd = openat(views->proc_fd, "stat", O_RDONLY | O_CLOEXEC);
        }
        *ret_events = events;
}

void events_close(Events *events) {
        cleanup_close(&events->kmsg_fd);
        cleanup_close(&events->uevent_fd);
        cleanup_close(&events->starts_fd);
        cleanup_close(&events->stat_fd);
}

/* hwrng has no events of its own. Its device has, so its name is read again after them. */
static void look_at_hwrng(Events *events, uint64_t now_usec) {
        char name[sizeof(events->hwrng)] = "";

        if (io_read_text_at(events->views->sys_fd, HWRNG_FILE, name, sizeof(name)) < 0 ||
            strcmp(name, "none") == 0)
                name[0] = '\0';
        if (strcmp(name, events->hwrng) == 0)
                return;
        (void)stpcpy(events->hwrng, name);
        trace_buffer_add_event(events->trace, now_usec, EVENT_HWRNG, name[0] ? name : "none");
}

static void look_at_root(Events *events, uint64_t now_usec) {
        struct stat status;
        bool first = events->root_inode == 0;

        if (fstatat(events->views->proc_fd, "1/root", &status, 0) < 0)
                return;
        if (status.st_dev == events->root_device && status.st_ino == events->root_inode)
                return;
        events->root_device = status.st_dev;
        events->root_inode = status.st_ino;
        if (!first)
                trace_buffer_add_event(events->trace, now_usec, EVENT_SWITCH_ROOT, "");
}

static uint64_t read_forks(int fd) {
        static char text[32768]; /* one line of it lists every interrupt */
        const char *line;
        ssize_t n;

        n = pread(fd, text, sizeof(text) - 1, 0);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        line = strstr(text, "\nprocesses ");
        return line ? strtoull(line + 11, NULL, 10) : 0;
}

void events_begin(Events *events, const Views *views, TraceBuffer *trace, uint64_t now_usec) {
        events->views = views;
        events->trace = trace;
        events->hwrng[0] = '\0';
        look_at_hwrng(events, now_usec);
        look_at_root(events, now_usec);
        if (events->stat_fd >= 0)
                events->forks_so_far = read_forks(events->stat_fd);
}

void events_calibrate(Events *events) {
        /* Without the newline the kernel waits for a continuation and keeps the record from
         * readers. */
        static const char line[] = "<7>entropy-monitor: sampling the kernel's RNG\n";
        _cleanup_close_ int fd = -1;
        uint64_t before_usec, after_usec;
        KmsgRecord record;
        int r;

        fd = openat(events->views->dev_fd, "kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || events->kmsg_fd < 0 || lseek(events->kmsg_fd, 0, SEEK_END) < 0)
                return;
        before_usec = clock_boottime_usec();
        if (write(fd, line, sizeof(line) - 1) < 0)
                before_usec = 0;
        after_usec = clock_boottime_usec();

        for (unsigned int i = 0; before_usec > 0 && i < AT_ONCE; i++) {
                r = kmsg_read(events->kmsg_fd, &record);
                if (r < 0 || r == KMSG_E_END)
                        break;
                if (r == 0 && record.event == KMSG_EVENT_MONITOR) {
                        events->log_offset_usec =
                                (int64_t)(before_usec + (after_usec - before_usec) / 2) -
                                (int64_t)record.at_usec;
                        break;
                }
        }
        (void)lseek(events->kmsg_fd, 0, SEEK_SET);
}

static void take_record(const Events *events, const KmsgRecord *record) {
        static const EventKind kinds[] = {
                [KMSG_EVENT_RNG_READY] = EVENT_LOG_READY,
                [KMSG_EVENT_VM_FORK] = EVENT_VM_FORK,
                [KMSG_EVENT_RESUME] = EVENT_RESUME,
                [KMSG_EVENT_FAST_INIT] = EVENT_FAST_INIT,
                [KMSG_EVENT_UNINITIALIZED_READ] = EVENT_UNINITIALIZED_READ,
                [KMSG_EVENT_INIT_STARTED] = EVENT_INIT_STARTED,
                [KMSG_EVENT_SEEDER] = EVENT_SEEDER,
        };

        int64_t at_usec = (int64_t)record->at_usec + events->log_offset_usec;

        if (record->event != KMSG_EVENT_NONE && record->event != KMSG_EVENT_MONITOR)
                trace_buffer_add_event(
                        events->trace,
                        (uint64_t)MAX(at_usec, INT64_C(0)),
                        kinds[record->event],
                        record->detail);
}

void events_take_kmsg(Events *events) {
        TraceBuffer *trace = events->trace;
        KmsgRecord record;
        int r;

        for (unsigned int i = 0; i < AT_ONCE; i++) {
                r = kmsg_read(events->kmsg_fd, &record);
                if (r == KMSG_E_END)
                        return;
                /* The first record of a boot has the number 0. */
                if (trace->log_seen == LOG_SEEN_NONE && r == 0 && record.sequence == 0)
                        trace->log_seen = LOG_SEEN_WHOLE;
                else if (trace->log_seen == LOG_SEEN_NONE || r != 0)
                        trace->log_seen = LOG_SEEN_CUT;
                if (r == 0)
                        take_record(events, &record);
                else if (r < 0 && r != -EBADMSG) {
                        cleanup_close(&events->kmsg_fd);
                        return;
                }
        }
}

static bool is_new_disk(const Uevent *event) {
        static const char *const virtual_disks[] = { "loop", "ram", "zram", "nbd" };

        if (strcmp(event->subsystem, "block") != 0 || strcmp(event->action, "add") != 0 ||
            strcmp(event->device_type, "disk") != 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(virtual_disks); i++)
                if (strncmp(event->device_name, virtual_disks[i], strlen(virtual_disks[i])) == 0)
                        return false;
        return true;
}

void events_take_uevents(Events *events, uint64_t now_usec) {
        Uevent event;
        int r;

        for (unsigned int i = 0; i < AT_ONCE; i++) {
                r = uevent_receive(events->uevent_fd, &event);
                if (r == UEVENT_E_END)
                        break;
                if (r < 0) {
                        cleanup_close(&events->uevent_fd);
                        break;
                }
                if (r == 0 && is_new_disk(&event))
                        trace_buffer_add_event(
                                events->trace,
                                now_usec,
                                EVENT_BLOCK_DEVICE,
                                event.device_name);
        }
        look_at_hwrng(events, now_usec);
}

static void init_exec(Events *events, uint64_t at_usec) {
        char name[64] = "";

        (void)!io_read_text_at(events->views->proc_fd, "1/comm", name, sizeof(name));
        trace_buffer_add_event(events->trace, at_usec, EVENT_INIT_EXEC, name);
        look_at_root(events, at_usec);
}

static void take_forks(Events *events, uint64_t now_usec) {
        uint64_t forks = read_forks(events->stat_fd);

        if (forks > events->forks_so_far)
                trace_buffer_count_start(
                        events->trace,
                        now_usec,
                        0,
                        (uint32_t)(forks - events->forks_so_far));
        events->forks_so_far = MAX(forks, events->forks_so_far);
}

void events_take_starts(Events *events, uint64_t now_usec) {
        uint64_t suspended_usec;
        ProcStart start;
        int r;

        if (events->starts_fd < 0) {
                if (events->stat_fd >= 0)
                        take_forks(events, now_usec);
                look_at_root(events, now_usec);
                return;
        }

        suspended_usec = clock_suspended_usec();
        for (unsigned int i = 0; i < AT_ONCE; i++) {
                r = proc_connector_receive(events->starts_fd, &start);
                if (r == PROC_CONNECTOR_E_END)
                        return;
                if (r < 0) {
                        cleanup_close(&events->starts_fd);
                        return;
                }
                if (r == PROC_CONNECTOR_E_LOST)
                        events->lost_starts++;
                if (r != 0)
                        continue;
                start.at_usec += suspended_usec;
                trace_buffer_count_start(
                        events->trace,
                        start.at_usec,
                        start.kind == PROC_START_EXEC,
                        start.kind == PROC_START_FORK);
                if (start.kind == PROC_START_EXEC && start.pid == 1)
                        init_exec(events, start.at_usec);
        }
}
