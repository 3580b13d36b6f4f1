/* SPDX-License-Identifier: MIT */
/* What the monitor reads while it samples and at its start: the first byte chooses the reader, the
 * rest is a device event, a datagram of the proc connector or the kernel's command line. */
#include <stdlib.h>
#include <string.h>

#include "lib/kernel/proc-connector.h"
#include "lib/kernel/uevent.h"
#include "monitor/settings.h"

static void check(bool right) {
        if (!right)
                abort();
}

static void read_uevent(const char *text, size_t size) {
        Uevent event = {};

        if (uevent_parse(text, size, &event) < 0)
                return;
        check(memchr(event.action, '\0', sizeof(event.action)) != NULL);
        check(memchr(event.device_name, '\0', sizeof(event.device_name)) != NULL);
        check(memchr(event.driver, '\0', sizeof(event.driver)) != NULL);
}

static void read_command_line(const char *bytes, size_t size) {
        char *text = calloc(1, size + 1);
        MonitorSettings settings;

        check(text != NULL);
        memcpy(text, bytes, size);
        settings_defaults(&settings);
        settings_take_command_line(&settings, text);
        free(text);
        check(settings.interval_usec >= SETTINGS_MIN_INTERVAL &&
              settings.interval_usec <= SETTINGS_MAX_INTERVAL);
        check(settings.duration_usec <= SETTINGS_MAX_DURATION);
        check(settings.output[0] == '/' && strlen(settings.output) < SETTINGS_OUTPUT_MAX);
        check(strlen(settings.init) < SETTINGS_INIT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        ProcStart start = {};

        if (size == 0)
                return 0;
        switch (data[0]) {
        case 'u':
                read_uevent((const char *)data + 1, size - 1);
                break;
        case 'p':
                if (proc_connector_parse(data + 1, size - 1, &start) == 0)
                        check(start.kind == PROC_START_EXEC || start.kind == PROC_START_FORK);
                break;
        default:
                read_command_line((const char *)data + 1, size - 1);
                break;
        }
        return 0;
}
