/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "rngd/daemonize.h"
#include "rngd/devices.h"
#include "rngd/manager.h"
#include "rngd/probe.h"
#include "rngd/runtime-directory.h"
#include "rngd/settings/options.h"
#include "rngd/status-client.h"

#define EX_ALREADY_RUNNING EX_TEMPFAIL

#define SEEDER_NAME    "entropy-seeder"
#define SEEDER_PROGRAM BINDIR "/" SEEDER_NAME

/* Started without them, the next files that are opened would get these numbers, and the log with
 * it: a line of it must not end up in a lock file or a device. */
static void fill_standard_files(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                /* -o must not write for ever to where nobody reads: its first write fails. */
                int flags = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;

                if (fcntl(fd, F_GETFD) < 0 &&
                    open("/dev/null", flags) != fd) // NOLINT(android-cloexec-open): inherited
                        return;                     /* no /dev: nothing to be done */
        }
}

/* Bytes of the kernel's RNG pass through here: no core file, and no debugger of another user. */
static void protect_memory(void) {
        const struct rlimit none = {};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static const int own_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };

static void block_signals(void) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        for (size_t i = 0; i < ELEMENTSOF(own_signals); i++)
                (void)sigaddset(&signals, own_signals[i]);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGXFSZ, SIG_IGN); /* EFBIG is told as a full disk is */
}

/* One that came while rngd ended must not end what comes next. */
static void unblock_signals(void) {
        sigset_t none;

        for (size_t i = 0; i < ELEMENTSOF(own_signals); i++) {
                (void)signal(own_signals[i], SIG_IGN);
                (void)signal(own_signals[i], SIG_DFL);
        }
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns an exit status, 0 to go on. A lock that cannot be made (a full /run) is no reason to let
 * the kernel starve; one that another rngd holds is. */
static int take_lock(const char *path, bool required) {
        pid_t holder = 0;
        int r;

        r = lock_file(path, &holder);
        if (r >= 0)
                return EXIT_SUCCESS;
        if (r == -EALREADY) {
                log_error("Another rngd runs already: pid %d holds %s", (int)holder, path);
                return EX_ALREADY_RUNNING;
        }
        (void)log_errno(required ? LOG_ERR : LOG_WARNING, r, "Cannot write %s", path);
        return required ? EX_CANTCREAT : EXIT_SUCCESS;
}

/* pid_file: NULL in the foreground, which has none. */
static int take_locks(const char *pid_file) {
        char path[256];
        int n, status;

        n = snprintf(path, sizeof(path), "%s/rngd.lock", runtime_directory());
        if (n > 0 && (size_t)n < sizeof(path)) {
                status = take_lock(path, false);
                if (status != EXIT_SUCCESS)
                        return status;
        }
        return pid_file ? take_lock(pid_file, true) : EXIT_SUCCESS;
}

static int exit_status_of(int error) {
        return error == -EPERM    ? EX_NOPERM
               : error == -ENODEV ? EX_UNAVAILABLE
               : error == -EINVAL ? EX_CONFIG
                                  : EXIT_FAILURE;
}

/* As a service of systemd rngd ends as the seeder, which saves a seed: a unit for that alone would
 * have a shutdown wait for another sandbox. Other init systems' scripts save one themselves. */
static void save_seed(void) {
        char *const argv[] = { (char *)SEEDER_NAME, (char *)"save", NULL };
        const char *socket = getenv("NOTIFY_SOCKET");

        if (!socket || !*socket)
                return;
        unblock_signals();
        (void)execv(SEEDER_PROGRAM, argv);
        if (errno != ENOENT)
                (void)log_errno(LOG_WARNING, negative_errno(), "Cannot run " SEEDER_PROGRAM);
}

static int serve(Settings *settings, ManagerArguments arguments) {
        bool foreground = settings->foreground;
        int log_level = settings->log_level;
        _cleanup_free_ char *pid_file = strdup(settings->pid_file);
        _cleanup_manager_ Manager *manager = NULL;
        _cleanup_close_ int ready_fd = -1;
        int r;

        if (!pid_file) {
                (void)log_errno(LOG_ERR, -ENOMEM, "Cannot start");
                return EXIT_FAILURE;
        }
        if (!foreground) {
                r = daemonize_start(&ready_fd);
                if (r < 0) {
                        (void)log_errno(LOG_ERR, r, "Cannot go to the background");
                        return EXIT_FAILURE;
                }
        }
        protect_memory();
        block_signals();

        r = manager_new(settings, arguments, &manager);
        if (r < 0)
                return exit_status_of(r);
        r = take_locks(foreground ? NULL : pid_file);
        if (r != EXIT_SUCCESS)
                return r;
        r = manager_start(manager);
        if (r < 0)
                return exit_status_of(r);

        if (!foreground) {
                log_open("rngd", LOG_TARGET_SYSLOG, log_level);
                daemonize_ready(&ready_fd);
        }
        r = manager_run(manager);
        manager = manager_free(manager);
        if (foreground && r == EXIT_SUCCESS)
                save_seed();
        /* As rng-tools does it, for scripts that look whether it is there. Last, since they start the
         * next one then. */
        if (!foreground)
                (void)unlink(pid_file);
        return r;
}

static bool reads_sources(Action action) {
        return action == ACTION_RUN || action == ACTION_LIST || action == ACTION_TEST ||
               action == ACTION_OUTPUT;
}

static int act(Settings *settings, ManagerArguments arguments) {
        if (reads_sources(settings->action) && devices_sort(settings) < 0)
                return EX_CONFIG;

        switch (settings->action) {
        case ACTION_RUN:
                return serve(settings, arguments);
        case ACTION_LIST:
                return probe_list(settings);
        case ACTION_TEST:
                return probe_rates(settings);
        case ACTION_OUTPUT:
                return probe_output(settings);
        case ACTION_STATUS:
        case ACTION_STATUS_JSON:
                return status_client(settings->action == ACTION_STATUS_JSON);
        case ACTION_HELP:
        case ACTION_VERSION:
        case ACTION_SOURCE_KEYS:
        case ACTION_HRNG_NAMES:
        default:
                return options_print(settings, stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
}

/* What was printed into a full disk was not told. */
static int check_output(int status) {
        int error = fflush(stdout) < 0 ? negative_errno() : ferror(stdout) ? -EIO : 0;

        if (error == 0 || error == -EPIPE) /* 'rngd -l | head' has what it wants */
                return status;
        (void)log_errno(LOG_ERR, error, "Cannot write to standard output");
        return status == EXIT_SUCCESS ? EX_IOERR : status;
}

int main(int argc, char *argv[]) {
        _cleanup_settings_ Settings settings = {};
        _cleanup_messages_ Messages errors = {}, notices = {};
        int r;

        fill_standard_files();
        log_open("rngd", log_target_detect(), LOG_NOTICE);
        r = options_load(argc, argv, NULL, &settings, &errors, &notices);
        if (r != 0) {
                messages_log(&errors, LOG_ERR);
                if (r < 0)
                        (void)log_errno(LOG_ERR, r, "Cannot read the configuration");
                return config_exit_status(r);
        }

        log_open("rngd", log_target_detect(), settings.log_level);
        messages_log(&notices, LOG_NOTICE);
        return check_output(act(&settings, (ManagerArguments){ .argc = argc, .argv = argv }));
}
