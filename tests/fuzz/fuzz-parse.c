/* SPDX-License-Identifier: MIT */
/* Numbers, spans of time, fractions and yes or no: what is accepted is in range and as written. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right) {
        if (!right)
                abort();
}

/* Written down again it is the text, but for zeroes in front. */
static void check_u64(const char *text, uint64_t value) {
        char again[32];

        while (text[0] == '0' && text[1] != '\0')
                text++;
        (void)snprintf(again, sizeof(again), "%" PRIu64, value);
        check(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint64_t value = 1, usec = 1;
        uint32_t narrow = 1, ppm = 1;
        char text[256];
        bool yes;

        if (size >= sizeof(text))
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';

        if (parse_u64(text, 0, UINT64_MAX, &value) == 0)
                check_u64(text, value);
        if (parse_u32(text, 10, 1000, &narrow) == 0) {
                check_u64(text, narrow);
                check(narrow >= 10 && narrow <= 1000 && narrow == value);
        }
        if (parse_usec(text, 86400 * USEC_PER_SEC, &usec) == 0)
                check(usec <= 86400 * USEC_PER_SEC && text[0] >= '0' && text[0] <= '9');
        if (parse_fraction(text, 1000000, &ppm) == 0)
                check(ppm <= 1000000 && (uint32_t)(strtod(text, NULL) * 1e6 + 0.5) == ppm);
        if (parse_bool(text, &yes) == 0)
                check(strlen(text) <= 5 && (yes == (strchr("yt1", text[0]) || text[1] == 'n')));
        return 0;
}
