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

static bool contains(const uint8_t *data, size_t size, const char *text) {
        return size > 0 && memmem(data, size, text, strlen(text));
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
        /* What makes rngd act must be in the text, and the text must be the kernel's. */
        if (record.event == KMSG_EVENT_VM_FORK)
                check(contains(data, size, ";random: crng reseeded due to virtual machine fork"));
        if (record.event == KMSG_EVENT_VM_FORK || record.event == KMSG_EVENT_RESUME ||
            record.event == KMSG_EVENT_RNG_READY)
                check(priority_of(data) < 8);
        return 0;
}
