/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/feed/state-mount.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/confidential.h"
#include "seeder/run/metadata-request.h"
#include "seeder/run/plan.h"
#include "seeder/run/run-state.h"
#include "seeder/state/report-file.h"
#include "seeder/state/saved.h"

/* How often to look whether a kernel is ready that does not tell it: counting ones show POLLIN long
 * before getrandom() works. */
#define READY_LOOK_USEC (50 * USEC_PER_MSEC)

/* After a device came: a cold boot tells of hundreds, and each would wake this process by itself. */
#define HOTPLUG_REST_USEC (10 * USEC_PER_MSEC)

/* Of the time that there is: after it the last sources are asked beside those that are late. */
#define LAST_RESORT_PART 4U

static bool is_turn(const Run *run, SourceId id) {
        PlanClass class = plan_class(id);

        if (!run->settings->sources[id].reader.enabled || class == PLAN_NEVER)
                return false;
        return class != PLAN_LAST || run->last_resort;
}

/* A boot waits while modules are loaded; rngd, which is there after it, may. */
static bool is_wanted_or_loaded(const Run *run, const Channel *channel) {
        return run->settings->sources[channel->id].awaited || !reader_must_load(&channel->reader);
}

static void probe_and_ask_one(Run *run, Channel *channel) {
        if (channel->state != CHANNEL_ABSENT || !is_turn(run, channel->id))
                return;
        channel->look_again = false;
        reader_probe(&channel->reader);
        if (reader_is_usable(&channel->reader) && is_wanted_or_loaded(run, channel))
                run_ask(run, channel);
}

/* changes: what is new, in bits of uevent.h. A worker that looks in vain costs a boot milliseconds. */
static void probe_and_ask(Run *run, uint32_t changes) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (changes & plan_changes(id))
                        probe_and_ask_one(run, &run->channels[id]);
}

static void on_hotplug(Run *run) {
        const uint32_t changes = uevent_changes(run->uevent_fd);

        run->hotplug_from_usec = clock_boottime_usec() + HOTPLUG_REST_USEC;
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (changes & plan_changes(id) && run->channels[id].state == CHANNEL_ASKED)
                        run->channels[id].look_again = true;
        probe_and_ask(run, changes);
}

/* A disk that came while a worker was looking through the others: nothing tells of it again. */
static void look_again(Run *run) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].look_again)
                        probe_and_ask_one(run, &run->channels[id]);
}

static bool is_waited_for(const Run *run, SourceId id) {
        return !run->run_report->ready || plan_class(id) == PLAN_QUICK ||
               run->settings->sources[id].awaited;
}

/* A quick source owes an answer, or any source while the kernel still waits for one. */
static bool must_wait(const Run *run) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].state == CHANNEL_ASKED && is_waited_for(run, id))
                        return true;
        return false;
}

/* Why the run is over; NULL: it is not. */
static const char *why_over(const Run *run) {
        if (run->told_to_end)
                return "told to end";
        if (clock_boottime_usec() >= run->deadline_usec)
                return "deadline";
        if (must_wait(run))
                return NULL;
        if (run->settings->dry_run)
                return "dry run";
        return run->run_report->ready ? "ready, quick sources are in" : NULL;
}

/* When nobody else owes an answer, or those who do are late. */
static void turn_to_last_resort(Run *run) {
        if (run->last_resort || run->run_report->ready || run->settings->dry_run)
                return;
        if (must_wait(run) && clock_boottime_usec() < run->last_resort_usec)
                return;
        run->last_resort = true;
        probe_and_ask(run, UEVENT_ANY);
}

static uint64_t left_usec(uint64_t until_usec) {
        uint64_t now_usec = clock_boottime_usec();

        return until_usec > now_usec ? until_usec - now_usec : 0;
}

static uint64_t next_usec(const Run *run) {
        uint64_t until_usec = run->deadline_usec;

        if (!run->last_resort && !run->run_report->ready)
                until_usec = MIN(until_usec, run->last_resort_usec);
        return left_usec(until_usec);
}

typedef enum WaitFor {
        WAIT_SIGNAL = _SOURCE_MAX, /* below: the worker of that source */
        WAIT_READY,
        WAIT_HOTPLUG,
        _WAIT_MAX,
} WaitFor;

static void add_wait(struct pollfd *entries, int *owners, nfds_t *n, int fd, int owner) {
        if (fd < 0)
                return;
        owners[*n] = owner;
        entries[(*n)++] = (struct pollfd){ fd, POLLIN, 0 };
}

static void on_event(Run *run, int owner) {
        switch (owner) {
        case WAIT_SIGNAL:
                run->told_to_end = true;
                break;
        case WAIT_READY: /* noted by then */
                break;
        case WAIT_HOTPLUG:
                on_hotplug(run);
                break;
        default:
                run_on_answer(run, &run->channels[owner]);
                break;
        }
}

static void turn(Run *run, uint64_t timeout_usec) {
        const bool kernel_tells = run->run_report->model == RANDOM_MODEL_LATCHING;
        const uint64_t rest_usec = left_usec(run->hotplug_from_usec);
        struct pollfd entries[_WAIT_MAX];
        int owners[_WAIT_MAX];
        nfds_t n = 0;

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].state == CHANNEL_ASKED)
                        add_wait(entries, owners, &n, run->channels[id].reader.worker.fd, (int)id);
        add_wait(entries, owners, &n, run->signal_fd, WAIT_SIGNAL);
        /* A level that stays: watched only until it is there. */
        if (!run->run_report->ready && kernel_tells)
                add_wait(entries, owners, &n, run->random.fd, WAIT_READY);
        if (!run->run_report->ready && !kernel_tells)
                timeout_usec = MIN(timeout_usec, READY_LOOK_USEC);
        if (rest_usec == 0)
                add_wait(entries, owners, &n, run->uevent_fd, WAIT_HOTPLUG);
        if (rest_usec > 0)
                timeout_usec = MIN(timeout_usec, rest_usec);

        if (poll(entries, n, (int)(timeout_usec / USEC_PER_MSEC + 1)) < 0)
                return;
        run_note_ready(run);
        for (nfds_t i = 0; i < n; i++)
                if (entries[i].revents)
                        on_event(run, owners[i]);
        look_again(run);
}

static void loop(Run *run) {
        const char *why;

        while (!(why = why_over(run))) {
                turn_to_last_resort(run);
                if (!why_over(run))
                        turn(run, next_usec(run));
        }
        run->run_report->ended_why = why;
}

static void note_unanswered(Run *run) {
        run->batch.label[0] = '\0';
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].state == CHANNEL_ASKED)
                        run_add_note(run, &run->channels[id], "no answer by the end");
}

static int open_kernel(Run *run) {
        uint32_t level_bits = 0, mask = 0;
        int r;

        r = rootdir_open("/", &run->root);
        if (r < 0)
                return r;
        r = random_open(&run->root, &run->random);
        if (r < 0)
                return r;
        if (!run->settings->dry_run) {
                r = random_check_permission(&run->random);
                if (r < 0)
                        return r;
        }
        if (random_pool_bits(&run->root, &run->pool_bits) < 0)
                run->pool_bits = 0;
        (void)random_level_bits(&run->random, &level_bits);
        (void)random_poll(&run->random, &mask);
        run->run_report->model = refill_guess_model(run->pool_bits, level_bits, mask);
        run->run_report->ready = random_is_ready(&run->random);
        return batch_init(&run->batch);
}

static bool needs_state(const Run *run) {
        if (!run->settings->state_directory)
                return false;
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (source_ops(id)->seeds && run->settings->sources[id].reader.enabled)
                        return true;
        return run->settings->use_seed_file;
}

static void add_earlier_run(const char *run_report, void *userdata) {
        static_credit_add_run(userdata, run_report);
}

/* There is no list, and none can be made: nothing remembers. */
static bool is_absent(int error) {
        return error == -ENOENT || error == -EROFS || error == -ENOSPC || error == -EACCES;
}

/* Not taken where it is not needed: the lock would keep `entropy-seeder save` away. */
static void open_state(Run *run) {
        const char *why_not = run->settings->phase == PHASE_INITRAMFS
                                      ? "first use is not known in the initramfs"
                                      : "its use cannot be recorded";
        const bool mount_missing =
                needs_state(run) && state_mount_missing(&run->root, run->settings->state_directory);
        int r = 0;

        if (mount_missing)
                log_warning(
                        "Cannot use %s: what should be mounted there is not; static seeds are not "
                        "credited",
                        run->settings->state_directory);
        else if (needs_state(run))
                r = seed_file_open(
                        run->settings->state_directory,
                        !run->settings->dry_run,
                        &run->state);
        if (r != 0 && !(run->settings->dry_run && r == -ENOENT))
                log_warning(
                        "Cannot use %s: %s; static seeds are not credited",
                        run->settings->state_directory,
                        r > 0 ? "another entropy-seeder runs" : strerror(-r));
        else if (run->state.why_no_memory)
                log_notice("No static seed is credited: %s", run->state.why_no_memory);
        if (run->state.why_no_memory)
                why_not = run->state.why_no_memory;
        static_credit_init(
                &run->static_credit,
                run->state.why_no_memory ? -1 : run->state.directory_fd,
                why_not);
        if (run->settings->state_directory && (mount_missing || r > 0 || (r < 0 && !is_absent(r))))
                static_credit_doubt(
                        &run->static_credit,
                        r > 0 ? "another entropy-seeder runs"
                              : "the list of used seeds cannot be read");
        report_file_each(add_earlier_run, &run->static_credit);
}

/* Read like any other event: in the middle of a feed or of a write it waits for the end of that. */
static int open_signals(void) {
        sigset_t ends;
        int fd;

        (void)sigemptyset(&ends);
        (void)sigaddset(&ends, SIGTERM);
        (void)sigaddset(&ends, SIGINT);
        (void)sigaddset(&ends, SIGHUP);
        fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
        /* Without it the signals keep their default: the process ends, and leaves no run report. */
        if (fd >= 0 && sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
                cleanup_close(&fd);
        return fd;
}

static void deinit(Run *run) {
        /* Killed; one in the depths of a driver is left to init. */
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                (void)reader_stop(&run->channels[id].reader);
        cleanup_close(&run->uevent_fd);
        static_credit_deinit(&run->static_credit);
        seed_file_close(&run->state);
        batch_deinit(&run->batch);
        random_close(&run->random);
        rootdir_close(&run->root);
        cleanup_close(&run->signal_fd);
}

static void say_for_worker(SourceId source, const char *text) {
        log_notice("%s: %s", source_name(source), text);
}

static void init(Run *run, const RunSettings *settings, RunReport *run_report) {
        *run = (Run){
                .settings = settings,
                .run_report = run_report,
                .root = ROOTDIR_NULL,
                .random = KERNEL_RANDOM_NULL,
                .state = SEED_FILE_NULL,
                .signal_fd = -1,
                .uevent_fd = -1,
                .worker_news = { .say = say_for_worker },
        };
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                run->channels[id].id = id;
                reader_init(&run->channels[id].reader, id, &run->root, false);
                run->channels[id].reader.news = &run->worker_news;
                reader_configure(&run->channels[id].reader, &settings->sources[id].reader);
        }
        *run_report = (RunReport){
                .phase = settings->phase,
                .dry_run = settings->dry_run,
                .started_usec = clock_boottime_usec(),
                .ended_why = "still at work",
        };
        run->deadline_usec = run_report->started_usec + settings->deadline_usec;
        run->last_resort_usec =
                run_report->started_usec + settings->deadline_usec / LAST_RESORT_PART;
        run->feeder = (Feeder){ .random = &run->random, .counters = &run->counters };
}

static void open_hotplug(Run *run) {
        if (uevent_open(&run->uevent_fd) < 0)
                log_debug("Devices that come later go unnoticed");
}

/* Its syncs may take long on a slow disk: the workers are at work meanwhile. */
static void load_saved(Run *run) {
        const CreditInput terms = {
                .confidential_guest = run->confidential,
                .trust = run->settings->seed_file_trust,
                .override_per_1024 = run->settings->seed_file_credit_per_1024,
        };

        if (run->settings->use_seed_file && run->state.directory_fd >= 0)
                saved_load(
                        &run->state,
                        &run->root,
                        &run->feeder,
                        &run->batch,
                        &terms,
                        run->run_report);
        run_note_ready(run);
}

static void leave_report(Run *run) {
        int r;

        run->run_report->ended_usec = clock_boottime_usec();
        if (run->settings->dry_run)
                return;
        r = report_file_write(run->run_report, run->report_number);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot write the run report in /run, ignoring");
}

/* From here on a signal ends the process, as it ends any other. */
static void end_when_told(Run *run) {
        sigset_t none;

        cleanup_close(&run->signal_fd);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Not when told to end: `entropy-seeder save` runs at a shutdown. Whoever tells it now waits for no
 * disk: a seed that is cut off is none, and the run report is written. */
static void save(Run *run) {
        const size_t n_lines = run->run_report->n_lines;

        if (!run->settings->use_seed_file || run->state.directory_fd < 0 ||
            run->settings->dry_run || run->told_to_end)
                return;
        end_when_told(run);
        (void)saved_save(&run->state, &run->root, run->run_report);
        if (run->run_report->n_lines > n_lines)
                leave_report(run);
}

/* The last number is shared by all later runs: what the one before credited is not remembered then. */
static void reserve_report(Run *run) {
        bool shared;

        run->report_number = report_file_reserve(run->run_report, &shared);
        if (shared)
                static_credit_doubt(&run->static_credit, "too many runs in this boot");
}

static int run_once(Run *run) {
        int r;

        run->signal_fd = open_signals();
        r = open_kernel(run);
        if (r < 0)
                return r;
        run->confidential = confidential_guest(&run->root);
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                run->channels[id].reader.confidential = run->confidential;
        open_hotplug(run);
        open_state(run);

        if (!run->settings->dry_run)
                reserve_report(run);
        probe_and_ask(run, UEVENT_ANY);
        if (run->settings->metadata_apart)
                metadata_request(&run->root, &run->settings->sources[SOURCE_METADATA]);
        else if (run->settings->sources[SOURCE_METADATA].awaited && !run->settings->dry_run)
                metadata_request_take();
        load_saved(run);
        loop(run);
        note_unanswered(run);
        run_note_ready(run);
        leave_report(run);
        save(run);
        return 0;
}

int run_all(const RunSettings *settings, RunReport *run_report) {
        _cleanup_free_ Run *run = NULL;
        int r;

        run = calloc(1, sizeof(*run)); /* the health of each source is too much for a stack frame */
        if (!run)
                return -ENOMEM;
        init(run, settings, run_report);
        r = run_once(run);
        deinit(run);
        return r;
}
