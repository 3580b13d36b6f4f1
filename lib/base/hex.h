/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case digits and a terminating zero: 2 * n + 1 characters. */
void hex_encode(const uint8_t *bytes, size_t n, char *text);

/* Exactly 2 * n lower-case digits and no more. */
bool hex_decode(const char *text, uint8_t *bytes, size_t n);

/* The same at the start of length characters, whatever comes behind. */
bool hex_decode_prefix(const char *text, size_t length, uint8_t *bytes, size_t n);
