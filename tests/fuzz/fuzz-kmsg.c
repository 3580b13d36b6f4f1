/* SPDX-License-Identifier: MIT */
/* One record of the kernel's log. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kernel/kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right) {
        if (!right)
                abort();
}

/* Whether this is the line, all of it: the text between the first ';' and the end of its line. */
static bool is_line(const uint8_t *data, size_t size, const char *line) {
        const uint8_t *from = (const uint8_t *)memchr(data, ';', size) + 1;
        const uint8_t *to = memchr(from, '\n', (size_t)(data + size - from));
        size_t length = (size_t)((to ? to : data + size) - from);

        return length == strlen(line) && memcmp(from, line, length) == 0;
}

static bool is_ready_line(const uint8_t *data, size_t size) {
        return is_line(data, size, "random: crng init done") ||
               is_line(data, size, "random: crng init done (trusting CPU's manufacturer)") ||
               is_line(data, size, "random: crng done (trusting CPU's manufacturer)") ||
               is_line(data, size, "random: nonblocking pool is initialized");
}

/* The input does not end in zero; a record that was accepted has a comma. */
static uint64_t priority_of(const uint8_t *data) {
        uint64_t priority = 0;

        for (; *data != ','; data++)
                priority = priority * 10 + (uint64_t)(*data - '0');
        return priority;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        KmsgRecord record = { .sequence = 4711, .at_usec = 4712 };
        int r;

        if (size > KMSG_RECORD_MAX)
                return 0;
        r = kmsg_parse((const char *)data, size, &record);
        check(r == 0 || r == -EBADMSG);
        if (r < 0) {
                check(record.sequence == 4711 && record.at_usec == 4712);
                return 0;
        }

        check(memchr(data, ';', size) != NULL);
        check(memchr(record.detail, '\0', sizeof(record.detail)) != NULL);
        check(!strchr(record.detail, '\n'));
        /* What makes rngd act must be the whole text, and the text must be the kernel's. */
        if (record.event == KMSG_EVENT_VM_FORK)
                check(is_line(data, size, "random: crng reseeded due to virtual machine fork"));
        if (record.event == KMSG_EVENT_RESUME)
                check(is_line(data, size, "random: crng reseeded on system resumption"));
        check((record.event == KMSG_EVENT_RNG_READY) ==
              (priority_of(data) < 8 && is_ready_line(data, size)));
        if (record.event == KMSG_EVENT_VM_FORK || record.event == KMSG_EVENT_RESUME ||
            record.event == KMSG_EVENT_RNG_READY)
                check(priority_of(data) < 8);
        return 0;
}
