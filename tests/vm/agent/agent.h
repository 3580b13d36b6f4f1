/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The agent of the VM tests: runs inside the guest, as PID 1 or beside an init, and answers one request a line:
 *
 *     ID VERB [WORD...]      words are percent-encoded
 *     ID {JSON}              the answer, written with one write(2); children answer too, so it must not be torn
 *
 * Clocks in answers are microseconds; nothing in here blocks without a bound given by the request.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define AGENT_WORDS_MAX 64U
#define AGENT_TREE_MAX  256U

typedef struct Request {
        const char *id;
        int n_words;
        char *words[AGENT_WORDS_MAX + 1]; /* NULL-terminated, VERB is words[0] */
} Request;

/* Writes the JSON object's members (without braces) to out. */
typedef void (*VerbFn)(const Request *request, FILE *out);

typedef struct Verb {
        const char *name;
        VerbFn run;
        int n_words_min; /* without the verb itself */
        bool in_child;   /* may take long: answered by a forked child */
} Verb;

/* support.c */
uint64_t now_usec(clockid_t clock);
void sleep_usec(uint64_t usec);
uint64_t parse_u64(const char *s);
const char *request_option(const Request *request, const char *key);
void json_string(FILE *out, const char *key, const char *data, size_t n);
void json_result(FILE *out, int r);
int read_file(const char *path, char **ret_data, size_t *ret_size);

/* process.c */
size_t process_tree(pid_t root, pid_t pids[static AGENT_TREE_MAX]);
bool process_is_gone(pid_t pid);
void process_poll_notify(int timeout_msec, int channel_fd, bool *ret_readable);
void process_reap(void);
void verb_spawn(const Request *request, FILE *out);
void verb_run(const Request *request, FILE *out);
void verb_kill(const Request *request, FILE *out);
void verb_stop(const Request *request, FILE *out);
void verb_wait(const Request *request, FILE *out);
void verb_notify(const Request *request, FILE *out);
void verb_tree(const Request *request, FILE *out);

/* spawn.c */
typedef struct SpawnOptions {
        const char *log_path;
        const char *notify_path;
        const char *watchdog_usec;
        const char *trace_path;
        const char *steps_directory; /* its steps are traced, too */
        uint64_t stop_at;            /* the program stays in front of this step for good; 0: none */
        long uid;
        char **env;
        char **argv;
} SpawnOptions;

/* Forks and executes; the child gets its own session and log as stdout and stderr. */
int spawn_program(const SpawnOptions *options, pid_t *ret_pid);
void spawn_exec(const SpawnOptions *options) __attribute__((noreturn));

/* trace.c: runs the program under ptrace, appends every feeding ioctl (and step) to a file. Does not return. */
void trace_program(const SpawnOptions *options, int pid_fd) __attribute__((noreturn));

/* steps.c */
#define STEPS_MAX       32U
#define STEP_TEXT_BYTES 640U
struct sock_filter;
size_t steps_add_filter(struct sock_filter *code); /* at most 2 * STEPS_MAX instructions */
bool steps_describe(
        pid_t pid,
        uint64_t nr,
        const uint64_t args[static 6],
        const char *directory,
        char text[static STEP_TEXT_BYTES]);

/* measure.c */
void verb_random(const Request *request, FILE *out);
void verb_ioctl(const Request *request, FILE *out);
void verb_drain(const Request *request, FILE *out);
void verb_wait_ready(const Request *request, FILE *out);
void verb_insmod(const Request *request, FILE *out);
void verb_rmmod(const Request *request, FILE *out);
void verb_time(const Request *request, FILE *out);
void verb_set_time(const Request *request, FILE *out);

/* files.c */
void verb_read(const Request *request, FILE *out);
void verb_write(const Request *request, FILE *out);
void verb_sock(const Request *request, FILE *out);
void verb_hold(const Request *request, FILE *out);
void verb_kmsg(const Request *request, FILE *out);
