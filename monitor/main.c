/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "monitor/finish.h"
#include "monitor/pid1.h"
#include "monitor/verbs.h"

static const struct {
        const char *name;
        int (*run)(int argc, char *argv[]);
        const char *summary;
} verbs[] = {
        { "record", record_main, "[OPTION...] [-- COMMAND...]   record on a running system" },
        { "finish", finish_main, "[--wait=TIME]                 end the recording of this boot" },
        { "report", report_main, "[RECORDING]                   a page of text" },
        { "plot", plot_main, "-o FILE [RECORDING...]        a picture: SVG, PNG or HTML" },
        { "compare", compare_main, "A B                           what got better, what worse" },
        { "check", check_main, "LIMIT... [RECORDING]          0 if it keeps the limits, 1 if not" },
        { "export", export_main, "--csv[=TABLE] [RECORDING]     for spreadsheets and gnuplot" },
        { "status", status_main, "[--json|--prometheus]         is this guest safely seeded?" },
};

static void print_help(FILE *stream) {
        (void)fputs(
                "Usage: entropy-monitor VERB [ARGUMENT...]\n"
                "       init=/usr/bin/entropy-monitor on the kernel's command line\n\n",
                stream);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                (void)fprintf(stream, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
        (void)fputs("\nSee entropy-monitor(8).\n", stream);
}

int main(int argc, char *argv[]) {
        /* Before anything else: the machine waits for its init. */
        if (getpid() == 1)
                return pid1_main(argc, argv);

        log_open("entropy-monitor", log_target_detect(), LOG_NOTICE);
        if (argc < 2) {
                print_help(stderr);
                return EX_USAGE;
        }
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0) {
                        json_avoid_random();
                        return verbs[i].run(argc - 1, argv + 1);
                }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
                print_help(stdout);
                return EXIT_SUCCESS;
        }
        if (strcmp(argv[1], "--version") == 0) {
                (void)puts("entropy-monitor " PACKAGE_VERSION " (guest-entropy)");
                return EXIT_SUCCESS;
        }
        log_error("Unknown verb \"%s\", see entropy-monitor --help", argv[1]);
        return EX_USAGE;
}
