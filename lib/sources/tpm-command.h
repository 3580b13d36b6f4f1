/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TPM2_GetRandom as bytes (TCG TPM 2.0 Library, part 3, 16.1; numbers are big-endian). A TPM may
 * answer with fewer bytes than it was asked for, at most with as many as its largest digest has.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define TPM_COMMAND_BYTES 12U
#define TPM_ANSWER_MAX    4096U
/* SHA-384; no TPM that is sold has less, and most take no more. */
#define TPM_RANDOM_MAX 48U

void tpm_put_get_random(uint16_t n_bytes, uint8_t ret_command[static TPM_COMMAND_BYTES]);

/*
 * The random bytes of an answer. -EBADMSG: it is none to a request of n_bytes; -EOPNOTSUPP: from a
 * TPM 1.2; -EAGAIN: the TPM is busy; -EIO: any other refusal; -ENODATA: no bytes.
 */
_must_check_ int tpm_take_random(
        const uint8_t *answer,
        size_t length,
        size_t n_bytes,
        uint8_t *buffer,
        size_t *ret_length);
