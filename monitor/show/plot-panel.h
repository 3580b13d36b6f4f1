/* SPDX-License-Identifier: MIT */
#pragma once

/* The picture of one recording: phases, marks, level, process starts, processes that waited. */

#include <stdbool.h>
#include <stdio.h>

#include "monitor/show/plot-scene.h"

/* In a page the title stands above the picture. */
void panel_draw(const Scene *scene, bool in_page, double y, FILE *stream);
double panel_height(const Scene *scene, bool in_page);

/* Of its labels. */
size_t panel_rows(const Scene *scene, bool in_page);

/* What is at the top of the level's part, in bits: a little air above a full pool. */
double panel_top_bits(const Scene *scene);
