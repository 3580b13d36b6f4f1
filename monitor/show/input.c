/* SPDX-License-Identifier: MIT */
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/settings.h"
#include "monitor/show/input.h"

int input_read(const char *path, Recording *ret_recording) {
        char error[RECORDING_ERROR_MAX];
        int r;

        r = recording_read(path, ret_recording, error);
        if (r >= 0)
                return 0;
        log_error("%s: %s", path, error);
        return r == -EBADMSG ? EX_DATAERR : EX_NOINPUT;
}

const char *input_path(int argc, char *argv[], int at) {
        return at < argc ? argv[at] : SETTINGS_OUTPUT;
}
