/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Strict text to numbers: the whole string, no sign, no white space, no octal, no overflow.
 * Each returns 0, -EINVAL (not such a value) or -ERANGE (outside of minimum..maximum).
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)

_must_check_ int parse_u32(
        const char *text,
        uint32_t minimum,
        uint32_t maximum,
        uint32_t *ret_value);
_must_check_ int parse_u64(
        const char *text,
        uint64_t minimum,
        uint64_t maximum,
        uint64_t *ret_value);

/* yes/no, true/false, on/off, 1/0 */
_must_check_ int parse_bool(const char *text, bool *ret_value);

/* A time span: a number and one of us, ms, s, min, h, d; a bare number counts seconds. */
_must_check_ int parse_usec(const char *text, uint64_t maximum_usec, uint64_t *ret_usec);

/* A number with an optional fraction of up to six digits ("0.75"), as millionths. */
_must_check_ int parse_fraction(const char *text, uint32_t maximum_ppm, uint32_t *ret_ppm);
