/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the proofs share. CBMC takes a function without a body, and memory that nobody wrote to, as
 * "any value": that is how an input is made here.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define ASSUME(condition) __CPROVER_assume(condition)
#define PROVE(condition)  __CPROVER_assert(condition, #condition)

bool nondet_bool(void);
int nondet_int(void);
int8_t nondet_int8(void);
uint8_t nondet_u8(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);
ssize_t nondet_ssize(void);

static inline size_t nondet_size_up_to(size_t maximum) {
        size_t size = nondet_size();

        ASSUME(size <= maximum);
        return size;
}

static inline int nondet_error(void) {
        int error = nondet_int();

        ASSUME(error > 0 && error < 4096);
        return error;
}

/* Exactly so many bytes of any content: one byte before or behind them is a failure. */
static inline void *nondet_bytes(size_t size) {
        void *bytes = malloc(size);

        ASSUME(bytes != NULL);
        return bytes;
}

/* What read(2) and its kin may do: an error, an early end, or bytes of any content. */
static inline ssize_t nondet_read(void *buffer, size_t size) {
        ssize_t n = nondet_ssize();

        PROVE(__CPROVER_w_ok(buffer, size));
        ASSUME(n >= -1 && n <= (ssize_t)size);
        if (n < 0)
                errno = nondet_error();
        if (n > 0)
                __CPROVER_havoc_slice(buffer, (size_t)n);
        return n;
}

/*
 * Induction over a loop whose state the proof started with at any value. Called where each round
 * begins, behind a PROVE() of what must hold there: the first round shows that it holds again for
 * the second one, and so for all.
 */
static inline void begin_round(void) {
        static unsigned n_rounds;

        ASSUME(++n_rounds <= 2);
}
