/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "rngd/notify.h"
#include "rngd/runtime-directory.h"
#include "rngd/status.h"

#define SOCKET_NAME  "rngd.sock"
#define CLIENTS_MAX  16
#define ANSWER_BYTES (256 * 1024)

/* Any user may connect, and as often as he likes. This bounds what it costs to 1 or 2 % of a CPU, and
 * does not delay who looks every 10 ms. */
#define WAKEUPS_PER_SEC 150U
#define CLIENTS_AT_ONCE 8U

/*
 * A client gets the whole document into its receive queue in one step; it may be as slow as it
 * likes then, since this end is closed already. Nothing is read, so nothing can be asked.
 */
static void answer_client(const char *text, int client_fd) {
        const int buffer_bytes = ANSWER_BYTES;

        (void)setsockopt(client_fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
        if (send(client_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                (void)log_errno(LOG_DEBUG, negative_errno(), "Cannot answer a client");
}

/* All who wait get one document. */
static int on_client(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        const Status *status = userdata;
        const StatusFacts facts = status->hooks.facts(status->hooks.userdata);
        _cleanup_free_ char *text = NULL;
        int r;

        r = status_document(&facts, status->line, &text);
        if (r < 0)
                (void)log_errno(LOG_DEBUG, r, "Cannot make the status document");
        for (unsigned int i = 0; i < CLIENTS_AT_ONCE; i++) {
                _cleanup_close_ int client_fd = -1;

                client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (client_fd < 0)
                        break;
                if (text)
                        answer_client(text, client_fd);
        }
        return 0;
}

/* Bound beside its place and renamed, so that there is never a path that refuses a client. */
static int bind_socket(int directory_fd, int fd) {
        static const char temporary[] = SOCKET_NAME ".new";
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int n;

        n = snprintf(
                address.sun_path,
                sizeof(address.sun_path),
                "%s/%s",
                runtime_directory(),
                temporary);
        if (n < 0 || (size_t)n >= sizeof(address.sun_path))
                return -ENAMETOOLONG;

        (void)unlinkat(directory_fd, temporary, 0);
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return negative_errno();
        if (fchmodat(directory_fd, temporary, 0666, 0) < 0)
                return negative_errno();
        if (listen(fd, CLIENTS_MAX) < 0)
                return negative_errno();
        if (renameat(directory_fd, temporary, directory_fd, SOCKET_NAME) < 0)
                return negative_errno();
        return 0;
}

static int open_socket(Status *status, sd_event *event) {
        int r;

        if (status->runtime_fd < 0)
                return -ENOENT;
        status->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (status->socket_fd < 0)
                return negative_errno();
        r = bind_socket(status->runtime_fd, status->socket_fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(
                event,
                &status->socket_source,
                status->socket_fd,
                EPOLLIN,
                on_client,
                status);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(status->socket_source, "status");
        r = sd_event_source_set_ratelimit(status->socket_source, USEC_PER_SEC, WAKEUPS_PER_SEC);
        if (r < 0)
                return r;
        return sd_event_source_set_priority(status->socket_source, SD_EVENT_PRIORITY_IDLE);
}

void status_init(Status *status, const StatusHooks *hooks) {
        *status = (Status){ .hooks = *hooks, .runtime_fd = -1, .socket_fd = -1 };
}

void status_start(Status *status, sd_event *event, int runtime_fd) {
        int r;

        status->runtime_fd = runtime_fd;
        r = open_socket(status, event);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot open %s/" SOCKET_NAME ", going on without it",
                        runtime_directory());
}

/* The first trouble that a look at the status should show. */
static const Reader *troubled_source(const StatusFacts *facts) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const Reader *reader = &facts->readers[id];

                if ((reader->state == READER_WAITING || reader->state == READER_RETIRED) &&
                    facts->counters->entries[id].last_error[0])
                        return reader;
        }
        return NULL;
}

static void append(char line[static STATUS_LINE_MAX], const char *format, ...) _printf_(2, 3);

static void append(char line[static STATUS_LINE_MAX], const char *format, ...) {
        size_t length = strlen(line);
        va_list args;

        va_start(args, format);
        (void)vsnprintf(line + length, STATUS_LINE_MAX - length, format, args);
        va_end(args);
}

static void make_line(const StatusFacts *facts, char line[static STATUS_LINE_MAX]) {
        uint64_t batches = 0, credited_bits = 0;
        const Reader *troubled = troubled_source(facts);

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                batches += facts->counters->entries[id].batches;
                credited_bits += facts->counters->entries[id].credited_bits;
        }

        line[0] = '\0';
        append(line, "Kernel RNG %s", facts->ready ? "ready" : "not ready");
        if (batches > 0)
                append(line,
                       "; fed %llu batches, %llu bits credited",
                       (unsigned long long)batches,
                       (unsigned long long)credited_bits);
        if (!facts->has_source)
                append(line, "; no source, waiting for one");
        if (facts->vmforks > 0)
                append(line, "; %llu VM forks", (unsigned long long)facts->vmforks);
        if (troubled)
                append(line,
                       "; %s %s: %s",
                       source_name(troubled->id),
                       reader_state_to_string(troubled->state),
                       facts->counters->entries[troubled->id].last_error);
}

void status_update(Status *status) {
        const StatusFacts facts = status->hooks.facts(status->hooks.userdata);
        const bool ready_now = !status->ready_sent && (facts.ready || !facts.waiting);
        char line[STATUS_LINE_MAX], text[STATUS_LINE_MAX + 32];

        make_line(&facts, line);
        if (!ready_now && strcmp(line, status->line) == 0)
                return;

        (void)stpcpy(status->line, line);
        (void)snprintf(text, sizeof(text), "%sSTATUS=%s", ready_now ? "READY=1\n" : "", line);
        if (notify_send(text) >= 0) /* else it is said with the next line */
                status->ready_sent |= ready_now;
        log_debug("Status: %s", line);
}

void status_stopping(void) {
        (void)notify_send("STOPPING=1");
}

void status_deinit(Status *status) {
        status->socket_source = sd_event_source_disable_unref(status->socket_source);
        if (status->socket_fd >= 0 && status->runtime_fd >= 0 && status->line[0])
                (void)unlinkat(status->runtime_fd, SOCKET_NAME, 0);
        cleanup_close(&status->socket_fd);
}
