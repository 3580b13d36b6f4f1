/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was found in an image: a list of items, printed as a table or as one JSON document.
 * Paths and details may hold any bytes of the tree; they are escaped when they are printed, so
 * that a file's name cannot speak to the terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/error.h"

typedef enum ImageGroup {
        IMAGE_GROUP_SEEDS,     /* bytes that a generator would be seeded with, and flags about it */
        IMAGE_GROUP_IDENTITY,  /* what tells one machine from another */
        IMAGE_GROUP_EQUIPMENT, /* what should be there */
        _IMAGE_GROUP_MAX,
} ImageGroup;

#define IMAGE_GROUPS_ALL ((1U << _IMAGE_GROUP_MAX) - 1)

typedef enum ImageState {
        IMAGE_STATE_FINDING, /* must be mended before this is a template */
        IMAGE_STATE_ERROR,   /* could not be looked at, and may hold a finding */
        IMAGE_STATE_UNKNOWN, /* equipment that could not be looked into */
        IMAGE_STATE_NOTE,    /* good to know */
        IMAGE_STATE_OK,
        _IMAGE_STATE_MAX,
} ImageState;

typedef enum ImageAction {
        IMAGE_ACTION_NONE,
        IMAGE_ACTION_REMOVE,
        IMAGE_ACTION_RESET,   /* write "uninitialized" */
        IMAGE_ACTION_BY_HAND, /* clean leaves it to you */
        _IMAGE_ACTION_MAX,
} ImageAction;

typedef enum ImageOutcome {
        IMAGE_OUTCOME_NONE,
        IMAGE_OUTCOME_PLANNED,
        IMAGE_OUTCOME_DONE,
        IMAGE_OUTCOME_FAILED,
        _IMAGE_OUTCOME_MAX,
} ImageOutcome;

typedef struct ImageItem {
        const char *id; /* static */
        ImageGroup group;
        ImageState state;
        ImageAction action;
        const char *path; /* within the tree, without leading slash; or NULL */
        dev_t device;     /* of what is at path, for clean to recognise it; 0: unknown */
        ino_t inode;
        char *detail;
        ImageOutcome outcome;
        int error;        /* of IMAGE_OUTCOME_FAILED */
        char *error_text; /* if there is more to say of it */
} ImageItem;

#define IMAGE_ITEMS_MAX 4096U

typedef struct ImageReport {
        ImageItem *items;
        size_t n_items;
        bool overflow; /* more than IMAGE_ITEMS_MAX: itself an error */
} ImageReport;

#define IMAGE_REPORT_NULL \
        {}

/* Copies item, with its path and the detail. -ENOMEM; an overflow is remembered, not an error. */
_must_check_ int image_report_add(
        ImageReport *report,
        const ImageItem *item,
        const char *detail_format,
        ...) _printf_(3, 4);
void image_report_free(ImageReport *report);

size_t image_report_count(const ImageReport *report, ImageState state);
size_t image_report_count_outcome(const ImageReport *report, ImageOutcome outcome);

/* Printable ASCII but the backslash stays; every other byte is \xNN. NULL: no memory. */
_must_check_ char *image_report_escape(const char *text);

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

const char *image_group_to_string(ImageGroup group);
const char *image_state_to_string(ImageState state);
const char *image_action_to_string(ImageAction action);
const char *image_outcome_to_string(ImageOutcome outcome);

/* As strerror(3), but in terms of cleaning. error is negative. */
const char *image_error_to_string(int error);

/* Why an item failed. */
const char *image_item_error(const ImageItem *item);

#define _cleanup_image_report_ _cleanup_(image_report_free)
