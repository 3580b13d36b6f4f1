/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/log.h"

/* The only state: where a process's lines go is decided once for all of it. */
static struct {
        const char *program;
        LogTarget target;
        int max_level;
        bool terminal;
} log_state = {
        .program = "guest-entropy",
        .max_level = LOG_NOTICE,
};

LogTarget log_target_detect(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat status;

        /* systemd.exec(5): the variable may be inherited past a redirection, so compare. */
        if (stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && // NOLINT(cert-err34-c)
            fstat(STDERR_FILENO, &status) >= 0 && status.st_dev == device && status.st_ino == inode)
                return LOG_TARGET_JOURNAL;
        return LOG_TARGET_STDERR;
}

void log_open(const char *program, LogTarget target, int max_level) {
        log_state.program = program;
        log_state.target = target;
        log_state.max_level = max_level;
        log_state.terminal = isatty(STDERR_FILENO) == 1;
        if (target == LOG_TARGET_SYSLOG)
                openlog(program, LOG_PID, LOG_DAEMON);
}

void log_set_max_level(int max_level) {
        log_state.max_level = max_level;
}

bool log_enabled(int level) {
        return level <= log_state.max_level;
}

static void print_line(int level, const char *text) {
        char prefix[64] = "", line[1152];
        struct timespec now;
        struct tm local;
        int n;

        if (log_state.target == LOG_TARGET_JOURNAL)
                (void)snprintf(prefix, sizeof(prefix), "<%d>", level);
        else if (
                log_state.terminal && clock_gettime(CLOCK_REALTIME, &now) >= 0 &&
                localtime_r(&now.tv_sec, &local))
                (void)snprintf(
                        prefix,
                        sizeof(prefix),
                        "%02d:%02d:%02d.%03ld ",
                        local.tm_hour,
                        local.tm_min,
                        local.tm_sec,
                        now.tv_nsec / 1000000);
        else
                (void)snprintf(prefix, sizeof(prefix), "%s: ", log_state.program);

        /* One write, so that lines of several processes do not mix. Not dprintf(): when it cannot
         * write, glibc's loses its buffer of 8 KiB each time. */
        n = snprintf(line, sizeof(line), "%s%s\n", prefix, text);
        if (n > 0 && write(STDERR_FILENO, line, MIN((size_t)n, sizeof(line) - 1)) < 0)
                return; /* there is nobody to tell */
}

static void log_text(int level, const char *text) {
        if (log_state.target == LOG_TARGET_SYSLOG)
                syslog(level, "%s", text);
        else
                print_line(level, text);
}

void log_message(int level, const char *format, ...) {
        int saved_errno = errno;
        char text[1024];
        va_list args;

        if (!log_enabled(level))
                return;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        log_text(level, text);
        errno = saved_errno;
}

int log_errno(int level, int error, const char *format, ...) {
        int saved_errno = errno;
        char text[1024];
        va_list args;
        int n;

        if (!log_enabled(level))
                return error;

        va_start(args, format);
        n = vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof(text))
                (void)snprintf(text + n, sizeof(text) - (size_t)n, ": %s", strerror(abs(error)));
        log_text(level, text);
        errno = saved_errno;
        return error;
}
