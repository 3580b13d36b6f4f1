/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sysexits.h>
#include <syslog.h>

#include "lib/base/log.h"
#include "monitor/options.h"

bool options_read(
        const ConfigOptions *options,
        const char *usage,
        int argc,
        char *argv[],
        void *target,
        int *ret_status) {
        const SettingLayer layer = { .origin = ORIGIN_COMMAND_LINE };
        _cleanup_messages_ Messages errors = {};
        int r;

        r = config_read_options(options, argc, argv, target, &layer, &errors);
        if (r == 0 || r == CONFIG_E_ANSWERED)
                return true;
        if (r == CONFIG_E_HELP) {
                (void)printf("Usage: entropy-monitor %s\n\n", usage);
                config_print_options(stdout, options);
                (void)puts("\nSee entropy-monitor(8).");
                *ret_status = fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
                return false;
        }
        messages_log(&errors, LOG_ERR);
        *ret_status = config_exit_status(r);
        return false;
}
