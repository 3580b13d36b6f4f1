/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/feed/state-mount.h"
#include "seeder/bind-virtio-rng.h"
#include "seeder/command-line.h"
#include "seeder/settings.h"
#include "seeder/state/report-file.h"
#include "seeder/state/saved.h"

/* As long as systemd lets a run that it tells to end. */
#define LOCK_TRIES         50
#define LOCK_INTERVAL_NSEC (20 * 1000 * 1000)

#define IMAGE_NAME    "entropy-image"
#define IMAGE_PROGRAM BINDIR "/" IMAGE_NAME

/* What a record of the kernel's log can hold besides its prefix. */
#define SUMMARY_MAX 900U

/* Bytes of the kernel's RNG pass through here: no core file, and no debugger of another user. */
static void protect_memory(void) {
        const struct rlimit none = {};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The one line that is left of a boot when nothing else is: <5> is LOG_NOTICE. */
static void tell_kernel_log(const char *summary) {
        _cleanup_close_ int fd = -1;
        char line[SUMMARY_MAX + 64];
        int n;

        fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return;
        n = snprintf(line, sizeof(line), "<5>entropy-seeder: %s\n", summary);
        if (n > 0 && io_write_full(fd, line, MIN((size_t)n, sizeof(line) - 1)) < 0)
                log_debug("Cannot write to the kernel's log");
}

static int run(const RunSettings *settings) {
        _cleanup_free_ RunReport *run_report = calloc(1, sizeof(*run_report));
        char summary[SUMMARY_MAX];
        int r;

        r = run_report ? run_all(settings, run_report) : -ENOMEM;
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot feed the kernel's RNG");
                return r == -EPERM ? EX_NOPERM : EXIT_FAILURE;
        }

        run_report_summary(run_report, summary, sizeof(summary));
        if (settings->dry_run)
                (void)puts(summary);
        else {
                log_info("%s", summary);
                tell_kernel_log(summary);
        }
        return run_report->ready || settings->dry_run ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

/* A run that is told to end at the same time, as at a shutdown, saves nothing and releases it. */
static int open_state(SeedFile *ret_file) {
        const struct timespec interval = { .tv_nsec = LOCK_INTERVAL_NSEC };
        int r = SEED_FILE_E_BUSY;

        for (int i = 0; i < LOCK_TRIES && r == SEED_FILE_E_BUSY; i++) {
                if (i > 0)
                        (void)nanosleep(&interval, NULL);
                r = seed_file_open(SETTINGS_STATE_DIRECTORY, true, ret_file);
        }
        return r;
}

static int save(const RootDir *root) {
        SeedFile file = SEED_FILE_NULL;
        _cleanup_free_ RunReport *run_report = calloc(1, sizeof(*run_report));
        int r;

        if (state_mount_missing(root, SETTINGS_STATE_DIRECTORY)) {
                log_error("Cannot save a seed: what should be mounted at " SETTINGS_STATE_DIRECTORY
                          " or above it is not");
                return EX_CANTCREAT;
        }
        r = run_report ? open_state(&file) : -ENOMEM;
        if (r > 0) {
                log_notice("Another entropy-seeder runs and saves a seed when it ends");
                return EX_TEMPFAIL;
        }
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot save a seed in " SETTINGS_STATE_DIRECTORY);
                return EX_CANTCREAT;
        }
        r = saved_save(&file, root, run_report);
        if (run_report->n_lines > 0)
                log_message(
                        r < 0 ? LOG_ERR : LOG_NOTICE,
                        "New seed: %s",
                        run_report->lines[0].note);
        seed_file_close(&file);
        return r < 0 ? EX_CANTCREAT : EXIT_SUCCESS;
}

/* Logs what was wrong with the settings; an exit status. */
static int tell_errors(int r, const Messages *errors) {
        messages_log(errors, LOG_ERR);
        if (r < 0)
                (void)log_errno(LOG_ERR, r, "Cannot read the configuration");
        return config_exit_status(r);
}

/* Returns an exit status, 0 to go on. The command lines are above the file, so they come again. */
static int read_file(Settings *settings, int argc, char *argv[]) {
        _cleanup_messages_ Messages errors = {};
        const char *path = settings->config_path;
        int r;

        r = settings_read_file(settings, path ? path : SETTINGS_DEFAULT_CONFIG, path, &errors);
        if (r == 0) {
                command_line_apply(settings);
                r = settings_read_options(settings, argc, argv, &errors);
        }
        return r == 0 ? EXIT_SUCCESS : tell_errors(r, &errors);
}

static int act(Settings *settings, const RootDir *root) {
        const bool detect = settings->phase_origin == ORIGIN_DEFAULT;
        RunSettings run_settings;

        if (!settings->enabled) {
                log_notice("Switched off in the configuration");
                return EXIT_SUCCESS;
        }
        if (settings->action == ACTION_SAVE)
                return settings->seed_file ? save(root) : EXIT_SUCCESS;
        settings_make_run(settings, detect ? phase_detect(root) : settings->phase, &run_settings);
        return run(&run_settings);
}

/* A program of its own, so that an initramfs does not carry it, and a builder needs no daemon. */
static int run_image(char *argv[]) {
        argv[0] = (char *)IMAGE_NAME;
        (void)execv(IMAGE_PROGRAM, argv);
        log_error(
                "Cannot run " IMAGE_PROGRAM ": %s%s",
                strerror(errno),
                errno == ENOENT ? "; install the package guest-entropy-image-tools" : "");
        return EX_UNAVAILABLE;
}

int main(int argc, char *argv[]) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        _cleanup_settings_ Settings settings = {};
        _cleanup_messages_ Messages errors = {};
        int r;

        log_open("entropy-seeder", log_target_detect(), LOG_NOTICE);
        (void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is told as a full disk is */
        if (argc >= 2 && strcmp(argv[1], "image") == 0)
                return run_image(argv + 1);
        if (argc >= 2 && strcmp(argv[1], "bind-virtio-rng") == 0)
                return rootdir_open("/", &root) < 0 ? EXIT_FAILURE
                                                    : bind_virtio_rngs(&root, argv + 2);

        r = settings_init(&settings);
        if (r == 0)
                r = settings_read_options(&settings, argc, argv, &errors);
        if (r != 0)
                return tell_errors(r, &errors);
        log_set_max_level(settings.log_level);
        switch (settings.action) {
        case ACTION_HELP:
                settings_print_help(stdout);
                return EXIT_SUCCESS;
        case ACTION_VERSION:
                (void)puts("entropy-seeder (guest-entropy) " PACKAGE_VERSION);
                return EXIT_SUCCESS;
        case ACTION_REPORT:
        case ACTION_REPORT_JSON:
                return report_file_report(settings.action == ACTION_REPORT_JSON);
        case ACTION_RUN:
        case ACTION_SAVE:
        default:
                break;
        }

        protect_memory();
        if (rootdir_open("/", &root) < 0) {
                log_error("Cannot open /");
                return EXIT_FAILURE;
        }
        command_line_read(&root, &settings);
        if (settings.n_ignored > 0)
                log_warning(
                        "%u words entropy.* on the kernel's command line make no sense, ignoring",
                        settings.n_ignored);
        if (!settings.kernel_line)
                log_warning("Cannot read the kernel's command line, so nothing is credited");
        if (settings.off) {
                log_notice("Switched off by entropy.seeder= on the kernel's command line");
                return EXIT_SUCCESS;
        }
        r = read_file(&settings, argc, argv);
        return r == EXIT_SUCCESS ? act(&settings, &root) : r;
}
