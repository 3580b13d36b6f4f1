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

bool input_read_options(
        const char *usage,
        int argc,
        char *argv[],
        InputOptions *options,
        int *ret_status) {
        static const Setting rows[] = {
                OPTIONS_HELP,
                INPUT_RECORDINGS(InputOptions, recordings, 2, "at most two recordings"),
        };
        static const ConfigOptions table = { rows, ELEMENTSOF(rows) };

        return options_read(&table, usage, argc, argv, options, ret_status);
}

const char *input_path(const SettingArguments *recordings) {
        return recordings->n > 0 ? recordings->list[0] : SETTINGS_OUTPUT;
}
