/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <time.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "monitor/documents.h"
#include "monitor/finish.h"
#include "monitor/pid1.h"
#include "monitor/sampler.h"
#include "monitor/write.h"

#define COMMAND_LINE_MAX   4096U
#define RAMFS_MAGIC_NUMBER 0x858458f6L
#define TMPFS_MAGIC_NUMBER 0x01021994L
#define SAMPLER_NICE       (-10)
#define WRITE_TRIES        120U
#define WRITE_PAUSE_NSEC   500000000L
#define INIT_ROOT          "1/root"
#define EXEC_WAIT_MSEC     50

/* Both places, since either may be missing this early; a boot does not depend on the words. */
static void complain(const Views *views, const char *text) {
        _cleanup_close_ int fd = -1;

        fd = openat(views->dev_fd, "kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
                (void)dprintf(fd, "<4>entropy-monitor: %s\n", text);
        else
                (void)dprintf(STDERR_FILENO, "entropy-monitor: %s\n", text);
}

static void read_command_line(const Views *views, MonitorSettings *settings) {
        char text[COMMAND_LINE_MAX];

        if (io_read_text_at(views->proc_fd, "cmdline", text, sizeof(text)) >= 0)
                settings_take_command_line(settings, text);
}

bool pid1_take_name(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = FINISH_SOCKET_NAME };
        int fd;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return true;
        if (bind(fd, (const struct sockaddr *)&address, FINISH_SOCKET_SIZE) < 0) {
                bool taken = errno == EADDRINUSE;

                (void)close(fd);
                return !taken;
        }
        (void)listen(fd, 1);
        return true; /* the socket stays open as long as the sampler lives */
}

/*
 * What keeps the child out of everybody's way: a session of its own, a name that systemd spares
 * when it kills all that is left of an initramfs (argv[0] begins with '@'), nothing open below a
 * root that will go, and the first to be killed where memory runs out.
 */
static void step_aside(const Views *views, char *argv[]) {
        sigset_t signals;
        int fd;

        (void)setsid();
        (void)signal(SIGHUP, SIG_IGN);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        if (argv[0] && argv[0][0] != '\0')
                argv[0][0] = '@';
        (void)prctl(PR_SET_NAME, "entropy-monitor", 0, 0, 0);

        if (fchdir(views->proc_fd) >= 0)
                (void)!chroot(".");
        fd = openat(views->dev_fd, "null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        for (int standard = 0; standard <= 2; standard++)
                if (fd >= 0)
                        (void)dup3(fd, standard, 0);
                else
                        (void)close(standard);
        if (fd > 2)
                (void)close(fd);

        fd = openat(views->proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
                (void)!write(fd, "1000", 4);
                (void)close(fd);
        }
}

/* The folders of the path, which are missing as long as nobody else has used them. */
static void make_folders(int root, const char *path) {
        char folder[SETTINGS_OUTPUT_MAX];

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
                if (folder[0])
                        (void)mkdirat(root, folder, 0755);
        }
}

static int write_below_init(const Sampler *sampler, SamplerEnd end_why) {
        const char *path = sampler->settings.output;
        _cleanup_close_ int root = -1;

        while (*path == '/')
                path++;
        /* The root of PID 1, wherever it has gone since. */
        root = openat(sampler->views.proc_fd, INIT_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return negative_errno();
        make_folders(root, path);
        return write_recording(sampler, end_why, root, path, INIT_ROOT DOCUMENTS_FOLDER);
}

static void write_when_possible(const Sampler *sampler, SamplerEnd end_why) {
        const struct timespec pause = { .tv_nsec = WRITE_PAUSE_NSEC };
        char text[320];
        int r;

        for (unsigned int i = 0; i < WRITE_TRIES; i++) {
                r = write_below_init(sampler, end_why);
                if (r >= 0)
                        return;
                (void)nanosleep(&pause, NULL);
        }
        (void)snprintf(
                text,
                sizeof(text),
                "cannot write %s: %s",
                sampler->settings.output,
                strerror(-r));
        complain(&sampler->views, text);
}

static int sample_as_child(const MonitorSettings *settings, const Views *views, char *argv[]) {
        Sampler sampler;
        SamplerEnd end_why;
        int r;

        /* That of the initramfs goes on in the real root. */
        if (!pid1_take_name())
                return EXIT_SUCCESS;
        step_aside(views, argv);
        r = sampler_new(settings, views, &sampler);
        if (r < 0) {
                complain(views, "no memory to sample into");
                return EXIT_FAILURE;
        }
        sampler.as_pid1 = true;
        sampler_begin(&sampler);
        /* One that waits for its turn behind everything a boot starts would see little of it. */
        (void)setpriority(PRIO_PROCESS, 0, SAMPLER_NICE);
        end_why = sampler_run(&sampler);
        json_avoid_random();
        write_when_possible(&sampler, end_why);
        sampler_free(&sampler);
        return EXIT_SUCCESS;
}

static bool in_initramfs(void) {
        struct statfs status;

        return statfs("/", &status) >= 0 && ((long)status.f_type == RAMFS_MAGIC_NUMBER ||
                                             (long)status.f_type == TMPFS_MAGIC_NUMBER);
}

/* Somebody may have put the monitor in init's very place: it must not start itself for ever. */
static bool is_self(const Views *views, const char *path) {
        struct stat self, other;

        if (fstatat(views->proc_fd, "self/exe", &self, 0) < 0 || stat(path, &other) < 0)
                return false;
        return self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

static void try_init(const Views *views, const char *path, char *argv[]) {
        char name[SETTINGS_INIT_MAX];

        if (is_self(views, path))
                return;
        (void)snprintf(name, sizeof(name), "%s", path);
        argv[0] = name;
        (void)execv(path, argv);
}

static int become_init(const MonitorSettings *settings, const Views *views, char *argv[]) {
        static const char *const paths[] = {
                "/sbin/init",
                "/usr/lib/systemd/systemd",
                "/lib/systemd/systemd",
                "/etc/init",
                "/bin/init",
                "/bin/sh",
        };
        char text[SETTINGS_INIT_MAX + 64];

        if (in_initramfs())
                try_init(views, "/init", argv);
        if (settings->init[0]) {
                try_init(views, settings->init, argv);
                (void)snprintf(
                        text,
                        sizeof(text),
                        "cannot execute entropy.init=%s: %s",
                        settings->init,
                        strerror(errno));
                complain(views, text);
        }
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                try_init(views, paths[i], argv);
        complain(views, "found no init to execute");
        return EXIT_FAILURE;
}

/*
 * To map and lock memory takes milliseconds, which a single processor must not take from the init.
 * The end of the pipe that the parent holds is closed when it executes the init; the time is for one
 * that a slow disk has to be asked for.
 */
static void let_init_pass(int pipe_fd) {
        struct pollfd entry = { .fd = pipe_fd, .events = POLLIN };

        if (pipe_fd >= 0)
                (void)poll(&entry, 1, EXEC_WAIT_MSEC);
}

int pid1_main(int argc, char *argv[]) {
        _cleanup_close_ int child_fd = -1, parent_fd = -1;
        int pipe_fds[2];
        MonitorSettings settings;
        Views views;
        pid_t pid;

        (void)argc;
        /*
         * A kernel without a console leaves descriptors 0 to 2 closed, and the views may land
         * there. They are closed on exec like the others, so init finds what the kernel left.
         */
        views_open(true, &views);
        settings_defaults(&settings);
        read_command_line(&views, &settings);

        if (!settings.off) {
                if (pipe2(pipe_fds, O_CLOEXEC) >= 0) {
                        child_fd = pipe_fds[0];
                        parent_fd = pipe_fds[1];
                }
                pid = fork();
                if (pid == 0) {
                        cleanup_close(&parent_fd);
                        let_init_pass(child_fd);
                        cleanup_close(&child_fd);
                        _exit(sample_as_child(&settings, &views, argv));
                }
                if (pid < 0)
                        complain(&views, "cannot fork, so nothing is recorded");
        }
        return become_init(&settings, &views, argv);
}
