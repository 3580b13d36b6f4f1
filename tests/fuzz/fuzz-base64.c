/* SPDX-License-Identifier: MIT */
/* Any text as base64. What is accepted, written anew, is the text without its white space: no other
 * spelling of the same bytes is taken. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"

static void check(int right) {
        if (!right)
                abort();
}

/* The encoder that the library has no use for. */
static size_t encode(const uint8_t *bytes, size_t length, char *text) {
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n = 0;

        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                uint32_t bits = (uint32_t)bytes[i] << 16;

                bits |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
                bits |= left > 2 ? (uint32_t)bytes[i + 2] : 0;
                text[n++] = alphabet[bits >> 18];
                text[n++] = alphabet[bits >> 12 & 63];
                text[n++] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
                text[n++] = left > 2 ? alphabet[bits & 63] : '=';
        }
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static uint8_t bytes[3072];
        static char text[4096];
        size_t length = 0, n, at = 0;
        int r;

        r = base64_decode((const char *)data, size, bytes, sizeof(bytes), &length);
        check(r == 0 || (length == 0 && (r == -EBADMSG || r == -EMSGSIZE)));
        if (r < 0)
                return 0;
        check(length <= sizeof(bytes));
        n = encode(bytes, length, text);
        for (size_t i = 0; i < size; i++)
                if (!memchr(" \t\r\n", data[i], 4))
                        check(at < n && text[at++] == (char)data[i]);
        check(at == n);
        return 0;
}
