/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The shapes of a panel as SVG elements. Each position in time is written twice: in pixels, and in
 * microseconds for the script of the page, which moves the shapes when it is zoomed.
 */

#include <stdbool.h>
#include <stdio.h>

#include "monitor/show/plot-scene.h"

#define PLOT_LEFT  74.0
#define PLOT_RIGHT 26.0

typedef struct Panel {
        const Scene *scene;
        FILE *stream;
        bool in_page;
        double y; /* of the next part */
        double rows_y, level_y, bottom_y;
} Panel;

double shape_x(const Panel *panel, uint64_t at_usec);

/* A rectangle with a minimum width. */
void shape_bar(
        const Panel *panel,
        const char *class,
        Span span,
        double y,
        double height,
        double least_width);

/* title: the tooltip. */
void shape_line(
        const Panel *panel,
        const char *class,
        Span span,
        double from_y,
        double to_y,
        const char *title);

/* A horizontal line as wide as the plot. */
void shape_rule(const Panel *panel, const char *class, double y);

/* The text may be untrusted, the attributes may not. */
void shape_text(const Panel *panel, double x, double y, const char *attributes, const char *text);

/* A label inside a span of time, hidden if it does not fit. */
void shape_word(const Panel *panel, const char *class, Span span, double y, const char *word);
