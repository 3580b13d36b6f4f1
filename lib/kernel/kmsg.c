/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/kernel/kmsg.h"

#define TRUSTED_CPU "trusting CPU's manufacturer"

int kmsg_open(const RootDir *root, int *ret_fd) {
        int fd = rootdir_open_file(root, "dev/kmsg", O_RDONLY | O_NONBLOCK);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* A decimal number and the character behind it; moves *text behind both. */
static bool take_number(const char **text, const char *end, char terminator, uint64_t *ret_value) {
        const char *p = *text;
        uint64_t value = 0;

        for (; p < end && is_digit(*p); p++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
                        return false;
        if (p == *text || p == end || *p != terminator)
                return false;

        *text = p + 1;
        *ret_value = value;
        return true;
}

/*
 * A line as the kernel prints it, from its first byte to its last: processes and files have any
 * name they like, and in a name may stand what another line begins with. '#' is a decimal number,
 * '%' the detail, once at most.
 */
typedef struct KmsgLine {
        const char *pattern;
        KmsgEvent event;
        const char *detail; /* where the pattern has none */
} KmsgLine;

static const KmsgLine kernel_lines[] = {
        { "random: crng init done", KMSG_EVENT_RNG_READY, "" },
        /* 4.19 to 5.18.0 */
        { "random: crng done (trusting CPU's manufacturer)", KMSG_EVENT_RNG_READY, TRUSTED_CPU },
        { "random: crng init done (trusting CPU's manufacturer)",
          KMSG_EVENT_RNG_READY,
          TRUSTED_CPU },
        /* to 4.7 */
        { "random: nonblocking pool is initialized", KMSG_EVENT_RNG_READY, "" },
        { "random: crng reseeded due to virtual machine fork", KMSG_EVENT_VM_FORK, "" },
        { "random: crng reseeded on system resumption", KMSG_EVENT_RESUME, "" },
        { "random: fast init done", KMSG_EVENT_FAST_INIT, "" },
        { "random: %: uninitialized urandom read (# bytes read)",
          KMSG_EVENT_UNINITIALIZED_READ,
          "" },
        /* to 4.7 */
        { "random: %: uninitialized urandom read (# bytes read, # bits of entropy available)",
          KMSG_EVENT_UNINITIALIZED_READ,
          "" },
        { "random: % urandom read with # bits of entropy available",
          KMSG_EVENT_UNINITIALIZED_READ,
          "" },
        { "Run % as init process", KMSG_EVENT_INIT_STARTED, "" },
};

/* Lines that programs write to the log; anybody with the right to may imitate them. */
static const KmsgLine program_lines[] = {
        { "entropy-seeder: %", KMSG_EVENT_SEEDER, "" },
        { "entropy-monitor: %", KMSG_EVENT_MONITOR, "" },
};

/* The text from here to its end, by a pattern without a detail. */
static bool is_whole(const char *pattern, const char *text, const char *end) {
        for (; *pattern; pattern++) {
                if (text == end || (*pattern == '#' ? !is_digit(*text) : *text != *pattern))
                        return false;
                text++;
                while (*pattern == '#' && text < end && is_digit(*text))
                        text++;
        }
        return text == end;
}

static bool match(const char *pattern, const char *text, const char *end, char *detail) {
        const char *mark = strchr(pattern, '%');
        size_t n = mark ? (size_t)(mark - pattern) : 0;

        if (!mark)
                return is_whole(pattern, text, end);
        if ((size_t)(end - text) < n || memcmp(text, pattern, n) != 0)
                return false;
        text += n;
        /* From behind: what follows a name may stand in the name, too. */
        for (const char *to = end; to >= text; to--)
                if (is_whole(mark + 1, to, end)) {
                        (void)snprintf(detail, KMSG_DETAIL_MAX, "%.*s", (int)(to - text), text);
                        return true;
                }
        return false;
}

static void classify(
        const KmsgLine *lines,
        size_t n_lines,
        const char *text,
        const char *end,
        KmsgRecord *record) {
        for (size_t i = 0; i < n_lines; i++) {
                (void)snprintf(record->detail, sizeof(record->detail), "%s", lines[i].detail);
                if (match(lines[i].pattern, text, end, record->detail)) {
                        record->event = lines[i].event;
                        return;
                }
        }
        record->detail[0] = '\0';
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

        do
                n = read(fd, text, sizeof(text));
        while (n < 0 && errno == EINTR);
        if (n > 0)
                return kmsg_parse(text, (size_t)n, ret_record);
        if (n == 0 || errno == EAGAIN)
                return KMSG_E_END;
        if (errno == EPIPE)
                return KMSG_E_LOST;
        return negative_errno();
}
