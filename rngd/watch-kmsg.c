/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/kmsg.h"
#include "rngd/manager.h"
#include "rngd/watch-kmsg.h"

#define SEQUENCE_FILE "kmsg-sequence"

#define AT_ONCE 256U

/* A flood of log lines must not become a flood of reseeds. */
#define GAP_INTERVAL_USEC (60 * USEC_PER_SEC)

static void keep_sequence(Manager *manager) {
        char text[32];
        int n, r;

        if (manager->runtime_fd < 0)
                return;
        n = snprintf(text, sizeof(text), "%" PRIu64 "\n", manager->kmsg.next_sequence);
        r = io_write_atomic_at(manager->runtime_fd, SEQUENCE_FILE, 0600, text, (size_t)n);
        if (r < 0)
                (void)log_errno(LOG_DEBUG, r, "Cannot write " SEQUENCE_FILE ", ignoring");
}

/* ---- records that were lost ---- */

static void answer_gap(Manager *manager) {
        manager->kmsg.gap_usec = clock_boottime_usec();
        log_notice(
                "Lines of the kernel's log were lost, and with them perhaps the sign of a VM fork");
        fork_strip_marks(manager);
        feeding_trigger(&manager->feeding, TRIGGER_GAP);
}

static int on_gap(sd_event_source *s, uint64_t usec, void *userdata) {
        answer_gap(userdata);
        return 0;
}

/* Answered at once, and then at most once a minute; the last one is never left out. */
static void seen_gap(Manager *manager) {
        KmsgWatch *watch = &manager->kmsg;
        const uint64_t next_usec = watch->gap_usec + GAP_INTERVAL_USEC;
        int enabled = SD_EVENT_OFF, r;

        if (watch->gap_usec == 0 || clock_boottime_usec() >= next_usec) {
                answer_gap(manager);
                return;
        }
        if (watch->gap_source && sd_event_source_get_enabled(watch->gap_source, &enabled) >= 0 &&
            enabled != SD_EVENT_OFF)
                return;
        watch->gap_source = sd_event_source_disable_unref(watch->gap_source);
        r = sd_event_add_time(
                manager->event,
                &watch->gap_source,
                CLOCK_BOOTTIME,
                next_usec,
                USEC_PER_SEC,
                on_gap,
                manager);
        if (r < 0)
                answer_gap(manager);
}

/* ---- records ---- */

/* One answer is also that to all signs before it. */
static bool is_news(const KmsgWatch *watch, const KmsgRecord *record, bool history) {
        return record->sequence >= watch->next_sequence && (watch->kept || !history);
}

static void take_record(Manager *manager, const KmsgRecord *record, bool history) {
        switch (record->event) {
        case KMSG_EVENT_RNG_READY:
                manager->ready_since_usec = record->at_usec;
                return;
        case KMSG_EVENT_VM_FORK:
        case KMSG_EVENT_RESUME:
                break;
        case KMSG_EVENT_NONE:
        case KMSG_EVENT_FAST_INIT:
        case KMSG_EVENT_UNINITIALIZED_READ:
        case KMSG_EVENT_INIT_STARTED:
        case KMSG_EVENT_SEEDER:
        case KMSG_EVENT_MONITOR:
        default:
                return;
        }
        if (!is_news(&manager->kmsg, record, history))
                return;
        manager->kmsg.next_sequence = record->sequence + 1;
        keep_sequence(manager);
        if (record->event == KMSG_EVENT_VM_FORK)
                fork_seen(manager, FORK_SIGN_KERNEL_LOG);
        else
                watch_seen_resume(manager);
}

/* Up to AT_ONCE records. True: there are no more now; *ret_failed then says whether for good. */
static bool read_records(Manager *manager, int fd, bool history, bool *ret_failed) {
        KmsgWatch *watch = &manager->kmsg;
        KmsgRecord record;

        *ret_failed = false;
        for (unsigned i = 0; i < AT_ONCE; i++) {
                int r = kmsg_read(fd, &record);

                if (r == KMSG_E_END)
                        return true;
                if (r == KMSG_E_LOST)
                        seen_gap(manager);
                if (r < 0 && r != -EBADMSG) {
                        (void)log_errno(LOG_WARNING, r, "Cannot read the kernel's log any more");
                        *ret_failed = true;
                        return true;
                }
                if (r != 0)
                        continue;
                /* What was overwritten while no rngd ran. */
                if (history && !watch->history_begun && watch->kept &&
                    record.sequence > watch->next_sequence)
                        seen_gap(manager);
                if (history) {
                        watch->history_begun = true;
                        watch->history_sequence = record.sequence;
                }
                take_record(manager, &record, history);
        }
        return false; /* level-triggered: the rest comes in the next turn, behind the others */
}

static int on_kmsg(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        bool failed;

        if (read_records(userdata, fd, false, &failed) && failed)
                return sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

void watch_kmsg_look(Manager *manager) {
        bool failed = false;

        if (manager->kmsg.fd < 0)
                return;
        while (!read_records(manager, manager->kmsg.fd, false, &failed))
                ;
}

static void end_history(Manager *manager) {
        KmsgWatch *watch = &manager->kmsg;

        /* A sign that came since the start is in both: answered before it becomes history. */
        watch_kmsg_look(manager);
        watch->history_source = sd_event_source_disable_unref(watch->history_source);
        cleanup_close(&watch->history_fd);
        if (watch->kept)
                return;
        watch->next_sequence = MAX(watch->next_sequence, watch->history_sequence + 1);
        watch->kept = true;
        keep_sequence(manager);
}

static int on_history(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        bool failed;

        if (read_records(userdata, fd, true, &failed))
                end_history(userdata);
        return 0;
}

/* ---- life ---- */

int watch_kmsg_open(Manager *manager) {
        int r;

        r = kmsg_open(&manager->root, &manager->kmsg.fd);
        if (r < 0)
                return r;
        return lseek(manager->kmsg.fd, 0, SEEK_END) < 0 ? negative_errno() : 0;
}

static void load_sequence(Manager *manager) {
        KmsgWatch *watch = &manager->kmsg;
        uint64_t kept = 0;
        char text[32];
        int r = -ENOENT;

        if (manager->runtime_fd >= 0)
                r = io_read_text_at(manager->runtime_fd, SEQUENCE_FILE, text, sizeof(text));
        if (r == -ENOENT)
                return;
        watch->kept = r >= 0 && parse_u64(text, 0, UINT64_MAX - 1, &kept) == 0;
        watch->next_sequence = MAX(watch->next_sequence, kept);
        if (!watch->kept)
                seen_gap(manager);
}

static int add_source(Manager *manager, sd_event_source **source, int fd, sd_event_io_handler_t f) {
        int r;

        r = sd_event_add_io(manager->event, source, fd, EPOLLIN, f, manager);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(*source, "kmsg");
        /* There may be thousands of records: they wait until everything else is done. */
        return sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IDLE);
}

int watch_kmsg_start(Manager *manager) {
        KmsgWatch *watch = &manager->kmsg;
        int r;

        if (watch->fd < 0)
                return -ENODEV;
        load_sequence(manager);
        r = add_source(manager, &watch->source, watch->fd, on_kmsg);
        if (r < 0)
                return r;
        r = kmsg_open(&manager->root, &watch->history_fd);
        if (r < 0)
                return r;
        return add_source(manager, &watch->history_source, watch->history_fd, on_history);
}

void watch_kmsg_deinit(KmsgWatch *watch) {
        watch->source = sd_event_source_disable_unref(watch->source);
        watch->history_source = sd_event_source_disable_unref(watch->history_source);
        watch->gap_source = sd_event_source_disable_unref(watch->gap_source);
        cleanup_close(&watch->fd);
        cleanup_close(&watch->history_fd);
}
