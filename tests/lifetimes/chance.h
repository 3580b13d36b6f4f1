/* SPDX-License-Identifier: MIT */
#pragma once

/* Numbers that a seed repeats, and memory that ends with the life. */

#include <stddef.h>
#include <stdint.h>

typedef struct Chance {
        uint64_t state;
} Chance;

/* One step of a good mixer (splitmix64): different inputs, unrelated outputs. */
uint64_t chance_mix(uint64_t word);

uint64_t chance_next(Chance *chance);
uint32_t chance_below(Chance *chance, uint32_t limit);
void chance_bytes(Chance *chance, uint8_t *bytes, size_t n);

/* Zeroed; ends the program if there is no memory. */
void *arena_new(size_t n);
const uint8_t *arena_copy(const uint8_t *bytes, size_t n);

/* A life ended: all of it is free again. */
void arena_reset(void);
