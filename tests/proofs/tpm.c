/* SPDX-License-Identifier: MIT */
#include "lib/sources/tpm-command.c"
#include "tests/proofs/proof.h"

/*
 * Any answer to a request for any number of bytes: what is taken is what the answer has.
 *
 * bound: an answer of up to 4096 bytes
 * unwind: 1
 * wraps: put_u16 put_u32
 * mutant: lib/sources/tpm-command.c
 *   - if (length < HEADER_BYTES || read_be32(answer + 2) != length)
 *   + if (read_be32(answer + 2) != length)
 * mutant: lib/sources/tpm-command.c
 *   - if (length < HEADER_BYTES + 2)
 *   + if (0)
 * mutant: lib/sources/tpm-command.c
 *   - if (n > n_bytes || length != HEADER_BYTES + 2 + n)
 *   + if (length != HEADER_BYTES + 2 + n)
 * mutant: lib/sources/tpm-command.c
 *   - if (n > n_bytes || length != HEADER_BYTES + 2 + n)
 *   + if (n > n_bytes)
 * mutant: lib/sources/tpm-command.c
 *   - if (n == 0)
 *   + if (0)
 */
void prove_take(void) {
        size_t length = nondet_size_up_to(TPM_ANSWER_MAX), n_bytes = nondet_size_up_to(UINT16_MAX);
        const uint8_t *answer = nondet_bytes(length);
        uint8_t *buffer = nondet_bytes(n_bytes);
        size_t before = nondet_size(), n = before, i = nondet_size();
        int r = tpm_take_random(answer, length, n_bytes, buffer, &n);

        PROVE(r <= 0);
        if (r < 0) {
                PROVE(n == before);
                return;
        }
        PROVE(n > 0 && n <= n_bytes && n == length - 12);
        if (i < n)
                PROVE(buffer[i] == answer[12 + i]);
}

/*
 * bound: every number of bytes
 * unwind: 1
 * wraps: put_u16 put_u32
 * mutant: lib/sources/tpm-command.c
 *   - put_u16(ret_command + 10, n_bytes);
 *   + put_u32(ret_command + 10, n_bytes);
 */
void prove_put(void) {
        uint8_t *command = nondet_bytes(TPM_COMMAND_BYTES);
        uint16_t n_bytes = (uint16_t)nondet_size_up_to(UINT16_MAX);

        tpm_put_get_random(n_bytes, command);
        PROVE(command[10] << 8 == (n_bytes & 0xff00) && command[11] == (n_bytes & 0xff));
}
