/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/sources/smbios.h"

#define HEADER_BYTES   4U
#define TYPE_OEM       11
#define TYPE_END       127
#define OEM_MIN_LENGTH 5U /* with the number of strings, which nobody needs */

static bool enter_structure(const uint8_t *table, size_t length, SmbiosCursor *cursor) {
        size_t left = length - cursor->at, formatted;
        uint8_t type;

        if (left < HEADER_BYTES)
                return false;
        type = table[cursor->at];
        formatted = table[cursor->at + 1];
        if (formatted < HEADER_BYTES || left - formatted > left || left - formatted < 2 ||
            type == TYPE_END)
                return false;

        cursor->at += formatted;
        cursor->wanted = type == TYPE_OEM && formatted >= OEM_MIN_LENGTH;
        if (table[cursor->at] == '\0')
                cursor->at += 2; /* no strings: both zero bytes are here */
        else
                cursor->in_strings = true;
        return true;
}

bool smbios_next_oem_string(
        const uint8_t *table,
        size_t length,
        SmbiosCursor *cursor,
        const char **ret_string,
        size_t *ret_length) {
        for (;;) {
                const char *string;
                size_t n;

                if (!cursor->in_strings) {
                        if (!enter_structure(table, length, cursor))
                                return false;
                        continue;
                }

                string = (const char *)table + cursor->at;
                n = strnlen(string, length - cursor->at);
                if (n == length - cursor->at)
                        return false;
                cursor->at += n + 1;
                if (n == 0)
                        cursor->in_strings = false;
                else if (cursor->wanted) {
                        *ret_string = string;
                        *ret_length = n;
                        return true;
                }
        }
}
