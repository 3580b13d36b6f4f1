/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <string.h>

#include "lib/base/json.h"

/* nova's documents have four levels; each level costs json-c some stack when it frees them. */
#define DEPTH_MAX 32

static void cleanup_tokener(json_tokener **tokener) {
        if (*tokener)
                json_tokener_free(*tokener);
}

static void cleanup_object(json_object **object) {
        (void)json_object_put(*object);
}

void json_avoid_random(void) {
        (void)json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
}

static int parse(const char *text, size_t length, json_object **ret_object) {
        _cleanup_(cleanup_tokener) json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
        json_object *object;

        json_avoid_random();
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        object = json_tokener_parse_ex(tokener, text, (int)length);
        if (!object)
                return -EBADMSG; /* or no memory: json-c 0.15 does not tell */

        /* json-c stops at a zero byte, and after the value: only white space may follow it. */
        for (size_t i = json_tokener_get_parse_end(tokener); i < length; i++)
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n') {
                        (void)json_object_put(object);
                        return -EBADMSG;
                }
        *ret_object = object;
        return 0;
}

int json_get_string(
        const char *text,
        size_t length,
        const char *key,
        char *buffer,
        size_t size,
        size_t *ret_length) {
        _cleanup_(cleanup_object) json_object *document = NULL;
        json_object *value;
        size_t value_length;
        int r;

        if (length > JSON_DOCUMENT_MAX_BYTES)
                return -EFBIG;
        r = parse(text, length, &document);
        if (r < 0)
                return r;
        if (!json_object_is_type(document, json_type_object))
                return -EBADMSG;
        if (!json_object_object_get_ex(document, key, &value))
                return JSON_E_ABSENT;
        if (!json_object_is_type(value, json_type_string))
                return JSON_E_NO_STRING;

        value_length = (size_t)json_object_get_string_len(value);
        if (value_length > size)
                return -EMSGSIZE;
        memcpy(buffer, json_object_get_string(value), value_length);
        *ret_length = value_length;
        return 0;
}

int json_to_text(json_object *object, char **ret_text) {
        const char *text;
        char *copy;

        text = object ? json_object_to_json_string_ext(
                                object,
                                JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)
                      : NULL;
        if (!text)
                return -ENOMEM;
        copy = malloc(strlen(text) + 2);
        if (!copy)
                return -ENOMEM;
        (void)stpcpy(stpcpy(copy, text), "\n");

        *ret_text = copy;
        return 0;
}
