/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/kmsg.h"
#include "rngd/kernel-log.h"

#define SEQUENCE_FILE "kmsg-sequence"

#define AT_ONCE 256U

/* A flood of log lines must not become a flood of reseeds. */
#define GAP_INTERVAL_USEC (60 * USEC_PER_SEC)

static void keep_sequence(const KernelLog *log) {
        char text[32];
        int n, r;

        if (log->runtime_fd < 0)
                return;
        n = snprintf(text, sizeof(text), "%" PRIu64 "\n", log->next_sequence);
        r = io_write_atomic_at(log->runtime_fd, SEQUENCE_FILE, 0600, text, (size_t)n);
        if (r < 0)
                (void)log_errno(LOG_DEBUG, r, "Cannot write " SEQUENCE_FILE ", ignoring");
}

static void tell(const KernelLog *log, KernelLogEvent event) {
        log->hooks.seen(log->hooks.userdata, event);
}

/* ---- records that were lost ---- */

static void tell_gap(KernelLog *log) {
        log->gap_usec = clock_boottime_usec();
        log_notice(
                "Lines of the kernel's log were lost, and with them perhaps the sign of a VM fork");
        tell(log, KERNEL_LOG_GAP);
}

static int on_gap(sd_event_source *s, uint64_t usec, void *userdata) {
        tell_gap(userdata);
        return 0;
}

/* The last one is never left out. */
static void seen_gap(KernelLog *log) {
        const uint64_t next_usec = log->gap_usec + GAP_INTERVAL_USEC;
        int enabled = SD_EVENT_OFF, r;

        if (log->gap_usec == 0 || clock_boottime_usec() >= next_usec) {
                tell_gap(log);
                return;
        }
        if (log->gap_source && sd_event_source_get_enabled(log->gap_source, &enabled) >= 0 &&
            enabled != SD_EVENT_OFF)
                return;
        log->gap_source = sd_event_source_disable_unref(log->gap_source);
        r = sd_event_add_time(
                log->event,
                &log->gap_source,
                CLOCK_BOOTTIME,
                next_usec,
                USEC_PER_SEC,
                on_gap,
                log);
        if (r < 0)
                tell_gap(log);
}

/* ---- records ---- */

/* One answer is also that to all signs before it. */
static bool is_news(const KernelLog *log, const KmsgRecord *record, bool history) {
        return record->sequence >= log->next_sequence && (log->kept || !history);
}

static bool read_records(KernelLog *log, int fd, bool history, bool *ret_failed);

static void take_record(KernelLog *log, const KmsgRecord *record, bool history) {
        bool failed;

        switch (record->event) {
        case KMSG_EVENT_RNG_READY:
                log->ready_since_usec = record->at_usec;
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
        /* In their order: an older sign that no rngd has seen yet would count as answered by this one, and a
         * resume is no answer to a fork. */
        while (!history && log->kept && log->history_fd >= 0 &&
               !read_records(log, log->history_fd, true, &failed))
                ;
        if (!is_news(log, record, history))
                return;
        log->next_sequence = record->sequence + 1;
        keep_sequence(log);
        tell(log, record->event == KMSG_EVENT_VM_FORK ? KERNEL_LOG_VMFORK : KERNEL_LOG_RESUME);
}

/* Up to AT_ONCE records. True: there are no more now; *ret_failed then says whether for good. */
static bool read_records(KernelLog *log, int fd, bool history, bool *ret_failed) {
        KmsgRecord record;

        *ret_failed = false;
        for (unsigned i = 0; i < AT_ONCE; i++) {
                int r = kmsg_read(fd, &record);

                if (r == KMSG_E_END)
                        return true;
                if (r == KMSG_E_LOST)
                        seen_gap(log);
                if (r < 0 && r != -EBADMSG) {
                        (void)log_errno(LOG_WARNING, r, "Cannot read the kernel's log any more");
                        *ret_failed = true;
                        return true;
                }
                if (r != 0)
                        continue;
                /* What was overwritten while no rngd ran. */
                if (history && !log->history_begun && log->kept &&
                    record.sequence > log->next_sequence)
                        seen_gap(log);
                if (history) {
                        log->history_begun = true;
                        log->history_sequence = record.sequence;
                }
                take_record(log, &record, history);
        }
        return false; /* level-triggered: the rest comes in the next turn, behind the others */
}

static int on_kmsg(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        bool failed;

        if (read_records(userdata, fd, false, &failed) && failed)
                return sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

void kernel_log_look(KernelLog *log) {
        bool failed = false;

        if (log->fd < 0)
                return;
        while (!read_records(log, log->fd, false, &failed))
                ;
}

static void end_history(KernelLog *log) {
        /* A sign that came since the start is in both: answered before it becomes history. */
        kernel_log_look(log);
        log->history_source = sd_event_source_disable_unref(log->history_source);
        cleanup_close(&log->history_fd);
        if (log->kept)
                return;
        log->next_sequence = MAX(log->next_sequence, log->history_sequence + 1);
        log->kept = true;
        keep_sequence(log);
}

static int on_history(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        bool failed;

        if (read_records(userdata, fd, true, &failed))
                end_history(userdata);
        return 0;
}

bool kernel_log_works(const KernelLog *log) {
        return log->source;
}

/* ---- life ---- */

void kernel_log_init(
        KernelLog *log,
        sd_event *event,
        const RootDir *root,
        const KernelLogHooks *hooks) {
        *log = (KernelLog){
                .hooks = *hooks,
                .event = event,
                .root = root,
                .runtime_fd = -1,
                .fd = -1,
                .history_fd = -1,
        };
}

int kernel_log_open(KernelLog *log) {
        int r;

        r = kmsg_open(log->root, &log->fd);
        if (r < 0)
                return r;
        return lseek(log->fd, 0, SEEK_END) < 0 ? negative_errno() : 0;
}

static void load_sequence(KernelLog *log) {
        uint64_t kept = 0;
        char text[32];
        int r = -ENOENT;

        if (log->runtime_fd >= 0)
                r = io_read_text_at(log->runtime_fd, SEQUENCE_FILE, text, sizeof(text));
        if (r == -ENOENT)
                return;
        log->kept = r >= 0 && parse_u64(text, 0, UINT64_MAX - 1, &kept) == 0;
        log->next_sequence = MAX(log->next_sequence, kept);
        if (!log->kept)
                seen_gap(log);
}

static int add_source(KernelLog *log, sd_event_source **source, int fd, sd_event_io_handler_t f) {
        int r;

        r = sd_event_add_io(log->event, source, fd, EPOLLIN, f, log);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(*source, "kmsg");
        /* There may be thousands of records: they wait until everything else is done. */
        return sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IDLE);
}

int kernel_log_start(KernelLog *log, int runtime_fd) {
        int r;

        log->runtime_fd = runtime_fd;
        if (log->fd < 0)
                return -ENODEV;
        load_sequence(log);
        r = add_source(log, &log->source, log->fd, on_kmsg);
        if (r < 0)
                return r;
        r = kmsg_open(log->root, &log->history_fd);
        if (r < 0)
                return r;
        return add_source(log, &log->history_source, log->history_fd, on_history);
}

void kernel_log_deinit(KernelLog *log) {
        log->source = sd_event_source_disable_unref(log->source);
        log->history_source = sd_event_source_disable_unref(log->history_source);
        log->gap_source = sd_event_source_disable_unref(log->gap_source);
        cleanup_close(&log->fd);
        cleanup_close(&log->history_fd);
}
