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
#include <sys/un.h>
#include <time.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "monitor/documents.h"
#include "monitor/sample/finish.h"
#include "monitor/sample/init.h"
#include "monitor/sample/pid1.h"
#include "monitor/sample/sampler.h"
#include "monitor/sample/write.h"

#define SAMPLER_NICE     (-10)
#define WRITE_TRIES      120U
#define WRITE_PAUSE_NSEC 500000000L
#define INIT_ROOT        "1/root"
#define EXEC_WAIT_MSEC   50

#define COMMAND_LINE_MAX_BYTES (1024U * 1024)

/* All of it, however long a boot loader and a bootconfig have made it. */
static void read_command_line(const Views *views, MonitorSettings *settings) {
        _cleanup_close_ int fd = openat(views->proc_fd, "cmdline", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        size_t length;

        if (fd >= 0 && io_read_all(fd, COMMAND_LINE_MAX_BYTES, &text, &length) >= 0)
                settings_take_command_line(settings, text);
        else
                /* Unknown: running the initramfs twice is better than not at all. */
                settings->rdinit = true;
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
        return true; /* the socket stays open until the sampler exits */
}

/* Makes the directory the root, if permitted, so that absolute links are resolved in it. */
static int enter_root(int fd) {
        if (fchdir(fd) < 0)
                return negative_errno();
        (void)!chroot(".");
        return 0;
}

/*
 * Keeps the child out of the way: a session of its own, a name that systemd spares when it kills
 * the processes of an initramfs (argv[0] begins with '@'), no open files below a root that will be
 * removed, and the highest OOM score.
 */
static void step_aside(const Views *views, char *argv[]) {
        int fd;

        (void)setsid();
        (void)signal(SIGHUP, SIG_IGN);
        (void)signal(SIGPIPE, SIG_IGN);
        sampler_block_signals(NULL);
        if (argv[0] && argv[0][0] != '\0')
                argv[0][0] = '@';
        (void)prctl(PR_SET_NAME, "entropy-monitor", 0, 0, 0);

        (void)!enter_root(views->proc_fd);
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

/* Creates the directories of the path, which may not exist this early. */
static void make_directories(const char *path) {
        char directory[SETTINGS_OUTPUT_MAX];

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
                (void)mkdir(directory, 0755);
        }
}

static int write_below_init(const Sampler *sampler, RecordingEnd end_why) {
        const char *path = sampler->settings.output;
        _cleanup_close_ int root = -1;
        int r;

        while (*path == '/')
                path++;
        /* The current root of PID 1. */
        root = openat(sampler->views.proc_fd, INIT_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return negative_errno();
        r = enter_root(root);
        if (r >= 0) {
                make_directories(path);
                r = write_recording(sampler, end_why, AT_FDCWD, path, &DOCUMENTS_DIRECTORY[1]);
        }
        /* Leave it again, since it may be removed. */
        (void)!enter_root(sampler->views.proc_fd);
        return r;
}

static void write_when_possible(const Sampler *sampler, RecordingEnd end_why) {
        const struct timespec pause = { .tv_nsec = WRITE_PAUSE_NSEC };
        int r;

        for (unsigned int i = 0; i < WRITE_TRIES; i++) {
                r = write_below_init(sampler, end_why);
                if (r >= 0)
                        return;
                (void)nanosleep(&pause, NULL);
        }
        views_complain(
                &sampler->views,
                "cannot write %s: %s",
                sampler->settings.output,
                strerror(-r));
}

static int sample_as_child(const MonitorSettings *settings, const Views *views, char *argv[]) {
        Sampler sampler;
        RecordingEnd end_why;
        int r;

        /* The sampler of the initramfs continues in the real root. */
        if (!pid1_take_name())
                return EXIT_SUCCESS;
        step_aside(views, argv);
        r = sampler_new(settings, views, &sampler);
        if (r < 0) {
                views_complain(views, "no memory to sample into");
                return EXIT_FAILURE;
        }
        sampler.as_pid1 = true;
        sampler_begin(&sampler);
        /* At normal priority it would wait behind all that a boot starts, and miss it. */
        (void)setpriority(PRIO_PROCESS, 0, SAMPLER_NICE);
        end_why = sampler_run(&sampler);
        json_avoid_random();
        write_when_possible(&sampler, end_why);
        sampler_free(&sampler);
        return EXIT_SUCCESS;
}

/*
 * Waits until the parent has executed the init, which closes its end of the pipe. Mapping and
 * locking memory takes milliseconds, by which the init would be late on a single processor. The
 * timeout is for an init on a slow disk.
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
         * Without a console the kernel leaves descriptors 0 to 2 closed, and the views may get
         * these numbers. They are closed on exec, so that the init finds what the kernel left.
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
                        views_complain(&views, "cannot fork, so nothing is recorded");
        }
        return init_execute(&settings, &views, argv);
}
