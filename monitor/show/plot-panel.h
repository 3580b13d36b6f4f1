/* SPDX-License-Identifier: MIT */
#pragma once

/* The plot of one recording: phases, marks, level, process starts, blocked processes. */

#include <stdbool.h>
#include <stdio.h>

#include "monitor/show/plot-scene.h"

/* in_page: the page has the title above it, and more detail is drawn. */
void panel_draw(const Scene *scene, bool in_page, double y, FILE *stream);
double panel_height(const Scene *scene, bool in_page);

/* Of its labels. */
size_t panel_rows(const Scene *scene, bool in_page);

/* The level at the top of its part, in bits: a little more than a full pool. */
double panel_top_bits(const Scene *scene);
