/* SPDX-License-Identifier: MIT */
#pragma once

/* The colours of the pictures, light and dark, as a <style> element of an SVG. */

#include <stdio.h>

#include "monitor/show/plot-svg.h"

void plot_style(PlotTheme theme, FILE *stream);
