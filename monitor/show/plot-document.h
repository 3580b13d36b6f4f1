/* SPDX-License-Identifier: MIT */
#pragma once

/* Plots of recordings as SVG and HTML. */

#include <stdio.h>

#include "monitor/show/recording.h"

typedef enum PlotTheme {
        PLOT_THEME_AUTO, /* as the viewer prefers */
        PLOT_THEME_LIGHT,
        PLOT_THEME_DARK,
} PlotTheme;

/* One SVG, a panel for each recording below the other. -ENOMEM, or -EIO when the stream takes no more. */
_must_check_ int plot_svg(
        const Recording *recordings,
        size_t n_recordings,
        PlotTheme theme,
        FILE *stream);

/* One HTML file that loads nothing: the SVG of each recording, with zoom and hover. Errors as above. */
_must_check_ int plot_html(
        const Recording *recordings,
        size_t n_recordings,
        PlotTheme theme,
        FILE *stream);
