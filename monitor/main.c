/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "monitor/sample/finish.h"
#include "monitor/sample/init.h"
#include "monitor/sample/pid1.h"
#include "monitor/sample/record.h"
#include "monitor/show/verbs.h"
#include "monitor/status/status.h"

typedef int (*Verb)(int argc, char *argv[]);

static const struct {
        const char *name;
        Verb run;
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

static Verb find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (strcmp(name, verbs[i].name) == 0)
                        return verbs[i].run;
        return NULL;
}

static bool asks_for_help(const char *word) {
        return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_version(const char *word) {
        return strcmp(word, "--version") == 0;
}

/* The first process of a container may be a verb. On the machine itself it is the init, whatever
 * words the kernel passes on from its command line. */
static bool is_init(int argc, char *argv[]) {
        if (getpid() != 1)
                return false;
        if (argc < 2 ||
            (!find_verb(argv[1]) && !asks_for_help(argv[1]) && !asks_for_version(argv[1])))
                return true;
        return init_is_machines();
}

int main(int argc, char *argv[]) {
        Verb run;

        /* Before anything else: the machine waits for its init. */
        if (is_init(argc, argv))
                return pid1_main(argc, argv);

        log_open("entropy-monitor", log_target_detect(), LOG_NOTICE);
        (void)signal(SIGXFSZ, SIG_IGN); /* report a file size limit like a full disk */
        if (argc < 2) {
                print_help(stderr);
                return EX_USAGE;
        }
        run = find_verb(argv[1]);
        if (run) {
                json_avoid_random();
                return run(argc - 1, argv + 1);
        }
        if (asks_for_help(argv[1])) {
                print_help(stdout);
                return EXIT_SUCCESS;
        }
        if (asks_for_version(argv[1])) {
                (void)puts("entropy-monitor " PACKAGE_VERSION " (guest-entropy)");
                return EXIT_SUCCESS;
        }
        log_error("Unknown verb \"%s\", see entropy-monitor --help", argv[1]);
        return EX_USAGE;
}
