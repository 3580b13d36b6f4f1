/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "seeder/options.h"

#define SEED_FILE_NAME "seed-file"

enum {
        OPTION_DEADLINE = 256,
        OPTION_INITRAMFS,
        OPTION_REAL_ROOT,
        OPTION_DRY_RUN,
        OPTION_REPORT,
        OPTION_SOURCE,
        OPTION_VERBOSE,
};

void seeder_options_help(void) {
        (void)fputs(
                "Usage: entropy-seeder [run] [OPTION]...\n"
                "       entropy-seeder save\n"
                "       entropy-seeder image check|clean [OPTION]... ROOT\n"
                "Seeds the kernel's RNG once, early in the boot, from whatever the platform offers.\n"
                "\n"
                "  run                    ask every source, end when the kernel is ready (default)\n"
                "  save                   save a seed for the next boot\n"
                "  image                  check or clean an image: see entropy-seeder-image(8)\n"
                "\n"
                "      --deadline=TIME    end after so long (2s in an initramfs, else 10s)\n"
                "      --initramfs        this is an initramfs (else it is found out)\n"
                "      --real-root        this is none\n"
                "      --source=NAME      ask this source only; may be given several times\n"
                "  -c, --config=FILE      read FILE instead of the default configuration\n"
                "      --dry-run          tell what would be used; feed and write nothing\n"
                "      --report[=json]    tell what the runs of this boot did\n"
                "  -q, --quiet            log errors only\n"
                "      --verbose          log what is done\n"
                "  -V, --version          print the version\n"
                "  -h, --help             print this\n"
                "\n"
                "See entropy-seeder(8).\n",
                stdout);
}

static int usage(const char *what, const char *value, const char *expected) {
        log_error(
                "%s%s%s%s: expected %s",
                what,
                value ? " '" : "",
                value ? value : "",
                value ? "'" : "",
                expected);
        return CONFIG_E_USAGE;
}

static int take_source(const char *name, SeederOptions *options) {
        options->only_named = true;
        if (strcmp(name, SEED_FILE_NAME) == 0) {
                options->seed_file_named = true;
                return 0;
        }
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (strcmp(name, source_name(id)) == 0 && plan_class(id) != PLAN_NEVER) {
                        options->named[id] = true;
                        return 0;
                }
        return usage("--source", name, "the name of a source, see entropy-seeder(8)");
}

static int take_option(int option, SeederOptions *options) {
        switch (option) {
        case OPTION_DEADLINE:
                if (parse_usec(optarg, SEEDER_DEADLINE_MAX_USEC, &options->deadline_usec) < 0 ||
                    options->deadline_usec == 0)
                        return usage("--deadline", optarg, "a time of up to 1h, as in 2s");
                return 0;
        case OPTION_INITRAMFS:
        case OPTION_REAL_ROOT:
                options->phase_given = true;
                options->phase = option == OPTION_INITRAMFS ? PHASE_INITRAMFS : PHASE_REAL_ROOT;
                return 0;
        case OPTION_DRY_RUN:
                options->dry_run = true;
                return 0;
        case OPTION_REPORT:
                if (optarg && strcmp(optarg, "json") != 0)
                        return usage("--report", optarg, "nothing or json");
                options->action = SEEDER_REPORT;
                options->as_json = optarg != NULL;
                return 0;
        case OPTION_SOURCE:
                return take_source(optarg, options);
        case OPTION_VERBOSE:
                options->verbose = true;
                return 0;
        case 'c':
                options->config_path = optarg;
                return 0;
        case 'q':
                options->quiet = true;
                return 0;
        case 'V':
                options->action = SEEDER_VERSION;
                return 0;
        case 'h':
                options->action = SEEDER_HELP;
                return 0;
        default:
                return usage("entropy-seeder", NULL, "the options of entropy-seeder --help");
        }
}

/* Help and the version are all that is done, whatever the verb is; a report is no verb's. */
static int take_verb(const char *verb, SeederOptions *options) {
        const bool save = strcmp(verb, "save") == 0;

        if (!save && strcmp(verb, "run") != 0)
                return usage("entropy-seeder", verb, "run, save or image");
        if (options->action == SEEDER_REPORT)
                return usage("--report", NULL, "no verb beside it");
        if (save && options->action == SEEDER_RUN)
                options->action = SEEDER_SAVE;
        return 0;
}

int seeder_options_parse(int argc, char *argv[], SeederOptions *ret_options) {
        static const struct option table[] = {
                { "deadline", required_argument, NULL, OPTION_DEADLINE },
                { "initramfs", no_argument, NULL, OPTION_INITRAMFS },
                { "real-root", no_argument, NULL, OPTION_REAL_ROOT },
                { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
                { "report", optional_argument, NULL, OPTION_REPORT },
                { "source", required_argument, NULL, OPTION_SOURCE },
                { "verbose", no_argument, NULL, OPTION_VERBOSE },
                { "config", required_argument, NULL, 'c' },
                { "quiet", no_argument, NULL, 'q' },
                { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        SeederOptions options = {};
        int option, r;

        while ((option = getopt_long(argc, argv, "c:qVh", table, NULL)) >= 0) {
                r = take_option(option, &options);
                if (r != 0)
                        return r;
        }
        if (optind < argc) {
                r = take_verb(argv[optind], &options);
                if (r != 0)
                        return r;
                if (optind + 1 < argc)
                        return usage("entropy-seeder", argv[optind + 1], "nothing more");
        }
        *ret_options = options;
        return 0;
}
