/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"

static int channel_fd = -1;

static void verb_ping(const Request *request, FILE *out) {
        fprintf(out, "\"r\":0,\"pid\":%d", (int)getpid());
}

static void verb_poweroff(const Request *request, FILE *out) {
        sync();
        (void)reboot(RB_POWER_OFF);
        json_result(out, -errno);
}

static const Verb verbs[] = {
        { "ping", verb_ping, 0, false },     { "poweroff", verb_poweroff, 0, false },
        { "spawn", verb_spawn, 2, false },   { "run", verb_run, 2, true },
        { "kill", verb_kill, 2, false },     { "stop", verb_stop, 3, true },
        { "wait", verb_wait, 2, false },     { "notify", verb_notify, 0, false },
        { "tree", verb_tree, 1, false },     { "read", verb_read, 1, true },
        { "write", verb_write, 2, false },   { "sock", verb_sock, 1, true },
        { "hold", verb_hold, 2, false },     { "kmsg", verb_kmsg, 0, false },
        { "random", verb_random, 0, false }, { "ioctl", verb_ioctl, 1, false },
        { "drain", verb_drain, 3, true },    { "wait-ready", verb_wait_ready, 1, true },
        { "insmod", verb_insmod, 1, true },  { "rmmod", verb_rmmod, 1, true },
        { "time", verb_time, 0, false },     { "set-time", verb_set_time, 1, false },
};

static void channel_write(const char *data, size_t n) {
        while (n > 0) {
                ssize_t written = write(channel_fd, data, n);

                if (written < 0 && errno != EINTR && errno != EAGAIN)
                        return;
                if (written > 0) {
                        data += written;
                        n -= (size_t)written;
                }
        }
}

static void answer(const Request *request, VerbFn run) {
        char *text = NULL;
        size_t n = 0;
        FILE *out;

        out = open_memstream(&text, &n);
        if (!out)
                abort();
        fprintf(out, "%s {", request->id);
        if (run)
                run(request, out);
        else
                fputs("\"r\":-22,\"error\":\"no such verb, or too few words\"", out);
        fputs("}\n", out);
        if (fclose(out) != 0)
                abort();
        channel_write(text, n);
        free(text);
}

static void dispatch(const Request *request) {
        const Verb *verb = NULL;

        for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
                if (strcmp(verbs[i].name, request->words[0]) == 0 &&
                    request->n_words > verbs[i].n_words_min)
                        verb = &verbs[i];
        if (!verb || !verb->in_child) {
                answer(request, verb ? verb->run : NULL);
                return;
        }
        if (fork() == 0) {
                (void)signal(SIGCHLD, SIG_DFL);
                answer(request, verb->run);
                _exit(0);
        }
}

static void percent_decode(char *word) {
        char *to = word;

        for (char *from = word; *from; from++) {
                char hex[3] = {};

                if (*from == '%' && from[1] && from[2]) {
                        memcpy(hex, from + 1, 2);
                        *to++ = (char)strtoul(hex, NULL, 16);
                        from += 2;
                } else
                        *to++ = *from;
        }
        *to = '\0';
}

static void handle_line(char *line) {
        Request request = {};
        char *save = NULL;

        request.id = strtok_r(line, " ", &save);
        if (!request.id)
                return;
        for (char *word;
             (word = strtok_r(NULL, " ", &save)) && request.n_words < (int)AGENT_WORDS_MAX;) {
                percent_decode(word);
                request.words[request.n_words++] = word;
        }
        if (request.n_words > 0)
                dispatch(&request);
}

static __attribute__((noreturn)) void serve(void) {
        static char buffer[262144];
        size_t size = 0;

        for (;;) {
                bool readable = false;
                char *end;

                process_poll_notify(1000, channel_fd, &readable);
                process_reap();
                if (readable) {
                        ssize_t n = read(channel_fd, buffer + size, sizeof(buffer) - size - 1U);

                        if (n > 0)
                                size += (size_t)n;
                        else if (n == 0)
                                sleep_usec(10000);
                        buffer[size] = '\0';
                }
                while ((end = memchr(buffer, '\n', size))) {
                        size_t used = (size_t)(end - buffer) + 1U;

                        *end = '\0';
                        handle_line(buffer);
                        memmove(buffer, buffer + used, size - used);
                        size -= used;
                }
                if (size >= sizeof(buffer) - 1U)
                        size = 0;
        }
}

/* What an init would have done; an initramfs has nothing mounted. */
static void mount_all(void) {
        static const char *const directories[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

        for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
                (void)mkdir(directories[i], 0755);
        (void)mount("proc", "/proc", "proc", 0, NULL);
        (void)mount("sysfs", "/sys", "sysfs", 0, NULL);
        (void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
        (void)mount("tmpfs", "/run", "tmpfs", 0, "mode=0755");
        (void)mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777");
}

/* Opened without O_NOCTTY games: the agent is a session leader of its own and must survive a hangup. */
static int channel_open(const char *path) {
        struct termios raw;
        int fd;

        fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (tcgetattr(fd, &raw) == 0) {
                cfmakeraw(&raw);
                raw.c_cflag |= CLOCAL;
                (void)cfsetspeed(&raw, B115200);
                (void)tcsetattr(fd, TCSANOW, &raw);
        }
        return fd;
}

/* The kernel hands unknown parameters of its command line, agent=/dev/ttyS1 here, to init's environment. */
int main(int argc, char **argv) {
        const char *path = argc > 1 ? argv[1] : getenv("agent");
        static const char hello[] = "hello {\"r\":0}\n";

        if (getpid() == 1)
                mount_all();
        (void)signal(SIGHUP, SIG_IGN);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)umask(0022);
        (void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        channel_fd = channel_open(path ? path : "/dev/ttyS1");
        if (channel_fd < 0) {
                fprintf(stderr,
                        "agent: cannot open %s: %s\n",
                        path ? path : "/dev/ttyS1",
                        strerror(-channel_fd));
                sleep_usec(2000000);
                return 1;
        }
        channel_write(hello, sizeof(hello) - 1U);
        serve();
}
