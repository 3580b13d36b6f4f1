/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was found in an image: a list of items, printed as a table or as one JSON document.
 * Paths and details may hold any bytes of the tree; what is printed of them is escaped, so that a
 * file's name cannot speak to the terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "seeder/image/rules.h"

typedef enum Outcome {
        OUTCOME_NONE,
        OUTCOME_PLANNED,
        OUTCOME_DONE,
        OUTCOME_FAILED,
        _OUTCOME_MAX,
} Outcome;

typedef struct Item {
        const Rule *rule;
        State state;
        Action action;
        const char *path; /* within the tree, without leading slash; or NULL */
        dev_t device;     /* of what is at path, for clean to recognise it; 0: unknown */
        ino_t inode;
        char *shown;  /* the path from the tree's root on, escaped; or NULL */
        char *detail; /* escaped */
        Outcome outcome;
        int error;        /* of OUTCOME_FAILED */
        char *error_text; /* escaped, if there is more to say of it */
} Item;

#define REPORT_ITEMS_MAX 4096U

typedef struct Report {
        Item *items;
        size_t n_items;
        bool overflow;  /* more than REPORT_ITEMS_MAX: itself an error */
        bool no_memory; /* for something that belongs here: the report must not be used */
} Report;

#define REPORT_NULL \
        {}

/* Of something that is OK or UNKNOWN clean does nothing. */
Item item_of(RuleId rule, State state, const char *path);

/* Copies the item's path. */
void report_add(Report *report, Item item, const char *detail_format, ...) _printf_(3, 4);

/* What could not be looked at. */
void report_add_error(Report *report, RuleId rule, const char *path, int error);

void report_free(Report *report);

size_t report_count(const Report *report, State state);
size_t report_count_outcome(const Report *report, Outcome outcome);

/* Formats; then printable ASCII but the backslash stays, and every other byte is \xNN. NULL: no
 * memory. */
_must_check_ char *report_format(const char *format, ...) _printf_(1, 2);

typedef struct Run {
        const char *verb;
        const char *root;
        bool dry_run;
} Run;

/* verbose: also what is as it should be. Both return -EIO if the stream refuses. */
_must_check_ int report_print(const Report *report, bool verbose, FILE *stream);
_must_check_ int report_print_json(const Report *report, const Run *run, FILE *stream);

/* What the user can do about it, or NULL: clean does it, nothing is wrong, or the detail has it. */
const char *item_advice(const Item *item);

/* Why an item failed, in terms of cleaning. */
const char *item_error(const Item *item);

#define _cleanup_report_ _cleanup_(report_free)
