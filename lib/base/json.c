/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/text.h"

/* nova's documents have four levels; each level costs json-c some stack when it frees them. */
#define DEPTH_MAX 32

static void cleanup_tokener(json_tokener **tokener) {
        if (*tokener)
                json_tokener_free(*tokener);
}

void json_avoid_random(void) {
        (void)json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
}

int json_parse(const char *text, size_t length, Json **ret_object) {
        _cleanup_(cleanup_tokener) json_tokener *tokener = NULL;
        _cleanup_json_ Json *object = NULL;

        if (length > JSON_DOCUMENT_MAX_BYTES)
                return -EFBIG;
        json_avoid_random();
        tokener = json_tokener_new_ex(DEPTH_MAX);
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        object = json_tokener_parse_ex(tokener, text, (int)length);
        if (!object || !json_object_is_type(object, json_type_object))
                return -EBADMSG; /* or no memory: json-c 0.15 does not tell */

        /* json-c stops at a zero byte, and after the value: only white space may follow it. */
        for (size_t i = json_tokener_get_parse_end(tokener); i < length; i++)
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
                        return -EBADMSG;
        *ret_object = TAKE_PTR(object);
        return 0;
}

/* NULL if there is none of this type. */
static Json *member(const Json *object, const char *key, json_type type) {
        Json *value = json_object_object_get(object, key);

        return json_object_is_type(value, type) ? value : NULL;
}

uint64_t json_number(const Json *object, const char *key) {
        const Json *value = member(object, key, json_type_int);

        return value ? (uint64_t)MAX(json_object_get_int64(value), INT64_C(0)) : 0;
}

const char *json_string(const Json *object, const char *key) {
        return json_object_get_string(member(object, key, json_type_string));
}

const char *json_show(const Json *object, const char *key) {
        Json *value = json_object_object_get(object, key);

        return value ? json_object_get_string(value) : "-";
}

size_t json_array(const Json *object, const char *key, Json **ret_array) {
        *ret_array = member(object, key, json_type_array);
        return *ret_array ? json_object_array_length(*ret_array) : 0;
}

Json *json_new(void) {
        json_avoid_random();
        return json_object_new_object();
}

Json *json_new_string(const char *text) {
        _cleanup_free_ char *copy = strdup(text);

        if (!copy)
                return NULL;
        text_make_utf8(copy);
        return json_object_new_string(copy);
}

void json_put(Json *object, const char *key, Json *value) {
        if (json_object_object_add(object, key, value) < 0)
                (void)json_object_put(value);
}

void json_put_number(Json *object, const char *key, uint64_t value) {
        json_put(object, key, json_object_new_uint64(value));
}

void json_put_bool(Json *object, const char *key, bool value) {
        json_put(object, key, json_object_new_boolean(value));
}

void json_put_string(Json *object, const char *key, const char *text) {
        json_put(object, key, text ? json_new_string(text) : NULL);
}

int json_to_text(Json *object, char **ret_text) {
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
