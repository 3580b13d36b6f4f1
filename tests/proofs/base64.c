/* SPDX-License-Identifier: MIT */
#include "lib/base/base64.c"
#include "tests/proofs/proof.h"

#define TEXT_MAX   44U /* of a seed of 32 bytes */
#define INPUT_MAX  65536U
#define BUFFER_MAX 33U

/* What prove_value_of() shows of value_of(). */
unsigned value_of_contract(char c) {
        unsigned value = nondet_u32();

        (void)c;
        ASSUME(value <= INVALID);
        begin_round();
        return value;
}

/*
 * bound: every character
 * unwind: 1
 * mutant: lib/base/base64.c
 *   - if (c >= 'A' && c <= 'Z')
 *   + if (c <= 'Z')
 */
void prove_value_of(void) {
        char c = (char)nondet_int8();
        unsigned value = value_of(c);

        PROVE(value <= INVALID);
        PROVE((value == PADDING) == (c == '='));
}

/* What prove_next_value() shows of next_value(), so that the other proofs need not walk a text. */
unsigned next_value_contract(const char *text, size_t length, size_t *at) {
        unsigned value = nondet_u32();
        size_t after = nondet_size();

        (void)text;
        PROVE(*at <= length);
        ASSUME(value <= END && value != BLANK);
        ASSUME(after <= length && (value == END ? after == length : after > *at));
        *at = after;
        return value;
}

/*
 * bound: a text of up to 65536 characters, from anywhere in it
 * unwind: 3
 * replace: value_of:value_of_contract
 * mutant: lib/base/base64.c
 *   - while (*at < length) {
 *   + while (*at <= length) {
 */
void prove_next_value(void) {
        size_t length = nondet_size_up_to(INPUT_MAX), at = nondet_size_up_to(length), before = at;
        const char *text = nondet_bytes(length);
        unsigned value = next_value(text, length, &at);

        PROVE(value <= END && value != BLANK);
        PROVE(at <= length && (value == END ? at == length : at > before));
}

/*
 * Any four values; what comes out encodes to what went in, so no two groups mean one.
 *
 * bound: every group
 * unwind: 5
 * wraps: decode_group
 * mutant: lib/base/base64.c
 *   - if (bits & ((UINT32_C(1) << (24 - 8 * n)) - 1))
 *   + if (0)
 * mutant: lib/base/base64.c
 *   - if (i <= n ? values[i] >= PADDING : values[i] != PADDING)
 *   + if (values[i] > PADDING)
 */
void prove_decode_group(void) {
        unsigned values[4] = { nondet_u32(), nondet_u32(), nondet_u32(), nondet_u32() };
        uint8_t bytes[3];
        uint32_t bits;
        size_t n;

        for (size_t i = 0; i < 4; i++)
                ASSUME(values[i] <= END && values[i] != BLANK);
        n = decode_group(values, bytes);
        PROVE(n <= 3);
        if (n == 0)
                return;
        bits = (uint32_t)bytes[0] << 16 | (n > 1 ? (uint32_t)bytes[1] << 8 : 0) |
               (n > 2 ? bytes[2] : 0);
        PROVE(values[0] == bits >> 18);
        PROVE(values[1] == ((bits >> 12) & 63));
        PROVE(values[2] == (n > 1 ? (bits >> 6) & 63 : PADDING));
        PROVE(values[3] == (n > 2 ? bits & 63 : PADDING));
}

/*
 * Any text into a buffer of any size.
 *
 * bound: a text of up to 44 characters, a buffer of up to 33 bytes
 * unwind: 5 base64_decode.2:13
 * replace: next_value:next_value_contract
 * wraps: decode_group
 * mutant: lib/base/base64.c
 *   - if (n > size - done)
 *   + if (n > size)
 * mutant: lib/base/base64.c
 *   - *ret_length = done;
 *   + *ret_length = at;
 */
void prove_decode(void) {
        size_t length = nondet_size_up_to(TEXT_MAX), size = nondet_size_up_to(BUFFER_MAX);
        const char *text = nondet_bytes(length);
        uint8_t *buffer = nondet_bytes(size);
        size_t before = nondet_size(), done = before;
        int r = base64_decode(text, length, buffer, size, &done);

        PROVE(r == 0 || r == -EBADMSG || r == -EMSGSIZE);
        if (r < 0)
                PROVE(done == before);
        else
                PROVE(done <= size && done <= length / 4 * 3);
}
