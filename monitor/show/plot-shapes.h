/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The shapes of a panel as elements of an SVG. Where a shape is in time is written twice: in pixels,
 * and in microseconds for the script of the page, which moves it when one zooms.
 */

#include <stdbool.h>
#include <stdio.h>

#include "monitor/show/plot-scene.h"

#define PLOT_LEFT        74.0
#define PLOT_WIDTH       1100.0
#define PLOT_RIGHT       26.0
#define PLOT_LABEL_WIDTH 7.0 /* of one character of a mark's label, generously */

typedef struct Panel {
        const Scene *scene;
        FILE *stream;
        bool in_page;
        double y; /* of the next part */
        double rows_y, level_y, bottom_y;
} Panel;

double shape_x(const Panel *panel, uint64_t at_usec);

/* A rectangle, at least so wide. */
void shape_bar(
        const Panel *panel,
        const char *class,
        Span span,
        double y,
        double height,
        double least_width);

/* title: what is shown under the pointer. */
void shape_line(
        const Panel *panel,
        const char *class,
        Span span,
        double from_y,
        double to_y,
        const char *title);

/* As wide as the plot, whatever its time. */
void shape_rule(const Panel *panel, const char *class, double y);

/* Attributes are ours, the text may be anybody's. */
void shape_text(const Panel *panel, double x, double y, const char *attributes, const char *text);

/* A word on a stretch of time, where it fits. */
void shape_word(const Panel *panel, const char *class, Span span, double y, const char *word);
