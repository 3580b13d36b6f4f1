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

typedef enum ImageOutcome {
        IMAGE_OUTCOME_NONE,
        IMAGE_OUTCOME_PLANNED,
        IMAGE_OUTCOME_DONE,
        IMAGE_OUTCOME_FAILED,
        _IMAGE_OUTCOME_MAX,
} ImageOutcome;

typedef struct ImageItem {
        const ImageRule *rule;
        ImageState state;
        ImageAction action;
        const char *path; /* within the tree, without leading slash; or NULL */
        dev_t device;     /* of what is at path, for clean to recognise it; 0: unknown */
        ino_t inode;
        char *shown;  /* the path from the tree's root on, escaped; or NULL */
        char *detail; /* escaped */
        ImageOutcome outcome;
        int error;        /* of IMAGE_OUTCOME_FAILED */
        char *error_text; /* escaped, if there is more to say of it */
} ImageItem;

#define IMAGE_ITEMS_MAX 4096U

typedef struct ImageReport {
        ImageItem *items;
        size_t n_items;
        bool overflow;  /* more than IMAGE_ITEMS_MAX: itself an error */
        bool no_memory; /* for something that belongs here: the report must not be used */
} ImageReport;

#define IMAGE_REPORT_NULL \
        {}

/* Of something that is OK or UNKNOWN clean does nothing. */
ImageItem image_item(ImageRuleId rule, ImageState state, const char *path);

/* Copies the item's path. */
void image_report_add(ImageReport *report, ImageItem item, const char *detail_format, ...)
        _printf_(3, 4);

/* What could not be looked at. */
void image_report_add_error(ImageReport *report, ImageRuleId rule, const char *path, int error);

void image_report_free(ImageReport *report);

size_t image_report_count(const ImageReport *report, ImageState state);
size_t image_report_count_outcome(const ImageReport *report, ImageOutcome outcome);

/* Formats; then printable ASCII but the backslash stays, and every other byte is \xNN. NULL: no
 * memory. */
_must_check_ char *image_report_format(const char *format, ...) _printf_(1, 2);

typedef struct ImageRun {
        const char *verb;
        const char *root;
        bool dry_run;
} ImageRun;

/* verbose: also what is as it should be. Both return -EIO if the stream refuses. */
_must_check_ int image_report_print(const ImageReport *report, bool verbose, FILE *stream);
_must_check_ int image_report_print_json(
        const ImageReport *report,
        const ImageRun *run,
        FILE *stream);

/* As strerror(3), but in terms of cleaning. error is negative. */
const char *image_error_to_string(int error);

/* What the user can do about it, or NULL: clean does it, nothing is wrong, or the detail has it. */
const char *image_item_advice(const ImageItem *item);

/* Why an item failed. */
const char *image_item_error(const ImageItem *item);

#define _cleanup_image_report_ _cleanup_(image_report_free)
