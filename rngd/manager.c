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
#include "rngd/manager.h"
#include "rngd/notify.h"
#include "rngd/options.h"
#include "rngd/runtime-directory.h"

#define STOP_USEC (80 * USEC_PER_MSEC)

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

static void restore_threshold(Manager *manager) {
        int r;

        if (!manager->threshold_changed)
                return;
        r = random_set_threshold_bits(&manager->root, manager->threshold_saved_bits);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot restore write_wakeup_threshold");
        manager->threshold_changed = false;
        manager->threshold_bits = 0;
}

/* On a latching kernel the file takes anything and means nothing: refill_threshold_bits() says 0. */
static void set_threshold(Manager *manager) {
        const Watermark *watermark = &manager->settings.watermark;
        uint32_t bits = refill_threshold_bits(
                manager->feeding.model,
                manager->feeding.pool_bits,
                watermark->value,
                watermark->unit == WATERMARK_PERCENT);
        int r;

        if (bits == 0) {
                restore_threshold(manager);
                return;
        }
        r = manager->threshold_changed
                    ? 0
                    : random_threshold_bits(&manager->root, &manager->threshold_saved_bits);
        if (r >= 0)
                r = random_set_threshold_bits(&manager->root, bits);
        if (r < 0) {
                (void)log_errno(LOG_WARNING, r, "Cannot set write_wakeup_threshold, ignoring");
                return;
        }
        manager->threshold_changed = true;
        manager->threshold_bits = bits;
}

/* ---- what the feeding reports ---- */

static void look_for_fork(void *userdata) {
        watch_look_for_fork(userdata);
}

/* Said once: a source is there, and the kernel will not become ready by it. */
static void tell_no_credit(Manager *manager) {
        const Feeding *feeding = &manager->feeding;

        if (manager->no_credit_told || feeding->ready || !feeding_has_source(feeding))
                return;
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const CreditInput credit = reader_credit_input(&feeding->readers[id]);
                const ReaderState state = feeding->readers[id].state;

                if ((state == READER_IDLE || state == READER_WAITING) &&
                    credit_per_1024(&credit) > 0)
                        return;
        }
        manager->no_credit_told = true;
        log_notice("The kernel's RNG waits, and no source here is credited: it will not become "
                   "ready by rngd");
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const Reader *reader = &feeding->readers[id];
                CreditInput credit = reader_credit_input(reader);

                if (reader->state != READER_IDLE && reader->state != READER_WAITING)
                        continue;
                credit.healthy = true;
                credit.length_bytes = HEALTH_MIN_BATCH_BYTES;
                log_notice(
                        "%s (%s): %s%s",
                        source_name(id),
                        reader_detail(reader),
                        credit_reason_to_string(credit_judge(&credit).reason),
                        credit.source_class == SOURCE_CLASS_CONFIGURED
                                ? "; what its bytes are worth is said by credit= or by -e"
                                : "");
        }
}

static void on_settled(void *userdata, uint32_t fresh_bits, bool reseeded) {
        Manager *manager = userdata;

        tell_no_credit(manager);
        if (manager->fork.pending)
                fork_done(manager, fresh_bits, reseeded);
}

static void on_over(void *userdata, bool no_source) {
        Manager *manager = userdata;

        if (no_source && manager->settings.require_source)
                (void)sd_event_exit(manager->event, EX_UNAVAILABLE);
        watch_level(manager);
}

static void on_no_source(void *userdata) {
        log_notice("No source works here; waiting for one");
}

/* ---- life ---- */

static int open_runtime_directory(Manager *manager) {
        manager->runtime_directory = strdup(runtime_directory());
        if (!manager->runtime_directory)
                return -ENOMEM;

        (void)mkdir(manager->runtime_directory, 0755);
        manager->runtime_fd = open(manager->runtime_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (manager->runtime_fd < 0)
                (void)log_errno(
                        LOG_WARNING,
                        negative_errno(),
                        "Cannot use %s, going on without status and generation",
                        manager->runtime_directory);
        return 0;
}

static int build(Manager *manager) {
        int r;

        r = sd_event_new(&manager->event);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot make an event loop");
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
        r = open_runtime_directory(manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot name the runtime directory");
        feeding_set_runtime(&manager->feeding, manager->runtime_fd);
        return 0;
}

int manager_new(Settings *settings, ManagerArguments arguments, Manager **ret_manager) {
        _cleanup_manager_ Manager *manager = NULL;
        int r;

        manager = calloc(1, sizeof(*manager));
        if (!manager)
                return log_errno(LOG_ERR, -ENOMEM, "Cannot start");
        manager->settings = TAKE(*settings, (Settings){});
        manager->arguments = arguments;
        manager->root.fd = manager->runtime_fd = manager->random.fd = -1;
        manager->watch = (Watch)WATCH_NULL;
        manager->kmsg = (KmsgWatch)KMSG_WATCH_NULL;
        manager->status = (Status)STATUS_NULL;
        manager->started_usec = clock_boottime_usec();

        r = build(manager);
        if (r < 0)
                return r;
        *ret_manager = TAKE_PTR(manager);
        return 0;
}

/* All that need not be there for the first bytes to be fed. */
static int on_late(sd_event_source *s, void *userdata) {
        Manager *manager = userdata;

        watch_start_late(manager);
        fork_start(manager);
        status_start(manager);
        status_update(manager);
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
                manager->feeding.confidential ? "; confidential guest: only the CPU is credited"
                                              : "");
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const Reader *reader = &manager->feeding.readers[id];
                const char *detail = reader_detail(reader);

                log_info(
                        "Source %s: %s%s%s%s",
                        source_name(id),
                        reader_state_to_string(reader->state),
                        detail[0] ? " (" : "",
                        detail,
                        detail[0] ? ")" : "");
        }
        if (!feeding_has_source(&manager->feeding))
                on_no_source(NULL);
        if (manager->settings.watermark_given && manager->feeding.model == RANDOM_MODEL_LATCHING &&
            manager->settings.watermark.unit != WATERMARK_KEEP)
                log_notice("-W: not used; once it is ready this kernel never calls for more, and "
                           "rngd feeds it after the events that rngd(8) lists");
}

int manager_start(Manager *manager) {
        int r;

        r = watch_start(manager);
        if (r < 0)
                return r;
        r = sd_event_add_defer(manager->event, &manager->watch.late_source, on_late, manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot start the event loop");

        (void)feeding_probe(&manager->feeding);
        if (manager->settings.require_source && !feeding_has_source(&manager->feeding))
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
                manager->feeding.readers[SOURCE_FILE].file_offset = 0;
}

static void apply_settings(Manager *manager) {
        log_set_max_level(manager->settings.log_level);
        feeding_configure(&manager->feeding);
        set_threshold(manager);
        watch_timers(manager);
        watch_level(manager);
        feeding_run(&manager->feeding); /* who owed an answer was stopped: ask again */
}

void manager_reload(Manager *manager) {
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
        restore_threshold(manager);
        status_deinit(manager);
        fork_deinit(&manager->fork);
        manager->watch.late_source = sd_event_source_disable_unref(manager->watch.late_source);
        manager->watchdog_source = sd_event_source_disable_unref(manager->watchdog_source);
        watch_deinit(&manager->watch);
        watch_kmsg_deinit(&manager->kmsg);
        (void)sd_event_unref(manager->event);

        random_close(&manager->random);
        rootdir_close(&manager->root);
        cleanup_close(&manager->runtime_fd);
        free(manager->runtime_directory);
        settings_deinit(&manager->settings);
        reap_workers();
        free(manager);
        return NULL;
}
