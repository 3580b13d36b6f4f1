/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/container.h"
#include "rngd/devices.h"
#include "rngd/feed-log.h"
#include "rngd/feeding.h"
#include "rngd/kernel-events.h"
#include "rngd/manager.h"
#include "rngd/notify.h"
#include "rngd/runtime-directory.h"
#include "rngd/seed-marks.h"
#include "rngd/settings/options.h"
#include "rngd/status.h"
#include "rngd/threshold.h"
#include "rngd/vmfork-detect.h"
#include "rngd/vmfork.h"

#define STOP_USEC (80 * USEC_PER_MSEC)

struct Manager {
        Settings settings;
        ManagerArguments arguments;
        RootDir root;
        int runtime_fd; /* of /run/guest-entropy, or what systemd made for us; -1: it could not be made */
        sd_event *event;
        sd_event_source *late_source; /* arms the rest behind the first request */
        sd_event_source *post_source; /* after every turn of the loop */
        sd_event_source *reseed_source;
        sd_event_source *watchdog_source;
        uint64_t started_usec;

        KernelRandom random;
        Threshold threshold;

        Feeding feeding;
        KernelEvents kernel_events;
        VmforkDetect vmfork_detect;
        Vmfork vmfork;
        Status status;
};

/* ---- the kernel ---- */

static int explain_permission(int error) {
        if (error != -EPERM)
                return log_errno(LOG_ERR, error, "Cannot feed the kernel's RNG");
        if (in_container())
                log_error("No permission to feed the kernel's RNG: this is a container, whose "
                          "kernel is its host's; run rngd there");
        else
                log_error("No permission to feed the kernel's RNG: rngd needs CAP_SYS_ADMIN "
                          "(run it as root)");
        return error;
}

static int open_kernel(Manager *manager) {
        uint32_t pool_bits = 0, level_bits = 0, mask = 0;
        int r;

        r = random_open(&manager->root, &manager->random);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot open /dev/random");
        r = random_check_permission(&manager->random);
        if (r < 0)
                return explain_permission(r);

        if (random_pool_bits(&manager->root, &pool_bits) < 0)
                pool_bits = 0; /* no /proc: the level and the mask must tell */
        (void)random_level_bits(&manager->random, &level_bits);
        (void)random_poll(&manager->random, &mask);
        feeding_set_kernel(
                &manager->feeding,
                refill_guess_model(pool_bits, level_bits, mask),
                pool_bits,
                random_is_ready(&manager->random));
        return 0;
}

/* On a latching kernel the file takes anything and means nothing: refill_threshold_bits() says 0. */
static void set_threshold(Manager *manager) {
        const Watermark *watermark = &manager->settings.watermark;

        threshold_set(
                &manager->threshold,
                &manager->root,
                refill_threshold_bits(
                        manager->feeding.model,
                        manager->feeding.pool_bits,
                        watermark->value,
                        watermark->unit == WATERMARK_PERCENT));
}

/* ---- what the feeding reports ---- */

static void look_for_fork(void *userdata) {
        Manager *manager = userdata;

        kernel_events_look(&manager->kernel_events);
        vmfork_detect_look(&manager->vmfork_detect, true, clock_boottime_usec());
}

static void on_settled(void *userdata, uint32_t fresh_bits, bool reseeded) {
        Manager *manager = userdata;

        if (vmfork_answered(&manager->vmfork, fresh_bits, reseeded, clock_boottime_usec()))
                vmfork_start_target(&manager->vmfork, manager->event);
}

/* What /dev/random is to tell of now: not of room while that is being filled, or cannot be. */
static void watch_random(Manager *manager) {
        const Feeding *feeding = &manager->feeding;
        const bool has_use = feeding->model == RANDOM_MODEL_COUNTING || !feeding->ready;

        kernel_events_watch_random(
                &manager->kernel_events,
                !feeding->ready,
                has_use && !feeding->request.active && reader_set_is_usable(&feeding->set));
}

static void on_over(void *userdata, bool no_source) {
        Manager *manager = userdata;

        if (no_source && manager->settings.require_source)
                (void)sd_event_exit(manager->event, EX_UNAVAILABLE);
        watch_random(manager);
}

static void on_no_source(void *userdata) {
        log_notice("No source works here; waiting for one");
}

/* ---- what the kernel reports ---- */

/* Whatever lies on a disk may be on that of another clone. */
static void strip_marks(void) {
        int r;

        r = seed_marks_strip("/");
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot take the credit of seeds on disk away");
}

static void on_vmfork(void *userdata, VmforkSign sign) {
        Manager *manager = userdata;

        if (!vmfork_seen(&manager->vmfork, sign, clock_boottime_usec()))
                return;
        strip_marks();
        feeding_trigger(&manager->feeding, TRIGGER_FORK);
}

static void on_devices(Manager *manager, bool rng_removed) {
        if (rng_removed)
                reader_set_forget_hwrng(&manager->feeding.set);
        if (reader_set_probe(&manager->feeding.set) || rng_removed)
                feeding_trigger(&manager->feeding, TRIGGER_PLUG);
        vmfork_detect_look_for_devices(&manager->vmfork_detect);
        watch_random(manager);
}

static void on_children(Manager *manager) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                reader_set_reaped(&manager->feeding.set, pid);
}

static void reload(Manager *manager);

static void on_kernel_event(void *userdata, KernelEvent event) {
        Manager *manager = userdata;
        Feeding *feeding = &manager->feeding;

        switch (event) {
        case KERNEL_EVENT_READABLE:
                feeding_note_ready(feeding);
                watch_random(manager);
                return;
        case KERNEL_EVENT_ROOM:
                feeding_note_ready(feeding);
                feeding_trigger(feeding, TRIGGER_LEVEL);
                return;
        case KERNEL_EVENT_VMFORK:
                on_vmfork(manager, VMFORK_SIGN_KERNEL_LOG);
                return;
        case KERNEL_EVENT_RESUME:
                feeding_trigger(feeding, TRIGGER_RESUME);
                return;
        case KERNEL_EVENT_GAP:
                strip_marks();
                feeding_trigger(feeding, TRIGGER_GAP);
                return;
        case KERNEL_EVENT_CLOCK_SET:
                feeding_trigger(feeding, TRIGGER_CLOCK);
                return;
        case KERNEL_EVENT_DEVICES:
        case KERNEL_EVENT_RNG_REMOVED:
                on_devices(manager, event == KERNEL_EVENT_RNG_REMOVED);
                return;
        case KERNEL_EVENT_RELOAD:
                reload(manager);
                return;
        case KERNEL_EVENT_FEED:
                feeding_trigger(feeding, TRIGGER_SIGNAL);
                return;
        case KERNEL_EVENT_CHILD:
                on_children(manager);
                return;
        case KERNEL_EVENT_STOP:
        default:
                (void)sd_event_exit(manager->event, EXIT_SUCCESS);
        }
}

/* ---- timers, and what is looked at after every turn ---- */

static void set_timers(Manager *manager);

static int on_reseed_interval(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        set_timers(manager);
        feeding_trigger(&manager->feeding, TRIGGER_TIMER);
        return 0;
}

static void set_timers(Manager *manager) {
        uint64_t interval_usec = manager->settings.reseed_interval_usec;
        int r = 0;

        manager->reseed_source = sd_event_source_disable_unref(manager->reseed_source);
        if (interval_usec > 0)
                r = sd_event_add_time_relative(
                        manager->event,
                        &manager->reseed_source,
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
        vmfork_detect_set_interval(&manager->vmfork_detect, manager->settings.fork_check_usec);
}

static int on_post(sd_event_source *s, void *userdata) {
        Manager *manager = userdata;

        kernel_events_look_for_resume(&manager->kernel_events);
        vmfork_detect_look(&manager->vmfork_detect, false, clock_boottime_usec());
        feeding_note_ready(&manager->feeding); /* of itself, or by somebody else */
        status_update(&manager->status);
        return 0;
}

static StatusFacts gather_status(void *userdata) {
        const Manager *manager = userdata;
        const Feeding *feeding = &manager->feeding;

        return (StatusFacts){
                .random = &manager->random,
                .model = feeding->model,
                .ready = feeding->ready,
                .pool_bits = feeding->pool_bits,
                .threshold_bits = manager->threshold.bits,
                .ready_since_usec = manager->kernel_events.log.ready_since_usec,
                .started_usec = manager->started_usec,
                .vmforks = manager->vmfork.count,
                .generation = manager->vmfork.generation,
                .has_source = feeding_uses_source(feeding),
                .waiting = reader_set_is_waiting(&feeding->set),
                .readers = feeding->set.readers,
                .counters = &feeding->counters,
                .triggers = feeding->triggers,
        };
}

/* ---- life ---- */

static void open_runtime_directory(Manager *manager) {
        const char *directory = runtime_directory();

        (void)mkdir(directory, 0755);
        manager->runtime_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (manager->runtime_fd < 0)
                (void)log_errno(
                        LOG_WARNING,
                        negative_errno(),
                        "Cannot use %s, going on without status and generation",
                        directory);
}

static int build(Manager *manager) {
        int r;

        r = rootdir_open("/", &manager->root);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot open /");
        r = feeding_init(
                &manager->feeding,
                manager->event,
                &manager->root,
                &manager->random,
                &manager->settings,
                &(const FeedingHooks){ look_for_fork, on_settled, on_over, on_no_source, manager });
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot get locked memory");
        r = open_kernel(manager);
        if (r < 0)
                return r;
        open_runtime_directory(manager);
        feeding_set_runtime(&manager->feeding, manager->runtime_fd);
        return 0;
}

int manager_new(Settings *settings, ManagerArguments arguments, Manager **ret_manager) {
        _cleanup_manager_ Manager *manager = NULL;
        sd_event *event = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot make an event loop");
        manager = calloc(1, sizeof(*manager));
        if (!manager) {
                (void)sd_event_unref(event);
                return log_errno(LOG_ERR, -ENOMEM, "Cannot start");
        }
        *manager = (Manager){
                .settings = TAKE(*settings, (Settings){}),
                .arguments = arguments,
                .root = ROOTDIR_NULL,
                .runtime_fd = -1,
                .event = event,
                .started_usec = clock_boottime_usec(),
                .random = KERNEL_RANDOM_NULL,
                .vmfork = VMFORK_NULL,
        };
        kernel_events_init(
                &manager->kernel_events,
                event,
                &manager->root,
                &manager->random,
                &(const KernelEventsHooks){ on_kernel_event, manager });
        vmfork_detect_init(
                &manager->vmfork_detect,
                event,
                &manager->root,
                &(const VmforkDetectHooks){ on_vmfork, manager });
        status_init(&manager->status, &(const StatusHooks){ gather_status, manager });

        r = build(manager);
        if (r < 0)
                return r;
        *ret_manager = TAKE_PTR(manager);
        return 0;
}

/* All that need not be there for the first bytes to be fed. */
static int on_late(sd_event_source *s, void *userdata) {
        Manager *manager = userdata;
        int r;

        kernel_events_start_late(&manager->kernel_events, manager->runtime_fd);
        vmfork_detect_start(
                &manager->vmfork_detect,
                kernel_log_works(&manager->kernel_events.log),
                manager->settings.fork_check_usec);
        set_timers(manager);
        r = sd_event_add_post(manager->event, &manager->post_source, on_post, manager);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot keep the status up to date, ignoring");
        vmfork_start(&manager->vmfork, manager->runtime_fd);
        status_start(&manager->status, manager->event, manager->runtime_fd);
        status_update(&manager->status);
        if (notify_start_watchdog(manager->event, &manager->watchdog_source) < 0)
                log_warning("Cannot serve the watchdog, ignoring");
        return 0;
}

static void report_start(const Manager *manager) {
        log_info(
                "Kernel RNG: %s model, pool %u bits, %s%s",
                refill_model_to_string(manager->feeding.model),
                manager->feeding.pool_bits,
                manager->feeding.ready ? "ready" : "not ready",
                manager->feeding.set.confidential ? "; confidential guest: only the CPU is credited"
                                                  : "");
        feed_log_sources(manager->feeding.set.readers);
        if (!reader_set_is_usable(&manager->feeding.set))
                on_no_source(NULL);
        if (manager->settings.watermark_origin == ORIGIN_COMMAND_LINE &&
            manager->feeding.model == RANDOM_MODEL_LATCHING &&
            manager->settings.watermark.unit != WATERMARK_KEEP)
                log_notice("-W: not used; once it is ready this kernel never calls for more, and "
                           "rngd feeds it after the events that rngd(8) lists");
}

int manager_start(Manager *manager) {
        int r;

        r = kernel_events_start(
                &manager->kernel_events,
                manager->feeding.model == RANDOM_MODEL_COUNTING);
        if (r < 0)
                return r;
        r = sd_event_add_defer(manager->event, &manager->late_source, on_late, manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot start the event loop");

        (void)reader_set_probe(&manager->feeding.set);
        if (manager->settings.require_source && !reader_set_is_usable(&manager->feeding.set))
                return log_errno(LOG_ERR, -ENODEV, "No source works here, and one is required");
        report_start(manager);
        set_threshold(manager);
        return 0;
}

int manager_run(Manager *manager) {
        int r;

        /* Not before the terminal was let go: what workers say goes to the log. */
        feeding_trigger(&manager->feeding, TRIGGER_START);
        r = sd_event_loop(manager->event);
        status_stopping();
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "The event loop failed");
                return EXIT_FAILURE;
        }
        return r;
}

/* Where a file was read to is of no use for another one. */
static void forget_other_file(Manager *manager, const Settings *settings) {
        const char *before = manager->settings.sources[SOURCE_FILE].path;
        const char *now = settings->sources[SOURCE_FILE].path;

        if (!before || !now || strcmp(before, now) != 0)
                manager->feeding.set.readers[SOURCE_FILE].file_offset = 0;
}

static void apply_settings(Manager *manager) {
        log_set_max_level(manager->settings.log_level);
        feeding_take_settings(&manager->feeding);
        reader_set_configure(&manager->feeding.set, manager->settings.sources);
        (void)reader_set_probe(&manager->feeding.set);
        set_threshold(manager);
        set_timers(manager);
        watch_random(manager);
        feeding_run(&manager->feeding); /* who owed an answer was stopped: ask again */
}

static void reload(Manager *manager) {
        _cleanup_settings_ Settings settings = {};
        _cleanup_messages_ Messages errors = {};
        char text[64];
        int r;

        (void)snprintf(
                text,
                sizeof(text),
                "RELOADING=1\nMONOTONIC_USEC=%llu",
                (unsigned long long)clock_monotonic_usec());
        (void)notify_send(text);
        r = options_load(
                manager->arguments.argc,
                manager->arguments.argv,
                &manager->settings,
                &settings,
                &errors,
                NULL);
        if (r == 0)
                r = devices_sort(&settings);
        messages_log(&errors, LOG_ERR);
        if (r != 0)
                log_error("The configuration was not read again; the old one stays in force");
        else {
                forget_other_file(manager, &settings);
                settings_deinit(&manager->settings);
                manager->settings = TAKE(settings, (Settings){});
                apply_settings(manager);
                log_notice("The configuration was read again");
        }
        (void)notify_send("READY=1");
}

/* Killed workers are gone within a millisecond. One in the depths of a driver is not waited for, nor
 * one whose mount namespace a busy kernel is slow to take down. */
static void reap_workers(void) {
        uint64_t now_usec, until_usec = clock_boottime_usec() + STOP_USEC;
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGCHLD);
        while ((now_usec = clock_boottime_usec()) < until_usec) {
                /* Below a second: STOP_USEC is. */
                const struct timespec left = { .tv_nsec = (long)(until_usec - now_usec) * 1000 };
                pid_t pid = waitpid(-1, NULL, WNOHANG);

                if (pid < 0)
                        return;
                if (pid == 0)
                        (void)sigtimedwait(&signals, NULL, &left);
        }
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;

        feeding_deinit(&manager->feeding);
        threshold_restore(&manager->threshold, &manager->root);
        status_deinit(&manager->status);
        vmfork_deinit(&manager->vmfork);
        vmfork_detect_deinit(&manager->vmfork_detect);
        kernel_events_deinit(&manager->kernel_events);
        manager->late_source = sd_event_source_disable_unref(manager->late_source);
        manager->post_source = sd_event_source_disable_unref(manager->post_source);
        manager->reseed_source = sd_event_source_disable_unref(manager->reseed_source);
        manager->watchdog_source = sd_event_source_disable_unref(manager->watchdog_source);
        (void)sd_event_unref(manager->event);

        random_close(&manager->random);
        rootdir_close(&manager->root);
        cleanup_close(&manager->runtime_fd);
        settings_deinit(&manager->settings);
        reap_workers();
        free(manager);
        return NULL;
}
