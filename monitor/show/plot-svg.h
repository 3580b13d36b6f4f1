/* SPDX-License-Identifier: MIT */
#pragma once

/* Recordings as one SVG, one panel below the other. */

#include <stdbool.h>
#include <stdio.h>

#include "monitor/show/recording.h"

typedef enum PlotTheme {
        PLOT_THEME_AUTO, /* as the viewer prefers */
        PLOT_THEME_LIGHT,
        PLOT_THEME_DARK,
} PlotTheme;

/* -ENOMEM, or -EIO when the stream takes no more. */
_must_check_ int plot_svg(
        const Recording *recordings,
        size_t n_recordings,
        PlotTheme theme,
        FILE *stream);

/*
 * The plot of one recording as a part of a page that has the style and the title, with the detail
 * that is needed to zoom in. Errors as above.
 */
_must_check_ int plot_svg_for_page(const Recording *recording, FILE *stream);

/* A <style> element. */
void plot_style(PlotTheme theme, FILE *stream);
