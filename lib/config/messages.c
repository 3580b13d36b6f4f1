/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/config/messages.h"

static bool messages_contains(const Messages *list, const char *line) {
        for (size_t i = 0; i < list->n_lines; i++)
                if (strcmp(list->lines[i], line) == 0)
                        return true;
        return false;
}

void messages_add(Messages *list, const char *format, ...) {
        _cleanup_free_ char *line = NULL;
        va_list args;
        int r;

        if (!list)
                return;

        va_start(args, format);
        r = vasprintf(&line, format, args);
        va_end(args);
        if (r < 0) {
                line = NULL; /* its content is undefined after a failure */
                list->n_dropped++;
                return;
        }

        if (messages_contains(list, line))
                return;
        if (list->n_lines == MESSAGES_MAX) {
                list->n_dropped++;
                return;
        }
        list->lines[list->n_lines++] = TAKE_PTR(line);
}

void messages_log(const Messages *list, int level) {
        for (size_t i = 0; i < list->n_lines; i++)
                log_message(level, "%s", list->lines[i]);
        if (list->n_dropped > 0)
                log_message(level, "... and %zu more", list->n_dropped);
}

void messages_deinit(Messages *list) {
        for (size_t i = 0; i < list->n_lines; i++)
                free(list->lines[i]);
        *list = (Messages){ 0 };
}

const char *messages_quote(const char *text, char buffer[static MESSAGES_QUOTE_SIZE]) {
        return text_escape(text, buffer, MESSAGES_QUOTE_SIZE);
}
