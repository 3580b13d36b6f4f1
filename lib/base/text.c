/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"

void text_make_plain(char *text) {
        for (; *text; text++)
                if (!text_is_plain(*text))
                        *text = '?';
}

/* How many bytes the UTF-8 character at text has (RFC 3629, 4); 0 if there is none. */
static size_t utf8_length(const uint8_t *text) {
        size_t n = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

        if (n > 1 && (text[0] < 0xc2 || text[0] > 0xf4))
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return 0;

        /* longer than need be, the surrogates of UTF-16, beyond U+10FFFF */
        if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
            (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
                return 0;
        return n;
}

void text_make_utf8(char *text) {
        for (uint8_t *p = (uint8_t *)text; *p;) {
                size_t n = utf8_length(p);

                if (n == 0)
                        *p = '?';
                p += MAX(n, 1U);
        }
}

const char *text_escape(const char *text, char *buffer, size_t size) {
        const size_t room = size - sizeof("...");
        size_t n = 0;

        for (; *text; text++) {
                const bool as_it_is = text_is_plain(*text) && *text != '\\';

                if (n + (as_it_is ? 1 : 4) > room) {
                        (void)stpcpy(buffer + n, "...");
                        return buffer;
                }
                if (as_it_is) {
                        buffer[n++] = *text;
                        continue;
                }
                buffer[n++] = '\\';
                buffer[n++] = 'x';
                hex_encode((const uint8_t *)text, 1, buffer + n);
                n += 2;
        }

        buffer[n] = '\0';
        return buffer;
}
