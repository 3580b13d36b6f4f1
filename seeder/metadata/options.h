/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line of entropy-metadata. */

#include <stdint.h>
#include <stdio.h>

#include "lib/sources/metadata-format.h"

#define OPTIONS_DEFAULT_CONNECT_USEC UINT64_C(2000000)
#define OPTIONS_DEFAULT_TIMEOUT_USEC UINT64_C(5000000)
#define OPTIONS_MAX_USEC             UINT64_C(3600000000)

typedef enum OptionsAction {
        OPTIONS_FETCH,
        OPTIONS_HELP,
        OPTIONS_VERSION,
} OptionsAction;

typedef struct Options {
        OptionsAction action;
        const char *url; /* NULL: OpenStack's metadata service */
        MetadataFormat format;
        const char *ca_file;      /* NULL: the certificates that the machine trusts */
        uint64_t connect_usec;    /* for each attempt */
        uint64_t timeout_usec;    /* for all of it, from the first attempt on */
        uint64_t wait_route_usec; /* before the first attempt */
} Options;

/* 0, or METADATA_E_USAGE and one line on stderr. Strings stay argv's. */
_must_check_ int options_parse(int argc, char **argv, Options *ret_options);
void options_print_help(FILE *stream);
