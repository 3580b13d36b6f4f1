/* SPDX-License-Identifier: MIT */
#pragma once

/* Recordings as one HTML file with zoom and hover: nothing is loaded from elsewhere. */

#include <stdio.h>

#include "monitor/show/recording.h"

/* -EIO when the stream takes no more. */
_must_check_ int plot_html(const Recording *recordings, size_t n_recordings, FILE *stream);
