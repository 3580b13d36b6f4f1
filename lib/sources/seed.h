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

/* Why a document, or a disk or a server's answer that should be one, gives no seed. */
#define SEED_E_DOCUMENT (-EBADMSG)
#define SEED_E_ABSENT   (-ENOMSG)
#define SEED_E_TYPE     (-ENOSTR)
#define SEED_E_ENCODING (-EILSEQ)
#define SEED_E_LENGTH   (-ERANGE)
#define SEED_E_TOO_LONG (-EFBIG)

/* "the seed is not base64"...: the same words wherever it was found; NULL for another error. */
const char *seed_error_to_string(int error);

/* From base64: 0, SEED_E_ENCODING or SEED_E_LENGTH. */
_must_check_ int seed_from_base64(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);

/*
 * The seed of a JSON document: base64 at a top-level key, which is random_seed in an OpenStack
 * meta_data.json. A tenant can set keys below `meta`, so nothing deeper counts. Its source:
 * nova/api/metadata/base.py.
 *
 * 0; SEED_E_ABSENT: the document has none, as before 2013-04-04; another one of the above; -ENOMEM.
 */
#define SEED_OPENSTACK_KEY "random_seed"

_must_check_ int seed_from_json(
        const char *text,
        size_t length,
        const char *key,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);
