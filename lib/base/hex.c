/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/hex.h"

void hex_encode(const uint8_t *bytes, size_t n, char *text) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                *text++ = digits[bytes[i] >> 4];
                *text++ = digits[bytes[i] & 15];
        }
        *text = '\0';
}

static int digit(char character) {
        if (character >= '0' && character <= '9')
                return character - '0';
        if (character >= 'a' && character <= 'f')
                return character - 'a' + 10;
        return -1;
}

bool hex_decode_prefix(const char *text, size_t length, uint8_t *bytes, size_t n) {
        if (length / 2 < n)
                return false;
        for (size_t i = 0; i < n; i++) {
                int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

                if (high < 0 || low < 0)
                        return false;
                bytes[i] = (uint8_t)(high << 4 | low);
        }
        return true;
}

bool hex_decode(const char *text, uint8_t *bytes, size_t n) {
        size_t length = strlen(text);

        return length == 2 * n && hex_decode_prefix(text, length, bytes, n);
}
