/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/kernel/kmsg.h"

int kmsg_open(const RootDir *root, int *ret_fd) {
        int fd = rootdir_open_file(root, "dev/kmsg", O_RDONLY | O_NONBLOCK);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

/* A decimal number and the character behind it; moves *text behind both. */
static bool take_number(const char **text, const char *end, char terminator, uint64_t *ret_value) {
        const char *p = *text;
        uint64_t value = 0;

        for (; p < end && *p >= '0' && *p <= '9'; p++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
                        return false;
        if (p == *text || p == end || *p != terminator)
                return false;

        *text = p + 1;
        *ret_value = value;
        return true;
}

static bool begins_with(const char *text, size_t length, const char *prefix) {
        size_t n = strlen(prefix);

        return length >= n && memcmp(text, prefix, n) == 0;
}

typedef struct KmsgLine {
        const char *begin;  /* the line begins with this */
        const char *inside; /* and contains this, if not NULL */
        KmsgEvent event;
        const char *detail_from; /* the detail is between these two; NULL: none */
        const char *detail_to;   /* NULL: up to the line's end */
} KmsgLine;

static const KmsgLine kernel_lines[] = {
        { "random: crng init done", NULL, KMSG_EVENT_RNG_READY, "(", ")" },
        /* 4.19 to 5.16 */
        { "random: crng done (trusting", NULL, KMSG_EVENT_RNG_READY, "(", ")" },
        /* to 4.7 */
        { "random: nonblocking pool is initialized", NULL, KMSG_EVENT_RNG_READY, NULL, NULL },
        { "random: crng reseeded due to virtual machine fork",
          NULL,
          KMSG_EVENT_VM_FORK,
          NULL,
          NULL },
        { "random: crng reseeded on system resumption", NULL, KMSG_EVENT_RESUME, NULL, NULL },
        { "random: fast init done", NULL, KMSG_EVENT_FAST_INIT, NULL, NULL },
        { "random: ",
          ": uninitialized urandom read",
          KMSG_EVENT_UNINITIALIZED_READ,
          "random: ",
          ": uninitialized" },
        /* to 4.7 */
        { "random: ",
          " urandom read with ",
          KMSG_EVENT_UNINITIALIZED_READ,
          "random: ",
          " urandom read" },
        { "Run ", " as init process", KMSG_EVENT_INIT_STARTED, "Run ", " as init" },
};

/* Lines that programs write to the log; anybody with the right to may imitate them. */
static const KmsgLine program_lines[] = {
        { "entropy-seeder: ", NULL, KMSG_EVENT_SEEDER, "entropy-seeder: ", NULL },
        { "entropy-monitor: ", NULL, KMSG_EVENT_MONITOR, "entropy-monitor: ", NULL },
};

static const char *find(const char *text, const char *end, const char *word) {
        return memmem(text, (size_t)(end - text), word, strlen(word));
}

static void copy_detail(const KmsgLine *line, const char *text, const char *end, char *detail) {
        const char *from, *to;

        if (!line->detail_from)
                return;
        from = find(text, end, line->detail_from);
        if (!from)
                return;
        from += strlen(line->detail_from);
        to = line->detail_to ? find(from, end, line->detail_to) : end;
        if (!to)
                return;
        (void)snprintf(detail, KMSG_DETAIL_MAX, "%.*s", (int)(to - from), from);
}

static void classify(
        const KmsgLine *lines,
        size_t n_lines,
        const char *text,
        const char *end,
        KmsgRecord *record) {
        for (size_t i = 0; i < n_lines; i++) {
                if (!begins_with(text, (size_t)(end - text), lines[i].begin) ||
                    (lines[i].inside && !find(text, end, lines[i].inside)))
                        continue;
                record->event = lines[i].event;
                copy_detail(&lines[i], text, end, record->detail);
                return;
        }
}

int kmsg_parse(const char *text, size_t length, KmsgRecord *ret_record) {
        const char *end = text + length, *message, *newline;
        KmsgRecord record = {};
        uint64_t priority;

        if (!take_number(&text, end, ',', &priority) ||
            !take_number(&text, end, ',', &record.sequence) ||
            !take_number(&text, end, ',', &record.at_usec))
                return -EBADMSG;

        message = memchr(text, ';', (size_t)(end - text));
        if (!message)
                return -EBADMSG;
        message++;
        /* The line itself; behind it come the device's properties. */
        newline = memchr(message, '\n', (size_t)(end - message));
        if (newline)
                end = newline;

        /* Facility 0 is the kernel itself; a program that writes to /dev/kmsg cannot claim it. */
        if (priority >> 3 == 0)
                classify(kernel_lines, ELEMENTSOF(kernel_lines), message, end, &record);
        else
                classify(program_lines, ELEMENTSOF(program_lines), message, end, &record);
        *ret_record = record;
        return 0;
}

int kmsg_read(int fd, KmsgRecord *ret_record) {
        static char text[KMSG_RECORD_MAX]; /* too large for a stack frame; there are no threads */
        ssize_t n;

        n = read(fd, text, sizeof(text));
        if (n > 0)
                return kmsg_parse(text, (size_t)n, ret_record);
        if (n == 0 || errno == EAGAIN)
                return KMSG_E_END;
        if (errno == EPIPE || errno == EINTR)
                return KMSG_E_LOST;
        return negative_errno();
}
