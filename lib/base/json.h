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

/*
 * To be called before anything of json-c is used, wherever the kernel's RNG may not be ready yet
 * (json_get_string() does so itself). For the seed of its hash tables json-c asks getrandom(), and
 * if that has nothing reads /dev/urandom: there Linux 5.19 and later start their jitter loop and
 * wait for it, a second long. After this call json-c hashes without a seed. Objects with thousands
 * of keys of somebody's choice are slow then, so documents are bounded.
 */
void json_avoid_random(void);

enum {
        JSON_E_ABSENT = 1, /* the document is an object without this key */
        JSON_E_NO_STRING,  /* what is there is null, a number... */
};

/*
 * The string at the top-level key, without a zero byte behind it. 0, JSON_E_ABSENT, JSON_E_NO_STRING,
 * -EBADMSG (no such document), -EFBIG (the document is longer than JSON_DOCUMENT_MAX_BYTES),
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

/* A document of our own, pretty and with a newline at its end. -ENOMEM, also of a NULL object. */
struct json_object;
_must_check_ int json_to_text(struct json_object *object, char **ret_text);
