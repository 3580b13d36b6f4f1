/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the three older rngd lines call things: rng-tools 6 (names, indices and keys of its
 * sources), rng-tools5 and rng-tools-debian (--hrng presets). Each name that a command line in the
 * field may hold is known here; what is not honored adds one notice that says what replaces it.
 *
 * The functions apply a row of the table of options to Settings: 0, CONFIG_E_ANSWERED, -EINVAL,
 * -ERANGE or -ENOMEM.
 */

#include <stdio.h>

#include "lib/config/setting.h"

/* -n and -x: a name or an index of rng-tools 6, or a name of our own. */
int rng_tools_include(void *target, const char *name, const SettingLayer *layer);
int rng_tools_exclude(void *target, const char *name, const SettingLayer *layer);

/* -O SOURCE:KEY:VALUE; -O SOURCE alone makes it ACTION_SOURCE_KEYS. */
int rng_tools_source_option(void *target, const char *text, const SettingLayer *layer);

/* --hrng=NAME; "help" makes it ACTION_HRNG_NAMES. */
int rng_tools_hrng(void *target, const char *name, const SettingLayer *layer);
/* --rng-driver=NAME */
int rng_tools_driver(void *target, const char *name, const SettingLayer *layer);

void rng_tools_print_source_keys(FILE *stream, const char *name);
void rng_tools_print_hrng_names(FILE *stream);
