/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the three older rngd lines call things: rng-tools 6 (names, indices and keys of its
 * sources), rng-tools5 and rng-tools-debian (--hrng presets). Each name that a command line in the
 * field may hold is known here; what is not honoured adds one notice that says what replaces it.
 *
 * 0, -EINVAL (no such name, key or value) or -ENOMEM.
 */

#include <stdio.h>

#include "lib/config/messages.h"
#include "rngd/settings.h"

/* -n and -x: a name or an index of rng-tools 6, or a name of our own. */
_must_check_ int compat_include(Settings *settings, const char *name, Messages *notices);
_must_check_ int compat_exclude(Settings *settings, const char *name);

/* -O SOURCE:KEY:VALUE; -O SOURCE alone makes it ACTION_SOURCE_KEYS. */
_must_check_ int compat_source_option(Settings *settings, const char *text, Messages *notices);

/* --hrng=NAME; "help" makes it ACTION_HRNG_NAMES. */
_must_check_ int compat_hrng(Settings *settings, const char *name, Messages *notices);
/* --rng-driver=NAME */
_must_check_ int compat_driver(const char *name, Messages *notices);

void compat_print_source_keys(FILE *stream, const char *name);
void compat_print_hrng_names(FILE *stream);
