/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/random.h"
#include "monitor/sample/sampler.h"

#define SYSCTL            "sys/kernel/random/"
#define STARTS_MIN_USEC   UINT64_C(10000)
#define STARTS_MAX_USEC   UINT64_C(1000000)
#define SCAN_USEC         UINT64_C(20000)
#define SCAN_COST_FACTOR  20U /* a scan of all processes may take 5 % of the time */
#define THRESHOLD_USEC    UINT64_C(1000000)
#define TIMER_SLACK_NSEC  1000UL
#define WARM_STACK_BYTES  2048U
#define WARM_STACK_FRAMES 48U

static int read_number(int fd, uint32_t *ret_value) {
        char text[16];
        ssize_t n;

        n = pread(fd, text, sizeof(text) - 1, 0);
        if (n <= 0)
                return -EIO;
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return parse_u32(text, 0, UINT32_MAX, ret_value);
}

static int open_sysctl(const Views *views, const char *path) {
        return openat(views->proc_fd, path, O_RDONLY | O_CLOEXEC);
}

static uint32_t read_once(const Views *views, const char *path) {
        _cleanup_close_ int fd = open_sysctl(views, path);
        uint32_t value = 0;

        return fd >= 0 && read_number(fd, &value) >= 0 ? value : 0;
}

static sigset_t signals_taken(void) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGCHLD);
        return signals;
}

void sampler_block_signals(sigset_t *ret_before) {
        sigset_t signals = signals_taken();

        (void)sigprocmask(SIG_BLOCK, &signals, ret_before);
}

static size_t samples_for(const MonitorSettings *settings) {
        uint64_t n = settings->duration_usec / settings->interval_usec + TRACE_BUFFER_MIN_SAMPLES;

        return (size_t)MIN(n, TRACE_BUFFER_MAX_SAMPLES);
}

static void sample(Sampler *sampler, uint64_t now_usec) {
        uint32_t bits;

        if (sampler->level_fd >= 0 && read_number(sampler->level_fd, &bits) >= 0)
                trace_buffer_add_sample(&sampler->trace, now_usec, bits);
}

static void set_ready(Sampler *sampler, uint64_t now_usec) {
        if (sampler->ready)
                return;
        sampler->ready = true;
        sampler->ready_usec = now_usec;
        trace_buffer_release_blocked(&sampler->trace, now_usec);
        trace_buffer_add_event(&sampler->trace, now_usec, EVENT_READY, "");
        sample(sampler, now_usec);
}

/* Before Linux 5.6 POLLIN only means that the pool holds bits. Asks without waiting instead. */
static void ask_if_ready(Sampler *sampler, uint64_t now_usec) {
        if (random_getrandom_works() > 0)
                set_ready(sampler, now_usec);
}

typedef struct Scan {
        TraceBuffer *trace;
        uint64_t now_usec;
} Scan;

static void found_blocked(const BlockedTask *task, void *userdata) {
        Scan *scan = userdata;

        trace_buffer_add_blocked(scan->trace, scan->now_usec, task);
}

static void scan_for_blocked(Sampler *sampler, uint64_t now_usec) {
        Scan scan = { .trace = &sampler->trace, .now_usec = now_usec };
        uint64_t after_usec;

        trace_buffer_begin_scan(&sampler->trace);
        (void)!blocked_scan(sampler->views.proc_fd, found_blocked, &scan);
        trace_buffer_end_scan(&sampler->trace);
        after_usec = clock_boottime_usec();
        sampler->next_scan_usec =
                after_usec + MAX(SCAN_USEC, SCAN_COST_FACTOR * (after_usec - now_usec));
}

static void read_threshold(Sampler *sampler, uint64_t now_usec) {
        char text[16];
        uint32_t bits;

        sampler->next_threshold_usec = now_usec + THRESHOLD_USEC;
        if (sampler->threshold_fd < 0 || read_number(sampler->threshold_fd, &bits) < 0 ||
            bits == sampler->threshold_bits)
                return;
        sampler->threshold_bits = bits;
        (void)snprintf(text, sizeof(text), "%u", bits);
        trace_buffer_add_event(&sampler->trace, now_usec, EVENT_THRESHOLD, text);
}

static void take_starts(Sampler *sampler, uint64_t now_usec) {
        uint64_t interval_usec = MAX(sampler->trace.interval_usec, STARTS_MIN_USEC);

        events_take_starts(&sampler->events, now_usec);
        sampler->next_starts_usec = now_usec + MIN(interval_usec, STARTS_MAX_USEC);
}

static void do_what_is_due(Sampler *sampler, uint64_t now_usec) {
        uint64_t interval_usec = sampler->trace.interval_usec;

        if (now_usec >= sampler->next_sample_usec) {
                sample(sampler, now_usec);
                if (!sampler->ready && !sampler->poll_is_ready)
                        ask_if_ready(sampler, now_usec);
                /* Stay on the grid. Missed ticks are not made up for. */
                if (now_usec - sampler->next_sample_usec >= interval_usec)
                        sampler->late_samples++;
                sampler->next_sample_usec +=
                        ((now_usec - sampler->next_sample_usec) / interval_usec + 1) *
                        interval_usec;
        }
        if (now_usec >= sampler->next_starts_usec)
                take_starts(sampler, now_usec);
        if (now_usec >= sampler->next_threshold_usec)
                read_threshold(sampler, now_usec);
        if (!sampler->ready && now_usec >= sampler->next_scan_usec)
                scan_for_blocked(sampler, now_usec);
}

static bool command_ended(Sampler *sampler) {
        if (sampler->command_pid <= 0)
                return false;
        return waitpid(sampler->command_pid, &sampler->command_status, WNOHANG) ==
               sampler->command_pid;
}

void *sampler_signal_value(uint64_t finished_usec) {
        /* A 32-bit pointer has room for half an hour. */
        if (finished_usec > UINTPTR_MAX >> 1)
                finished_usec = 0;
        return (void *)(uintptr_t)(finished_usec << 1 | 1);
}

static void take_end_of_boot(Sampler *sampler, uint64_t now_usec, uint64_t finished_usec) {
        uint64_t at_usec = finished_usec + clock_suspended_usec();
        bool known = finished_usec > 0 && at_usec <= now_usec;

        trace_buffer_add_event(
                &sampler->trace,
                known ? at_usec : now_usec,
                EVENT_BOOT_FINISHED,
                known ? "systemd" : "");
}

/* Whether a signal ends the sampling, and why. */
static bool take_signals(Sampler *sampler, uint64_t now_usec, RecordingEnd *ret_end) {
        struct signalfd_siginfo info;

        while (read(sampler->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                if (info.ssi_signo == SIGCHLD) {
                        if (!command_ended(sampler))
                                continue;
                        *ret_end = RECORDING_END_COMMAND;
                        return true;
                }
                *ret_end = RECORDING_END_SIGNAL;
                if (info.ssi_code == SI_QUEUE && (info.ssi_ptr & 1)) {
                        take_end_of_boot(sampler, now_usec, info.ssi_ptr >> 1);
                        *ret_end = RECORDING_END_BOOT;
                }
                return true;
        }
        return false;
}

static uint64_t time_of_end(const Sampler *sampler, RecordingEnd *ret_end) {
        uint64_t at_usec = sampler->trace.started_usec + sampler->settings.duration_usec;

        *ret_end = RECORDING_END_DURATION;
        if (sampler->settings.until == UNTIL_READY && sampler->ready) {
                uint64_t until_usec = MAX(sampler->ready_usec, sampler->trace.started_usec) +
                                      sampler->settings.until_extra_usec;

                if (until_usec < at_usec) {
                        *ret_end = RECORDING_END_READY;
                        at_usec = until_usec;
                }
        }
        return at_usec;
}

static void wait_for_something(Sampler *sampler, uint64_t end_usec, struct pollfd entries[4]) {
        uint64_t until_usec, now_usec = clock_boottime_usec();
        struct timespec timeout = {};

        until_usec = MIN(sampler->next_sample_usec, sampler->next_starts_usec);
        until_usec = MIN(until_usec, end_usec);
        if (!sampler->ready)
                until_usec = MIN(until_usec, sampler->next_scan_usec);
        if (until_usec > now_usec) {
                timeout.tv_sec = (time_t)((until_usec - now_usec) / USEC_PER_SEC);
                timeout.tv_nsec = (long)((until_usec - now_usec) % USEC_PER_SEC * 1000);
        }

        entries[0] = (struct pollfd){ .fd = sampler->signal_fd, .events = POLLIN };
        entries[1] = (struct pollfd){ .fd = sampler->events.kmsg_fd, .events = POLLIN };
        entries[2] = (struct pollfd){ .fd = sampler->events.uevent_fd, .events = POLLIN };
        /* POLLIN stays set once the RNG is ready. */
        entries[3] = (struct pollfd){
                .fd = sampler->ready || !sampler->poll_is_ready ? -1 : sampler->random_fd,
                .events = POLLIN,
        };
        if (ppoll(entries, 4, &timeout, NULL) <= 0)
                for (size_t i = 0; i < 4; i++)
                        entries[i].revents = 0;
        sampler->wakes++;
}

RecordingEnd sampler_run(Sampler *sampler) {
        struct pollfd entries[4];
        uint64_t now_usec, end_usec;
        RecordingEnd end_why;

        for (;;) {
                end_usec = time_of_end(sampler, &end_why);
                wait_for_something(sampler, end_usec, entries);
                now_usec = clock_boottime_usec();

                if (entries[3].revents & POLLIN)
                        set_ready(sampler, now_usec);
                if (entries[1].revents)
                        events_take_kmsg(&sampler->events);
                if (entries[2].revents)
                        events_take_uevents(&sampler->events, now_usec);
                do_what_is_due(sampler, now_usec);
                if ((entries[0].revents && take_signals(sampler, now_usec, &end_why)) ||
                    now_usec >= end_usec)
                        break;
        }

        take_starts(sampler, now_usec);
        (void)getrusage(RUSAGE_SELF, &sampler->usage);
        sampler->ended_usec = now_usec;
        return end_why;
}

/* Touches the stack that the calls below main() may need. */
static _noinline_ unsigned int warm_stack(unsigned int frames) {
        volatile char frame[WARM_STACK_BYTES];

        frame[0] = (char)frames;
        return frames > 0 ? warm_stack(frames - 1) + (unsigned int)frame[0] : 0;
}

static void begin(Sampler *sampler) {
        uint64_t now_usec = clock_boottime_usec();
        struct pollfd entry = { .fd = sampler->random_fd, .events = POLLIN };

        trace_buffer_begin(&sampler->trace, now_usec);
        trace_buffer_add_event(
                &sampler->trace,
                now_usec,
                EVENT_STARTED,
                sampler->as_pid1 ? "by the first process" : "");
        events_begin(&sampler->events, &sampler->views, &sampler->trace, now_usec);
        sampler->ready = false;
        if (!sampler->poll_is_ready)
                ask_if_ready(sampler, now_usec);
        else if (poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN))
                set_ready(sampler, now_usec);
        sampler->ready_at_start = sampler->ready;
        sampler->next_sample_usec = now_usec;
        sampler->next_starts_usec = now_usec + STARTS_MIN_USEC;
        sampler->next_scan_usec = now_usec;
        sampler->next_threshold_usec = now_usec + THRESHOLD_USEC;
        sampler->late_samples = sampler->wakes = 0;
}

/* Runs every path once, so that no page is missing later. The results are discarded. */
static void warm_up(Sampler *sampler) {
        uint64_t now_usec;
        struct pollfd entries[4];

        /* The program and its libraries, too: a page that was not used yet faults later. */
        (void)mlockall(MCL_CURRENT);
        (void)warm_stack(WARM_STACK_FRAMES);
        begin(sampler);
        now_usec = clock_boottime_usec();
        scan_for_blocked(sampler, now_usec);
        read_threshold(sampler, now_usec);
        do_what_is_due(sampler, now_usec);
        take_starts(sampler, now_usec);
        if (sampler->events.uevent_fd >= 0)
                events_take_uevents(&sampler->events, now_usec);
        wait_for_something(sampler, 0, entries);
}

int sampler_new(const MonitorSettings *settings, const Views *views, Sampler *ret_sampler) {
        const sigset_t signals = signals_taken();
        Sampler sampler = SAMPLER_NULL;
        int r;

        sampler.settings = *settings;
        sampler.views = *views;
        r = trace_buffer_new(settings->interval_usec, samples_for(settings), &sampler.trace);
        if (r < 0)
                return r;
        sampler.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (sampler.signal_fd < 0) {
                r = negative_errno();
                trace_buffer_free(&sampler.trace);
                return r;
        }

        sampler.random_fd = openat(views->dev_fd, "random", O_RDONLY | O_CLOEXEC | O_NOCTTY);
        sampler.level_fd = open_sysctl(views, SYSCTL "entropy_avail");
        sampler.threshold_fd = open_sysctl(views, SYSCTL "write_wakeup_threshold");
        sampler.pool_bits = read_once(views, SYSCTL "poolsize");
        sampler.threshold_bits = read_once(views, SYSCTL "write_wakeup_threshold");
        sampler.first_threshold_bits = sampler.threshold_bits;
        /* Linux 5.6 removed this file with the blocking pool. */
        sampler.poll_is_ready =
                sampler.random_fd >= 0 &&
                faccessat(views->proc_fd, SYSCTL "read_wakeup_threshold", F_OK, 0) < 0;
        events_open(views, &sampler.events);
        *ret_sampler = sampler;
        return 0;
}

void sampler_begin(Sampler *sampler) {
        (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NSEC, 0, 0, 0);
        warm_up(sampler);
        events_calibrate(&sampler->events);
        begin(sampler);
        /* Earlier log lines, which also warms up the reading. */
        if (sampler->events.kmsg_fd >= 0)
                events_take_kmsg(&sampler->events);
        (void)getrusage(RUSAGE_SELF, &sampler->usage_at_start);
}

void sampler_free(Sampler *sampler) {
        events_close(&sampler->events);
        cleanup_close(&sampler->random_fd);
        cleanup_close(&sampler->level_fd);
        cleanup_close(&sampler->threshold_fd);
        cleanup_close(&sampler->signal_fd);
        trace_buffer_free(&sampler->trace);
}
