/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The whole of a fetch: one URL, or OpenStack's service over IPv4 and, on each network card, IPv6.
 * IPv6 goes first and IPv4 150 ms later (as cloud-init does, after RFC 8305); the first good answer
 * wins. What may pass is tried again with back-off. All of it ends at the deadline.
 */

#include "lib/base/error.h"
#include "lib/base/secret.h"
#include "seeder/metadata/options.h"

#define FETCH_WHY_MAX (METADATA_URL_MAX + 256U)

/*
 * The seed, in a buffer of SEED_MAX_BYTES. 0; a code of metadata-status.h and why, in one line; or
 * a negative errno. Waits for libcurl's resolver thread are left behind: the process ends next.
 */
_must_check_ int fetch_seed(
        const Options *options,
        Secret *buffer,
        size_t *ret_length,
        char ret_why[static FETCH_WHY_MAX]);
