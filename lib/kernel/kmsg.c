/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
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

static KmsgEvent classify(const char *text, size_t length) {
        static const struct {
                const char *prefix;
                KmsgEvent event;
        } lines[] = {
                { "random: crng init done", KMSG_EVENT_RNG_READY },
                { "random: crng done (trusting", KMSG_EVENT_RNG_READY }, /* 4.19 to 5.16 */
                { "random: nonblocking pool is initialized", KMSG_EVENT_RNG_READY }, /* to 4.7 */
                { "random: crng reseeded due to virtual machine fork", KMSG_EVENT_VM_FORK },
                { "random: crng reseeded on system resumption", KMSG_EVENT_RESUME },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (begins_with(text, length, lines[i].prefix))
                        return lines[i].event;
        return KMSG_EVENT_NONE;
}

int kmsg_parse(const char *text, size_t length, KmsgRecord *ret_record) {
        const char *end = text + length, *message;
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

        /* Facility 0 is the kernel itself; a program that writes to /dev/kmsg cannot claim it. */
        if (priority >> 3 == 0)
                record.event = classify(message, (size_t)(end - message));
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
