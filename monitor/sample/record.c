/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "monitor/documents.h"
#include "monitor/options.h"
#include "monitor/sample/pid1.h"
#include "monitor/sample/record.h"
#include "monitor/sample/sampler.h"
#include "monitor/sample/write.h"

#define EX_NOT_FOUND 127

static bool read_options(int argc, char *argv[], MonitorSettings *settings, int *ret_status) {
        settings_defaults(settings);
        settings->until = UNTIL_DURATION;
        settings->duration_usec = SETTINGS_RECORD_DURATION;
        (void)stpcpy(settings->output, "entropy.json");
        if (!options_read(
                    &settings_table,
                    "record [OPTION...] [-- COMMAND...]",
                    argc,
                    argv,
                    settings,
                    ret_status))
                return false;
        /* The default duration must not come before another end that was given. */
        if (settings->duration_origin == ORIGIN_DEFAULT &&
            (settings->until != UNTIL_DURATION || settings->command))
                settings->duration_usec = SETTINGS_MAX_DURATION;
        return true;
}

/* The words from the first one of the command on. */
static char **command_of(const MonitorSettings *settings, char *argv[]) {
        while (*argv && *argv != settings->command)
                argv++;
        return argv;
}

/* Like vfork(). After a fork() the sampler's pages would be copy-on-write and fault. */
static int spawn(char *argv[], const sigset_t *mask, pid_t *ret_pid) {
        posix_spawnattr_t attributes;
        int r;

        r = posix_spawnattr_init(&attributes);
        if (r != 0)
                return -r;
        r = posix_spawnattr_setsigmask(&attributes, mask);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawnp(ret_pid, argv[0], NULL, &attributes, argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
        return -r;
}

static int write_out(const Sampler *sampler, RecordingEnd end_why) {
        const char *path = sampler->settings.output;
        int r;

        if (strncmp(path, DOCUMENTS_DIRECTORY "/", strlen(DOCUMENTS_DIRECTORY "/")) == 0)
                (void)mkdir(DOCUMENTS_DIRECTORY, 0755);
        r = write_recording(sampler, end_why, AT_FDCWD, path, DOCUMENTS_DIRECTORY);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot write %s", path);
                return EX_CANTCREAT;
        }
        log_notice(
                "%s: %zu samples, %zu events, %zu blocked, %" PRIu64 " s",
                path,
                sampler->trace.n_samples,
                sampler->trace.n_events,
                sampler->trace.n_spans,
                (sampler->ended_usec - sampler->trace.started_usec) / USEC_PER_SEC);
        return EXIT_SUCCESS;
}

/* Checked early, so that a long recording is not lost to a path that cannot be written. */
static bool can_write(const char *path) {
        char directory[SETTINGS_OUTPUT_MAX];
        char *slash;

        if (strncmp(path, DOCUMENTS_DIRECTORY "/", strlen(DOCUMENTS_DIRECTORY "/")) == 0)
                return true;
        (void)stpcpy(directory, path);
        slash = strrchr(directory, '/');
        if (slash)
                slash[slash == directory ? 1 : 0] = '\0';
        return access(slash ? directory : ".", W_OK) >= 0;
}

static int exit_status_of(const Sampler *sampler, RecordingEnd end_why) {
        int status = sampler->command_status;

        if (end_why != RECORDING_END_COMMAND)
                return EXIT_SUCCESS;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(Sampler *sampler, char *command[], const sigset_t *mask) {
        RecordingEnd end_why;
        int r;

        if (sampler->level_fd < 0)
                log_warning("Cannot read entropy_avail: the level is missing");
        if (command[0]) {
                r = spawn(command, mask, &sampler->command_pid);
                if (r < 0) {
                        (void)log_errno(LOG_ERR, r, "Cannot run %s", command[0]);
                        return EX_NOT_FOUND;
                }
        }
        sampler_begin(sampler);
        end_why = sampler_run(sampler);
        json_avoid_random();
        r = write_out(sampler, end_why);
        return r != EXIT_SUCCESS ? r : exit_status_of(sampler, end_why);
}

int record_main(int argc, char *argv[]) {
        MonitorSettings settings;
        Views views;
        Sampler sampler;
        sigset_t before;
        int r;

        if (!read_options(argc, argv, &settings, &r))
                return r;
        if (!can_write(settings.output)) {
                (void)log_errno(LOG_ERR, negative_errno(), "Cannot write %s", settings.output);
                return EX_CANTCREAT;
        }
        if (settings.until == UNTIL_BOOT && !pid1_take_name()) {
                log_error("Another recording waits for the end of the boot already");
                return EX_TEMPFAIL;
        }
        sampler_block_signals(&before);
        views_open(false, &views);
        r = sampler_new(&settings, &views, &sampler);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot sample");
                return EXIT_FAILURE;
        }
        r = run(&sampler, command_of(&settings, argv), &before);
        sampler_free(&sampler);
        views_close(&views);
        return r;
}
