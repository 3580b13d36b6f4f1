/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"

/* Digits only; moves *text behind them. */
static int take_digits(const char **text, uint64_t *ret_value) {
        const char *p = *text;
        uint64_t value = 0;

        if (*p < '0' || *p > '9')
                return -EINVAL;

        for (; *p >= '0' && *p <= '9'; p++) {
                uint64_t digit = (uint64_t)(*p - '0');

                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, digit, &value))
                        return -ERANGE;
        }

        *text = p;
        *ret_value = value;
        return 0;
}

int parse_u64(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value) {
        uint64_t value;
        int r;

        r = take_digits(&text, &value);
        if (r < 0)
                return r;
        if (*text != '\0')
                return -EINVAL;
        if (value < minimum || value > maximum)
                return -ERANGE;

        *ret_value = value;
        return 0;
}

int parse_u32(const char *text, uint32_t minimum, uint32_t maximum, uint32_t *ret_value) {
        uint64_t value;
        int r;

        r = parse_u64(text, minimum, maximum, &value);
        if (r < 0)
                return r;

        *ret_value = (uint32_t)value;
        return 0;
}

int parse_bool(const char *text, bool *ret_value) {
        static const struct {
                const char *word;
                bool value;
        } words[] = {
                { "yes", true }, { "no", false },  { "true", true }, { "false", false },
                { "on", true },  { "off", false }, { "1", true },    { "0", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(text, words[i].word) == 0) {
                        *ret_value = words[i].value;
                        return 0;
                }
        return -EINVAL;
}

int parse_usec(const char *text, uint64_t maximum_usec, uint64_t *ret_usec) {
        static const struct {
                const char *suffix;
                uint64_t usec;
        } units[] = {
                { "", USEC_PER_SEC },          { "us", 1 },
                { "ms", USEC_PER_MSEC },       { "s", USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },  { "h", 3600 * USEC_PER_SEC },
                { "d", 86400 * USEC_PER_SEC },
        };
        uint64_t value;
        int r;

        r = take_digits(&text, &value);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                if (strcmp(text, units[i].suffix) != 0)
                        continue;
                if (__builtin_mul_overflow(value, units[i].usec, &value) || value > maximum_usec)
                        return -ERANGE;
                *ret_usec = value;
                return 0;
        }
        return -EINVAL;
}

int parse_fraction(const char *text, uint32_t maximum_ppm, uint32_t *ret_ppm) {
        const uint64_t one = 1000000;
        uint64_t whole, part = 0;
        int r;

        r = take_digits(&text, &whole);
        if (r < 0)
                return r;
        if (whole > maximum_ppm / one)
                return -ERANGE;

        if (*text == '.') {
                const char *digits = ++text;

                r = take_digits(&text, &part);
                if (r < 0)
                        return r;
                if (text - digits > 6)
                        return -EINVAL;
                for (long n = text - digits; n < 6; n++)
                        part *= 10;
        }
        if (*text != '\0')
                return -EINVAL;
        if (whole * one + part > maximum_ppm)
                return -ERANGE;

        *ret_ppm = (uint32_t)(whole * one + part);
        return 0;
}
