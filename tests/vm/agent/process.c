/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define PROCESS_CHILDREN_MAX 64U
#define PROCESS_MESSAGES_MAX 256U

typedef struct Child {
        pid_t pid, reported_pid; /* reported: the traced program when a tracer stands between */
        int status;
        uint64_t ended_usec;
} Child;

static Child children[PROCESS_CHILDREN_MAX];
static int notify_fd = -1;
static struct {
        uint64_t at_usec;
        char text[512];
} messages[PROCESS_MESSAGES_MAX];
static size_t n_messages;

static int notify_open(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (notify_fd >= 0)
                return 0;
        (void)unlink(path);
        memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1U));
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (notify_fd < 0 || bind(notify_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return 0;
}

static void notify_receive(void) {
        char text[sizeof(messages->text)];
        ssize_t n;

        while ((n = recv(notify_fd, text, sizeof(text) - 1U, 0)) >= 0) {
                if (n_messages == PROCESS_MESSAGES_MAX)
                        n_messages--;
                text[n] = '\0';
                memcpy(messages[n_messages].text, text, (size_t)n + 1U);
                messages[n_messages++].at_usec = now_usec(CLOCK_BOOTTIME);
        }
}

void process_poll_notify(int timeout_msec, int channel_fd, bool *ret_readable) {
        struct pollfd fds[2] = {
                { .fd = channel_fd, .events = POLLIN },
                { .fd = notify_fd, .events = POLLIN },
        };

        *ret_readable = false;
        if (poll(fds, notify_fd >= 0 ? 2 : 1, timeout_msec) <= 0)
                return;
        if (notify_fd >= 0 && fds[1].revents)
                notify_receive();
        *ret_readable = fds[0].revents != 0;
}

void process_reap(void) {
        int status = 0;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                for (size_t i = 0; i < PROCESS_CHILDREN_MAX; i++)
                        if (children[i].pid == pid && children[i].ended_usec == 0) {
                                children[i].status = status;
                                children[i].ended_usec = now_usec(CLOCK_BOOTTIME);
                        }
}

static pid_t parent_of(pid_t pid, char *ret_state) {
        char path[64], *data = NULL, *rest;
        size_t n = 0;
        pid_t parent = 0;
        char state = 'X';

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (read_file(path, &data, &n) >= 0) {
                /* "PID (NAME) S PPID": the name may hold anything, a bracket too. */
                rest = strrchr(data, ')');
                if (rest && rest[1] == ' ' && rest[2] != '\0') {
                        state = rest[2];
                        parent = (pid_t)strtol(rest + 3, NULL, 10);
                }
        }
        free(data);
        if (ret_state)
                *ret_state = state;
        return parent;
}

size_t process_tree(pid_t root, pid_t pids[static AGENT_TREE_MAX]) {
        size_t n = 1;
        bool grown = true;

        pids[0] = root;
        /* Until nothing is added: /proc lists by number, a child's number may be smaller than its parent's. */
        while (grown) {
                DIR *proc = opendir("/proc");
                struct dirent *entry;

                grown = false;
                while (proc && (entry = readdir(proc))) {
                        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), parent;
                        bool inside = false, listed = false;

                        if (pid <= 1)
                                continue;
                        parent = parent_of(pid, NULL);
                        for (size_t i = 0; i < n; i++) {
                                inside = inside || pids[i] == parent;
                                listed = listed || pids[i] == pid;
                        }
                        if (inside && !listed && n < AGENT_TREE_MAX) {
                                pids[n++] = pid;
                                grown = true;
                        }
                }
                if (proc)
                        (void)closedir(proc);
        }
        return n;
}

bool process_is_gone(pid_t pid) {
        char state;

        (void)parent_of(pid, &state);
        return state == 'X' || state == 'Z';
}

static SpawnOptions options_from(const Request *request) {
        const char *uid = request_option(request, "uid"),
                   *stop_at = request_option(request, "stop_at");
        SpawnOptions options = {
                .log_path = request_option(request, "log"),
                .notify_path = request_option(request, "notify"),
                .watchdog_usec = request_option(request, "watchdog"),
                .trace_path = request_option(request, "trace"),
                .steps_directory = request_option(request, "steps"),
                .stop_at = stop_at ? parse_u64(stop_at) : 0,
                .uid = uid ? strtol(uid, NULL, 10) : 0,
                .env = (char **)request->words + 1,
        };

        for (int i = 1; i < request->n_words; i++)
                if (strcmp(request->words[i], "--") == 0 && i + 1 < request->n_words) {
                        options.argv = (char **)request->words + i + 1;
                        break;
                }
        return options;
}

/*
 * spawn [log=F] [notify=SOCKET] [watchdog=USEC] [trace=F [steps=DIRECTORY [stop_at=N]]] [uid=N] [env=K=V...]
 *       -- PROGRAM [ARG...]
 */
void verb_spawn(const Request *request, FILE *out) {
        SpawnOptions options = options_from(request);
        uint64_t at = now_usec(CLOCK_BOOTTIME);
        pid_t pid = -1;
        int r = 0;

        if (!options.argv)
                r = -EINVAL;
        if (r >= 0 && options.notify_path)
                r = notify_open(options.notify_path);
        if (r >= 0)
                r = spawn_program(&options, &pid);
        json_result(out, r);
        if (r < 0)
                return;
        for (size_t i = 0; i < PROCESS_CHILDREN_MAX; i++)
                if (children[i].pid == 0 || children[i].ended_usec > 0) {
                        children[i] = (Child){ .pid = pid, .reported_pid = pid };
                        if (options.trace_path)
                                children[i].pid = parent_of(pid, NULL);
                        break;
                }
        fprintf(out, ",\"pid\":%d,\"boottime_usec\":%" PRIu64, (int)pid, at);
}

static void report_status(int status, FILE *out) {
        if (WIFEXITED(status))
                fprintf(out, ",\"code\":%d", WEXITSTATUS(status));
        else
                fprintf(out, ",\"signal\":%d", WTERMSIG(status));
}

/* run [timeout=MSEC] [uid=N] [env=K=V...] -- PROGRAM [ARG...]: runs in a child of the agent */
void verb_run(const Request *request, FILE *out) {
        const char *timeout = request_option(request, "timeout");
        SpawnOptions options = options_from(request);
        uint64_t start = now_usec(CLOCK_MONOTONIC);
        uint64_t end = start + 1000U * (timeout ? parse_u64(timeout) : 20000U);
        char log[64], *data = NULL;
        bool late = false;
        int status = 0, r;
        size_t n = 0;
        pid_t pid = -1;

        snprintf(log, sizeof(log), "/tmp/run.%d", (int)getpid());
        options.log_path = log;
        r = options.argv ? spawn_program(&options, &pid) : -EINVAL;
        if (r < 0) {
                json_result(out, r);
                return;
        }
        while (waitpid(pid, &status, WNOHANG) == 0) {
                if (!late && now_usec(CLOCK_MONOTONIC) > end) {
                        late = true;
                        (void)kill(pid, SIGKILL);
                }
                sleep_usec(500);
        }
        json_result(out, late ? -ETIMEDOUT : 0);
        report_status(status, out);
        fprintf(out, ",\"usec\":%" PRIu64 ",", now_usec(CLOCK_MONOTONIC) - start);
        if (read_file(log, &data, &n) < 0)
                n = 0;
        json_string(out, "out", data ? data : "", n);
        free(data);
        (void)unlink(log);
}

/* kill PID SIGNAL */
void verb_kill(const Request *request, FILE *out) {
        uint64_t at = now_usec(CLOCK_BOOTTIME);
        int r =
                kill((pid_t)strtol(request->words[1], NULL, 10),
                     (int)strtol(request->words[2], NULL, 10));

        json_result(out, r < 0 ? -errno : 0);
        fprintf(out, ",\"boottime_usec\":%" PRIu64, at);
}

/* stop PID SIGNAL TIMEOUT_MSEC: how long until the process and everything below it is gone */
void verb_stop(const Request *request, FILE *out) {
        pid_t pids[AGENT_TREE_MAX], root = (pid_t)strtol(request->words[1], NULL, 10);
        size_t n = process_tree(root, pids), left = n;
        uint64_t start = now_usec(CLOCK_MONOTONIC),
                 end = start + 1000U * parse_u64(request->words[3]);
        uint64_t root_usec = 0, last = start;

        if (kill(root, (int)strtol(request->words[2], NULL, 10)) < 0) {
                json_result(out, -errno);
                return;
        }
        while (left > 0 && now_usec(CLOCK_MONOTONIC) < end) {
                left = 0;
                for (size_t i = 0; i < n; i++)
                        if (!process_is_gone(pids[i]))
                                left++;
                last = now_usec(CLOCK_MONOTONIC);
                if (root_usec == 0 && process_is_gone(root))
                        root_usec = last - start;
                sleep_usec(200);
        }
        json_result(out, left > 0 ? -ETIMEDOUT : 0);
        fprintf(out, ",\"usec\":%" PRIu64 ",\"root_usec\":%" PRIu64, last - start, root_usec);
        fprintf(out, ",\"processes\":%zu,\"left\":%zu", n, left);
}

/* wait PID TIMEOUT_MSEC: for a spawned program */
void verb_wait(const Request *request, FILE *out) {
        pid_t pid = (pid_t)strtol(request->words[1], NULL, 10);
        uint64_t end = now_usec(CLOCK_MONOTONIC) + 1000U * parse_u64(request->words[2]);
        const Child *child = NULL;

        for (size_t i = 0; i < PROCESS_CHILDREN_MAX; i++)
                if (children[i].reported_pid == pid)
                        child = &children[i];
        if (!child) {
                json_result(out, -ECHILD);
                return;
        }
        for (;;) {
                process_reap();
                if (notify_fd >= 0)
                        notify_receive();
                if (child->ended_usec > 0 || now_usec(CLOCK_MONOTONIC) >= end)
                        break;
                sleep_usec(500);
        }
        json_result(out, child->ended_usec > 0 ? 0 : -ETIMEDOUT);
        if (child->ended_usec > 0) {
                report_status(child->status, out);
                fprintf(out, ",\"boottime_usec\":%" PRIu64, child->ended_usec);
        }
}

/* notify: all messages received on the notify socket so far */
void verb_notify(const Request *request, FILE *out) {
        if (notify_fd >= 0)
                notify_receive();
        fputs("\"r\":0,\"messages\":[", out);
        for (size_t i = 0; i < n_messages; i++) {
                fprintf(out,
                        "%s{\"boottime_usec\":%" PRIu64 ",",
                        i > 0 ? "," : "",
                        messages[i].at_usec);
                json_string(out, "text", messages[i].text, strlen(messages[i].text));
                fputc('}', out);
        }
        fputc(']', out);
}

static uint64_t status_number(const char *status, const char *key) {
        const char *at = strstr(status, key);

        return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Sums over the threads; schedstat counts nanoseconds where the ticks of stat would say 0. */
static void report_threads(pid_t pid, FILE *out) {
        uint64_t voluntary = 0, involuntary = 0, cpu_nsec = 0, n_threads = 0;
        char path[640], *data = NULL;
        struct dirent *entry;
        size_t n = 0;
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        tasks = opendir(path);
        while (tasks && (entry = readdir(tasks))) {
                if (entry->d_name[0] == '.')
                        continue;
                n_threads++;
                snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, entry->d_name);
                if (read_file(path, &data, &n) >= 0) {
                        voluntary += status_number(data, "\nvoluntary_ctxt_switches:");
                        involuntary += status_number(data, "\nnonvoluntary_ctxt_switches:");
                        free(data);
                }
                snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
                if (read_file(path, &data, &n) >= 0) {
                        cpu_nsec += strtoull(data, NULL, 10);
                        free(data);
                }
                data = NULL;
        }
        if (tasks)
                (void)closedir(tasks);
        fprintf(out,
                ",\"threads\":%" PRIu64 ",\"voluntary\":%" PRIu64 ",\"involuntary\":%" PRIu64
                ",\"cpu_nsec\":%" PRIu64,
                n_threads,
                voluntary,
                involuntary,
                cpu_nsec);
}

static void report_process(pid_t pid, FILE *out) {
        static const char *const files[] = { "comm", "wchan", "status" };
        char path[64], state, *data = NULL;
        pid_t parent = parent_of(pid, &state);
        size_t n = 0;

        fprintf(out, "{\"pid\":%d,\"parent\":%d,\"state\":\"%c\"", (int)pid, (int)parent, state);
        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
                snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
                if (read_file(path, &data, &n) < 0)
                        continue;
                fputc(',', out);
                json_string(out, files[i], data, n);
                free(data);
        }
        report_threads(pid, out);
        fputc('}', out);
}

/* tree PID: the process and all below it, with switches, CPU time and state */
void verb_tree(const Request *request, FILE *out) {
        pid_t pids[AGENT_TREE_MAX];
        size_t n = process_tree((pid_t)strtol(request->words[1], NULL, 10), pids);

        fprintf(out,
                "\"r\":0,\"boottime_usec\":%" PRIu64 ",\"processes\":[",
                now_usec(CLOCK_BOOTTIME));
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        fputc(',', out);
                report_process(pids[i], out);
        }
        fputc(']', out);
}
