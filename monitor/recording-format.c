/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/recording-format.h"

const char *recording_end_to_string(RecordingEnd end) {
        static const char *const names[] = {
                [RECORDING_END_DURATION] = "duration", [RECORDING_END_READY] = "ready",
                [RECORDING_END_BOOT] = "boot",         [RECORDING_END_SIGNAL] = "signal",
                [RECORDING_END_COMMAND] = "command",
        };

        return names[end];
}

const char *log_seen_to_string(LogSeen log_seen) {
        static const char *const names[_LOG_SEEN_MAX] = {
                [LOG_SEEN_NONE] = "none",
                [LOG_SEEN_CUT] = "cut",
                [LOG_SEEN_WHOLE] = "whole",
        };

        return names[log_seen];
}

static const char *const kind_names[_EVENT_MAX] = {
        [EVENT_STARTED] = "monitor-started",
        [EVENT_READY] = "ready",
        [EVENT_FAST_INIT] = "fast-init",
        [EVENT_LOG_READY] = "log-ready",
        [EVENT_UNINITIALIZED_READ] = "uninitialized-read",
        [EVENT_VM_FORK] = "vm-fork",
        [EVENT_RESUME] = "resume",
        [EVENT_INIT_STARTED] = "init-started",
        [EVENT_SEEDER] = "seeder",
        [EVENT_HWRNG] = "hwrng",
        [EVENT_BLOCK_DEVICE] = "block-device",
        [EVENT_INIT_EXEC] = "init-exec",
        [EVENT_SWITCH_ROOT] = "switch-root",
        [EVENT_THRESHOLD] = "threshold",
        [EVENT_BOOT_FINISHED] = "boot-finished",
};

const char *event_kind_to_string(EventKind kind) {
        return kind_names[kind];
}

int event_kind_from_string(const char *name, EventKind *ret_kind) {
        for (EventKind kind = 0; kind < _EVENT_MAX; kind++)
                if (strcmp(kind_names[kind], name) == 0) {
                        *ret_kind = kind;
                        return 0;
                }
        return -EINVAL;
}
