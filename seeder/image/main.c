/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "lib/config/options.h"
#include "seeder/image/clean.h"
#include "seeder/image/find.h"
#include "seeder/image/host.h"
#include "seeder/image/os.h"

#define EX_FINDINGS 1

#define GROUPS_TEMPLATE ((1U << GROUP_SEEDS) | (1U << GROUP_IDENTITY))

typedef enum Answer {
        ANSWER_NONE,
        ANSWER_LIST,
        ANSWER_VERSION,
        ANSWER_HELP,
} Answer;

typedef struct Arguments {
        Answer answer; /* what is printed instead of anything else */
        bool clean;
        bool dry_run;
        bool json;
        bool verbose;
        bool running_system;
        unsigned groups;
        Origin groups_origin;
        SettingArguments words; /* the verb and ROOT */
        const char *root;
} Arguments;

static int parse_groups(const char *text, unsigned *ret_groups) {
        unsigned groups = 0;

        while (*text) {
                size_t n = strcspn(text, ",");
                Group group = 0;

                for (; group < _GROUP_MAX; group++) {
                        const char *name = group_to_string(group);

                        if (strlen(name) == n && memcmp(text, name, n) == 0)
                                break;
                }
                if (group == _GROUP_MAX)
                        return -EINVAL;
                groups |= 1U << group;
                text += n + (text[n] == ',' ? 1 : 0);
        }
        *ret_groups = groups;
        return groups == 0 ? -EINVAL : 0;
}

static int refuse_usage(const char *text) {
        log_error("%s; see entropy-image --help", text);
        return EX_USAGE;
}

static int check_arguments(Arguments *arguments) {
        unsigned setup = 1U << GROUP_SETUP;

        if (!arguments->clean && (arguments->dry_run || arguments->running_system))
                return refuse_usage("--dry-run and --running-system are for clean");
        if (arguments->clean && arguments->verbose)
                return refuse_usage("--verbose is for check");
        if (arguments->clean && arguments->groups_origin != ORIGIN_DEFAULT &&
            (arguments->groups & setup))
                return refuse_usage("clean does not accept --only=setup: use check");
        if (arguments->clean)
                arguments->groups &= GROUPS_TEMPLATE;
        if (arguments->running_system && arguments->groups != 1U << GROUP_SEEDS)
                return refuse_usage("--running-system needs --only=seeds: a running system keeps "
                                    "its identity");
        return EXIT_SUCCESS;
}

static int print_rules(void) {
        int r = printf("%-25s%-10s%-9s%-8s%s\n", "RULE", "GROUP", "SEVERITY", "CLEAN", "ADVICE");

        for (size_t i = 0; i < _RULE_MAX && r >= 0; i++)
                r =
                        printf("%-25s%-10s%-9s%-8s%s\n",
                               image_rules[i].id,
                               group_to_string(image_rules[i].group),
                               state_to_string(image_rules[i].severity),
                               action_to_string(image_rules[i].action),
                               image_rules[i].advice ? image_rules[i].advice : "-");
        return r < 0 || fflush(stdout) == EOF ? EX_IOERR : EXIT_SUCCESS;
}

static int apply_only(void *target, const char *value, const SettingLayer *layer) {
        return parse_groups(value, &((Arguments *)target)->groups);
}

#define AT(_type, _field) SETTING_AT(_type, Arguments, _field)

static const Setting rows[] = {
        { "VERB", AT(ARGUMENTS, words), .maximum = 2, .expected = "check or clean and one ROOT" },
        { "-n, --dry-run", "clean: only list what would be done", AT(BOOL, dry_run) },
        { "-j, --json", "one JSON document instead of a table", AT(BOOL, json) },
        { "-v, --verbose", "check: also list what is as it should be", AT(BOOL, verbose) },
        { "-o, --only=GROUP,...",
          "seeds, identity, setup (check only)",
          .apply = apply_only,
          .origin_offset = offsetof(Arguments, groups_origin),
          .expected = "seeds, identity, setup" },
        { "--running-system",
          "clean --only=seeds: allow the running system",
          AT(BOOL, running_system) },
        { "-l, --list",
          "list the rules, and do nothing else",
          AT(ANSWER, answer),
          .value = ANSWER_LIST },
        { "-V, --version", "print the version", AT(ANSWER, answer), .value = ANSWER_VERSION },
        { "-h, --help", "print this", AT(ANSWER, answer), .value = ANSWER_HELP },
};

static const ConfigOptions table = { rows, ELEMENTSOF(rows) };

static void print_help(void) {
        (void)fputs(
                "Usage: entropy-image check [OPTION...] ROOT\n"
                "       entropy-image clean [OPTION...] ROOT\n"
                "Checks and cleans the image of a virtual machine; also run as entropy-seeder "
                "image.\n"
                "\n"
                "check lists what must not be in a template of virtual machines, and what should\n"
                "be there; clean removes the former. ROOT is a mounted tree; nothing outside of\n"
                "it is touched, and nothing in it is run.\n"
                "\n",
                stdout);
        config_print_options(stdout, &table);
        (void)fputs(
                "\n"
                "Exit status: 0 clean, 1 findings, 64 usage, 66 ROOT is not there or holds no\n"
                "operating system, 71 system error, 74 something could not be looked at or\n"
                "removed, 77 refused.\n"
                "See entropy-seeder-image(8).\n",
                stdout);
}

/* Returns an exit status. */
static int print_answer(Answer answer) {
        if (answer == ANSWER_LIST)
                return print_rules();
        if (answer == ANSWER_HELP)
                print_help();
        else
                (void)puts("entropy-image (guest-entropy) " PACKAGE_VERSION);
        return fflush(stdout) == EOF ? EX_IOERR : EXIT_SUCCESS;
}

/* Returns EXIT_SUCCESS with a root, or without one if there was something to print; else a status. */
static int parse_arguments(int argc, char *argv[], Arguments *arguments) {
        const SettingLayer layer = { .origin = ORIGIN_COMMAND_LINE };
        const SettingArguments *words = &arguments->words;
        _cleanup_messages_ Messages errors = {};
        int r;

        r = config_read_options(&table, argc, argv, arguments, &layer, &errors);
        if (r != 0 && r != CONFIG_E_ANSWERED) {
                messages_log(&errors, LOG_ERR);
                return config_exit_status(r);
        }
        if (arguments->answer != ANSWER_NONE)
                return print_answer(arguments->answer);

        if (words->n > 0 && strcmp(words->list[0], "check") != 0 &&
            strcmp(words->list[0], "clean") != 0)
                return refuse_usage("the verbs are check and clean");
        if (words->n != 2)
                return refuse_usage("a verb, check or clean, and one ROOT are needed");
        arguments->clean = strcmp(words->list[0], "clean") == 0;
        arguments->root = words->list[1];
        return check_arguments(arguments);
}

static int find(const Tree *tree, unsigned groups, Report *report) {
        template_find(tree, groups, report);
        if (groups & (1U << GROUP_SETUP)) {
                kernel_find(tree, report);
                services_find(tree, report);
        }
        return report->no_memory ? log_errno(LOG_ERR, -ENOMEM, "Cannot look at the tree") : 0;
}

static int print(const Arguments *arguments, const Report *report) {
        const Run run = {
                .verb = arguments->clean ? "clean" : "check",
                .root = arguments->root,
                .dry_run = arguments->dry_run,
        };
        int r;

        r = arguments->json ? report_print_json(report, &run, stdout)
                            : report_print(report, arguments->verbose, stdout);
        if (r < 0)
                (void)log_errno(LOG_ERR, r, "Cannot print the report");
        return r;
}

static int status_of(const Report *report) {
        if (report_count(report, STATE_FINDING) > 0)
                return EX_FINDINGS;
        return report_count(report, STATE_ERROR) > 0 ? EX_IOERR : EXIT_SUCCESS;
}

static int check(const Tree *tree, const Arguments *arguments) {
        _cleanup_report_ Report report = REPORT_NULL;

        if (find(tree, arguments->groups, &report) < 0)
                return EX_OSERR;
        if (print(arguments, &report) < 0)
                return EX_IOERR;
        if (!arguments->json)
                (void)printf(
                        "%zu findings, %zu not looked at, %zu unknown, %zu notes, %zu as they "
                        "should be\n",
                        report_count(&report, STATE_FINDING),
                        report_count(&report, STATE_ERROR),
                        report_count(&report, STATE_UNKNOWN),
                        report_count(&report, STATE_NOTE),
                        report_count(&report, STATE_OK));
        return fflush(stdout) == EOF ? EX_IOERR : status_of(&report);
}

static const char *plan_of(const Item *item, bool dry_run) {
        if (item->action == ACTION_MANUAL)
                return "manual:";
        if (item->outcome == OUTCOME_FAILED)
                return dry_run ? "would not touch" : "will not touch";
        if (item->action == ACTION_REMOVE)
                return dry_run ? "would remove" : "will remove";
        return dry_run ? "would reset" : "will reset";
}

/* Before anything is touched. With --json the document comes at the end, so this goes to stderr. */
static int print_plan(const Arguments *arguments, const Report *report) {
        FILE *stream = arguments->json ? stderr : stdout;

        for (size_t i = 0; i < report->n_items; i++) {
                const Item *item = &report->items[i];
                const bool manual = item->action == ACTION_MANUAL;
                const char *advice = item_advice(item);

                if (item->action != ACTION_NONE && item->shown)
                        (void)fprintf(
                                stream,
                                "%s %s (%s)%s%s\n",
                                plan_of(item, arguments->dry_run),
                                item->shown,
                                item->rule->id,
                                manual ? ": " : "",
                                !manual  ? ""
                                : advice ? advice
                                         : item->detail);
        }
        return fflush(stream) == EOF ? -EIO : 0;
}

static void log_errors(const Report *report) {
        for (size_t i = 0; i < report->n_items; i++)
                if (report->items[i].state == STATE_ERROR)
                        log_error("%s %s", report->items[i].shown, report->items[i].detail);
        if (report->overflow)
                log_error("There is more than can be told at once: clean again");
}

static void log_failures(const Report *report) {
        for (size_t i = 0; i < report->n_items; i++) {
                const Item *item = &report->items[i];

                if (item->outcome == OUTCOME_FAILED)
                        log_error("%s stays: %s", item->shown, item_error(item));
        }
}

static int finish(const Tree *tree, const Arguments *arguments, const Report *report) {
        /* What is still there after the work is what counts, whatever each call said. */
        _cleanup_report_ Report left = REPORT_NULL;
        size_t n_failed = report_count_outcome(report, OUTCOME_FAILED), n_left;

        log_failures(report);
        if (find(tree, arguments->groups, &left) < 0)
                return EX_OSERR;
        n_left = report_count(&left, STATE_FINDING);
        if (arguments->json ? print(arguments, report) < 0
                            : printf("%zu %s, %zu failed, %zu findings left\n",
                                     report_count_outcome(
                                             report,
                                             arguments->dry_run ? OUTCOME_PLANNED : OUTCOME_DONE),
                                     arguments->dry_run ? "would be done" : "done",
                                     n_failed,
                                     n_left) < 0)
                return EX_IOERR;
        if (fflush(stdout) == EOF || n_failed > 0)
                return EX_IOERR;
        if (n_left > 0)
                return EX_FINDINGS;
        return report_count(report, STATE_ERROR) > 0 ? EX_IOERR : EXIT_SUCCESS;
}

static int clean(const Tree *tree, const Host *host, const Arguments *arguments) {
        _cleanup_report_ Report report = REPORT_NULL;

        if (find(tree, arguments->groups, &report) < 0)
                return EX_OSERR;
        clean_plan(tree, host, &report);
        log_errors(&report);
        if (print_plan(arguments, &report) < 0)
                return EX_IOERR;
        if (!arguments->dry_run)
                clean_carry_out(tree, host, &report);
        return finish(tree, arguments, &report);
}

/* An empty mount point has no findings either, which would be taken for a clean image. */
static int refuse_no_os(const Tree *tree, const char *root) {
        _cleanup_free_ char *what = NULL;
        int r;

        r = os_check(tree, &what);
        if (r == 0)
                return EXIT_SUCCESS;
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot look at %s", root);
                return r == -EACCES ? EX_NOPERM : EX_OSERR;
        }
        log_error("%s is not the root of an operating system: %s", root, what);
        return EX_NOINPUT;
}

/* One error for the whole, instead of one for each file. */
static int refuse_read_only(const Tree *tree, const char *root) {
        struct statvfs filesystem;

        if (fstatvfs(tree->fd, &filesystem) < 0) {
                (void)log_errno(LOG_ERR, negative_errno(), "Cannot look at %s", root);
                return EX_OSERR;
        }
        if (!(filesystem.f_flag & ST_RDONLY))
                return EXIT_SUCCESS;
        log_error("%s is mounted read-only: nothing was done", root);
        return EX_IOERR;
}

static int guarded_check(const Tree *tree, const Arguments *arguments) {
        int r = refuse_no_os(tree, arguments->root);

        return r == EXIT_SUCCESS ? check(tree, arguments) : r;
}

static int guarded_clean(const Tree *tree, const Arguments *arguments) {
        _cleanup_host_ Host host = HOST_NULL;
        bool is_root;
        int r;

        r = host_open(&host);
        if (r >= 0)
                r = host_is_root(&host, tree->fd);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot tell whether this is the running system");
                return EX_OSERR;
        }
        is_root = r > 0;
        if (is_root != arguments->running_system) {
                log_error(
                        "%s %s the root of the running system: refused",
                        arguments->root,
                        is_root ? "is" : "is not");
                return EX_NOPERM;
        }
        if (!is_root) {
                r = refuse_no_os(tree, arguments->root);
                if (r != EXIT_SUCCESS)
                        return r;
        }
        if (!arguments->dry_run) {
                r = refuse_read_only(tree, arguments->root);
                if (r != EXIT_SUCCESS)
                        return r;
        }
        return clean(tree, is_root ? NULL : &host, arguments);
}

int main(int argc, char *argv[]) {
        _cleanup_tree_ Tree tree = TREE_NULL;
        Arguments arguments = { .groups = GROUPS_ALL };
        int r;

        log_open("entropy-image", log_target_detect(), LOG_NOTICE);
        (void)signal(
                SIGXFSZ,
                SIG_IGN); /* a limit on the size of files is an error like a full disk */
        r = parse_arguments(argc, argv, &arguments);
        if (r != EXIT_SUCCESS || !arguments.root)
                return r;
        r = tree_open(arguments.root, &tree);
        if (r < 0) {
                (void)log_errno(
                        LOG_ERR,
                        r,
                        "Cannot open %s%s",
                        arguments.root,
                        r == -ENOTDIR ? " (mount the image, and name the mount point)" : "");
                return r == -ENOENT || r == -ENOTDIR ? EX_NOINPUT
                       : r == -EACCES                ? EX_NOPERM
                                                     : EX_OSERR;
        }
        if (tree.refuse_links)
                log_warning("This kernel has no openat2(): symbolic links in the tree are not "
                            "followed");
        return arguments.clean ? guarded_clean(&tree, &arguments)
                               : guarded_check(&tree, &arguments);
}
