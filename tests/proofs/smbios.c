/* SPDX-License-Identifier: MIT */
#include "lib/sources/smbios.c"
#include "tests/proofs/proof.h"

#define TABLE_MAX 65536U /* SMBIOS 2 has its length in 16 bits */

/* Any position in a string, or none: what strnlen() may answer, and more. */
size_t strnlen(const char *string, size_t maximum) {
        size_t n = nondet_size_up_to(maximum);

        PROVE(maximum == 0 || __CPROVER_r_ok(string, maximum));
        if (n < maximum)
                ASSUME(string[n] == '\0');
        begin_round();
        return n;
}

/* What prove_enter_structure() shows of enter_structure(). */
bool enter_structure_contract(const uint8_t *table, size_t length, SmbiosCursor *cursor) {
        size_t before = cursor->at;

        (void)table;
        PROVE(cursor->at <= length && !cursor->in_strings);
        begin_round();
        if (nondet_bool())
                return false;
        cursor->at = nondet_size_up_to(length);
        cursor->wanted = nondet_bool();
        cursor->in_strings = nondet_bool();
        ASSUME(cursor->at >= before + HEADER_BYTES);
        return true;
}

/*
 * bound: a table of up to 65536 bytes, from anywhere in it
 * unwind: 1
 * wraps: enter_structure
 * mutant: lib/sources/smbios.c
 *   - if (left < HEADER_BYTES)
 *   + if (left < 1)
 * mutant: lib/sources/smbios.c
 *   - if (formatted < HEADER_BYTES || left - formatted > left || left - formatted < 2 ||
 *   + if (formatted < HEADER_BYTES || left - formatted < 2 ||
 * mutant: lib/sources/smbios.c
 *   - if (formatted < HEADER_BYTES || left - formatted > left || left - formatted < 2 ||
 *   + if (formatted < HEADER_BYTES || left - formatted > left ||
 * mutant: lib/sources/smbios.c
 *   - if (formatted < HEADER_BYTES || left - formatted > left || left - formatted < 2 ||
 *   + if (left - formatted > left || left - formatted < 2 ||
 */
void prove_enter_structure(void) {
        size_t length = nondet_size_up_to(TABLE_MAX), before = nondet_size_up_to(length);
        SmbiosCursor cursor = { .at = before };

        if (enter_structure(nondet_bytes(length), length, &cursor))
                PROVE(cursor.at <= length && cursor.at >= before + HEADER_BYTES);
}

/*
 * From any cursor: each string lies in the table, is not empty, and the cursor moves on.
 *
 * bound: a table of up to 65536 bytes, from anywhere in it
 * unwind: 3
 * replace: enter_structure:enter_structure_contract
 * mutant: lib/sources/smbios.c
 *   - if (n == length - cursor->at)
 *   + if (0)
 * mutant: lib/sources/smbios.c
 *   - if (n == 0)
 *   + if (0)
 */
void prove_next_string(void) {
        size_t length = nondet_size_up_to(TABLE_MAX), before = nondet_size_up_to(length), n = 0;
        SmbiosCursor cursor = {
                .at = before,
                .in_strings = nondet_bool(),
                .wanted = nondet_bool(),
        };
        const uint8_t *table = nondet_bytes(length);
        const char *string = NULL;

        if (!smbios_next_oem_string(table, length, &cursor, &string, &n))
                return;
        PROVE(cursor.at <= length && cursor.at > before && n > 0);
        PROVE(string == (const char *)table + cursor.at - n - 1);
        PROVE(string[n] == '\0');
}
