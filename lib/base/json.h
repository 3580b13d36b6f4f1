/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One string out of a JSON document that somebody else wrote. By json-c, strictly (RFC 8259, UTF-8)
 * and to a small depth. Of a key that occurs twice the last value counts, as json-c and Python have
 * it: whoever can write a document's top level needs no second key to say what he wants.
 */

#include <stddef.h>

#include "lib/base/error.h"

#define JSON_DOCUMENT_MAX_BYTES (1024U * 1024U)

enum {
        JSON_E_ABSENT = 1, /* the document is an object without this key */
};

/*
 * The string at the top-level key, without a zero byte behind it. 0, JSON_E_ABSENT, -EBADMSG (no
 * such document, or no string), -EFBIG (the document is longer than JSON_DOCUMENT_MAX_BYTES),
 * -EMSGSIZE (more than size bytes), -ENOMEM. Copies of the document stay in freed memory: for a
 * process that ends soon.
 */
_must_check_ int json_get_string(
        const char *text,
        size_t length,
        const char *key,
        char *buffer,
        size_t size,
        size_t *ret_length);
