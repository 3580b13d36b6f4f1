/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lifetimes/chance.h"

#define ARENA_BYTES (64U << 20)

static uint8_t *arena;
static size_t arena_used;

uint64_t chance_mix(uint64_t word) {
        word += UINT64_C(0x9e3779b97f4a7c15);
        word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
        return word ^ (word >> 31);
}

uint64_t chance_next(Chance *chance) {
        return chance_mix(chance->state++);
}

uint32_t chance_below(Chance *chance, uint32_t limit) {
        return limit == 0 ? 0 : (uint32_t)(chance_next(chance) % limit);
}

void chance_bytes(Chance *chance, uint8_t *bytes, size_t n) {
        for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
                uint64_t word = chance_next(chance);

                memcpy(bytes + at, &word, n - at < sizeof(word) ? n - at : sizeof(word));
        }
}

void *arena_new(size_t n) {
        void *memory;

        n = (n + 15) & ~(size_t)15;
        if (!arena)
                arena = malloc(ARENA_BYTES);
        if (!arena || n > ARENA_BYTES - arena_used) {
                (void)fprintf(stderr, "lifetimes: no memory for this life\n");
                abort();
        }
        memory = arena + arena_used;
        arena_used += n;
        memset(memory, 0, n);
        return memory;
}

const uint8_t *arena_copy(const uint8_t *bytes, size_t n) {
        uint8_t *copy = arena_new(n);

        if (n > 0)
                memcpy(copy, bytes, n);
        return copy;
}

void arena_reset(void) {
        arena_used = 0;
}
