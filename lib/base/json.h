/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON by json-c, in a form that is safe before the kernel's RNG is ready. For the seed of its hash
 * tables json-c asks getrandom(), and if that has nothing reads /dev/urandom: there Linux 5.19 and later
 * start their jitter loop and wait for it, a second long. json_parse() and json_new() have it hash without
 * a seed first. Objects with thousands of keys of somebody's choice are slow then, so documents are
 * bounded.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct json_object Json;

#define JSON_DOCUMENT_MAX_BYTES (1024U * 1024U)

/* For those who call json-c themselves, before anything else of it. */
void json_avoid_random(void);

static inline void cleanup_json(Json **object) {
        (void)json_object_put(*object);
        *object = NULL;
}

#define _cleanup_json_ _cleanup_(cleanup_json)

/* ---- Reading what somebody else wrote ---- */

/*
 * An object, strictly (RFC 8259, UTF-8) and to a small depth. Of a key that occurs twice the last
 * value counts, as json-c and Python have it: whoever can write a document's top level needs no second
 * key to say what he wants.
 *
 * -EBADMSG (no such document), -EFBIG (longer than JSON_DOCUMENT_MAX_BYTES), -ENOMEM. Copies of the
 * document stay in freed memory: where a seed is in it, for a process that ends soon.
 */
_must_check_ int json_parse(const char *text, size_t length, Json **ret_object);

/* What is at the key: 0 if it is no number or below 0; NULL if it is no string; the text of any value, or
 * "-"; how many elements the array has, and NULL and 0 if it is none. object may be anything, or NULL. */
uint64_t json_number(const Json *object, const char *key);
const char *json_string(const Json *object, const char *key);
const char *json_show(const Json *object, const char *key);
size_t json_array(const Json *object, const char *key, Json **ret_array);

/* ---- Writing ---- */

/* An empty object; NULL without memory. */
Json *json_new(void);

/* What is no UTF-8 in it (a path may hold any bytes) is replaced. */
Json *json_new_string(const char *text);

/* Takes value over; NULL is JSON's null. Without memory the key is left out. */
void json_put(Json *object, const char *key, Json *value);
void json_put_number(Json *object, const char *key, uint64_t value);
void json_put_bool(Json *object, const char *key, bool value);

/* NULL is JSON's null. */
void json_put_string(Json *object, const char *key, const char *text);

/* A document of our own, pretty and with a newline at its end. -ENOMEM, also of a NULL object. */
_must_check_ int json_to_text(Json *object, char **ret_text);
