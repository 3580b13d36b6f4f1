/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Base64 (RFC 4648, 4: the standard alphabet), strict but for white space: blank, tab, CR and LF
 * may stand anywhere, as in nova's own sample. Padding is complete, the bits under it are zero,
 * nothing follows it. libgpg-error's decoder is made for PEM: it takes a text without padding and
 * ignores what comes after it, so that two texts mean one seed and a cut one looks whole.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

/* 0, -EBADMSG (not base64) or -EMSGSIZE (more than size bytes). The buffer is written to in any case. */
_must_check_ int base64_decode(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);
