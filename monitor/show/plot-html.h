/* SPDX-License-Identifier: MIT */
#pragma once

/* Recordings as one HTML file that loads nothing: the SVG of each, with zoom and hover. */

#include <stdio.h>

#include "monitor/show/plot-svg.h"

/* -ENOMEM, or -EIO when the stream takes no more. */
_must_check_ int plot_html(
        const Recording *recordings,
        size_t n_recordings,
        PlotTheme theme,
        FILE *stream);
