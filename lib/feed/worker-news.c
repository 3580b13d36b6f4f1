/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/feed/worker-news.h"

/* More than a pipe holds: whoever writes faster than we read does not keep us here. */
#define READ_MAX_BYTES (128U * 1024)

typedef struct Lines {
        WorkerNews *news;
        SourceId source;
        char line[WORKER_NEWS_LINE_MAX];
        size_t length;
        unsigned int n_said, n_left_out;
} Lines;

static void say(WorkerNews *news, SourceId source, const char *text) {
        if (news && news->say)
                news->say(source, text);
        else
                log_debug("%s: %s", source_name(source), text);
}

static void end_line(Lines *lines) {
        if (lines->length == 0)
                return;
        lines->line[lines->length] = '\0';
        lines->length = 0;
        if (lines->n_said >= WORKER_NEWS_LINES_MAX) {
                lines->n_left_out++;
                return;
        }
        lines->n_said++;
        say(lines->news, lines->source, lines->line);
}

static void take(Lines *lines, const char *bytes, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (bytes[i] == '\n') {
                        end_line(lines);
                        continue;
                }
                if (lines->length < sizeof(lines->line) - 1)
                        lines->line[lines->length++] = text_is_plain(bytes[i]) ? bytes[i] : '?';
        }
}

void worker_news_read(WorkerNews *news, SourceId source, int pipe_fd) {
        Lines lines = { .news = news, .source = source };
        char buffer[4096];
        size_t total = 0;

        while (total < READ_MAX_BYTES) {
                ssize_t n = read(pipe_fd, buffer, sizeof(buffer));

                if (n <= 0)
                        break;
                take(&lines, buffer, (size_t)n);
                total += (size_t)n;
        }
        end_line(&lines);
        if (lines.n_left_out > 0) {
                (void)snprintf(
                        lines.line,
                        sizeof(lines.line),
                        "(%u more lines, not shown)",
                        lines.n_left_out);
                say(news, source, lines.line);
        }
}

void worker_news_missing(WorkerNews *news, SourceId source, uint32_t missing) {
        for (SandboxNamespace which = 0; which < _SANDBOX_NAMESPACE_MAX; which++) {
                char text[WORKER_NEWS_LINE_MAX];

                if (!(missing & 1U << which) || (news && news->missing_said & 1U << which))
                        continue;
                if (news)
                        news->missing_said |= 1U << which;
                (void)snprintf(
                        text,
                        sizeof(text),
                        "no %s namespaces for workers here (not in this kernel, or forbidden); "
                        "going on without",
                        sandbox_namespace_to_string(which));
                say(news, source, text);
        }
}
