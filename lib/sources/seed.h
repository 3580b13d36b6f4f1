/* SPDX-License-Identifier: MIT */
#pragma once

/* What every seed that was made before has to be, wherever it was found. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

/* A pool's worth; a longer one gains nothing, and one request carries it. */
#define SEED_MIN_BYTES 32U
#define SEED_MAX_BYTES 4096U

/*
 * Whether it is text throughout (ASCII, UTF-8, UTF-16 of Latin letters): words that somebody typed, or
 * digits of which nobody says what they encode. 32 random bytes are it once in 2^36 times. To be
 * asked of the bytes that a format encodes, not of their encoding.
 */
bool seed_is_text(const uint8_t *bytes, size_t length);

/*
 * The length without white space and zero bytes at the end, which an editor, a shell or a string put
 * there: they are worth nothing. At least SEED_MIN_BYTES, if it was that much.
 */
size_t seed_length_without_padding(const uint8_t *bytes, size_t length);
bool seed_is_padding(uint8_t byte);

/*
 * The seed of an OpenStack meta_data.json: top-level `random_seed`, base64. A tenant can set keys
 * below `meta`, so nothing deeper counts. Its source: nova/api/metadata/base.py.
 *
 * 0; SEED_E_ABSENT: the document has none, as before 2013-04-04; -EBADMSG: no such document, or no
 * base64; -ERANGE: fewer than SEED_MIN_BYTES or more than SEED_MAX_BYTES; -EFBIG, -ENOMEM.
 */
enum {
        SEED_E_ABSENT = 1,
};

_must_check_ int seed_from_openstack(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);
