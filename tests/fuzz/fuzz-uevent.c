/* SPDX-License-Identifier: MIT */
/* A message of the kernel's uevent group; anybody in a network namespace of his own can send one. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kernel/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(const char field[static UEVENT_FIELD_MAX]) {
        if (!memchr(field, '\0', UEVENT_FIELD_MAX))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Uevent event = { .action = "before" };
        int r;

        r = uevent_parse((const char *)data, size, &event);
        if (r < 0 && (r != -EBADMSG || strcmp(event.action, "before") != 0))
                abort();
        check_field(event.action);
        check_field(event.subsystem);
        check_field(event.device_type);
        check_field(event.device_name);
        check_field(event.driver);
        return 0;
}
