/* SPDX-License-Identifier: MIT */
#include <stdbool.h>

#include "lib/base/base64.h"

#define PADDING 64
#define BLANK   65
#define INVALID 66
#define END     67

static unsigned value_of(char c) {
        if (c >= 'A' && c <= 'Z')
                return (unsigned)(c - 'A');
        if (c >= 'a' && c <= 'z')
                return (unsigned)(c - 'a') + 26;
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0') + 52;

        switch (c) {
        case '+':
                return 62;
        case '/':
                return 63;
        case '=':
                return PADDING;
        case ' ':
        case '\t':
        case '\r':
        case '\n':
                return BLANK;
        default:
                return INVALID;
        }
}

/* The next character that is not white space. */
static unsigned next_value(const char *text, size_t length, size_t *at) {
        while (*at < length) {
                unsigned value = value_of(text[(*at)++]);

                if (value != BLANK)
                        return value;
        }
        return END;
}

/* Four characters to one to three bytes; 0 if they are no such group. */
static size_t decode_group(const unsigned values[static 4], uint8_t ret_bytes[static 3]) {
        size_t n = 3;
        uint32_t bits = 0;

        if (values[3] == PADDING)
                n = values[2] == PADDING ? 1 : 2;
        for (size_t i = 0; i < 4; i++) {
                if (i <= n ? values[i] >= PADDING : values[i] != PADDING)
                        return 0;
                bits = bits << 6 | (values[i] & 63U); /* padding counts as 0 */
        }
        if (bits & ((UINT32_C(1) << (24 - 8 * n)) - 1))
                return 0; /* bits that no byte takes */

        for (size_t i = 0; i < 3; i++)
                ret_bytes[i] = (uint8_t)(bits >> (16 - 8 * i));
        return n;
}

int base64_decode(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        size_t at = 0, done = 0, n = 3;

        for (;;) {
                unsigned values[4] = { next_value(text, length, &at) };
                uint8_t bytes[3];

                if (values[0] == END)
                        break;
                for (size_t i = 1; i < 4; i++)
                        values[i] = next_value(text, length, &at);
                if (n < 3)
                        return -EBADMSG; /* something after the padding */
                n = decode_group(values, bytes);
                if (n == 0)
                        return -EBADMSG;
                if (n > size - done)
                        return -EMSGSIZE;
                for (size_t i = 0; i < n; i++)
                        buffer[done++] = bytes[i];
        }

        *ret_length = done;
        return 0;
}
