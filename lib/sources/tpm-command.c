/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/sources/tpm-command.h"

#define TAG_NO_SESSIONS 0x8001U
#define TAG_TPM_1_2     0x00c4U
#define COMMAND_RANDOM  0x0000017bU
#define HEADER_BYTES    10U
#define RC_SUCCESS      0x000U
#define RC_YIELDED      0x908U
#define RC_TESTING      0x90aU
#define RC_RETRY        0x922U
#define RC_BAD_TAG      0x01eU /* a TPM 1.2's word for a command it does not know */

static void put_u16(uint8_t *at, uint32_t value) {
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value) {
        put_u16(at, value >> 16);
        put_u16(at + 2, value);
}

void tpm_put_get_random(uint16_t n_bytes, uint8_t ret_command[static TPM_COMMAND_BYTES]) {
        put_u16(ret_command, TAG_NO_SESSIONS);
        put_u32(ret_command + 2, TPM_COMMAND_BYTES);
        put_u32(ret_command + 6, COMMAND_RANDOM);
        put_u16(ret_command + 10, n_bytes);
}

static int check_header(const uint8_t *answer, size_t length) {
        uint32_t tag, code;

        if (length < HEADER_BYTES || read_be32(answer + 2) != length)
                return -EBADMSG;
        tag = read_be16(answer);
        code = read_be32(answer + 6);
        if (tag == TAG_TPM_1_2 || code == RC_BAD_TAG)
                return -EOPNOTSUPP;
        if (tag != TAG_NO_SESSIONS)
                return -EBADMSG;

        switch (code) {
        case RC_SUCCESS:
                return 0;
        case RC_YIELDED:
        case RC_TESTING:
        case RC_RETRY:
                return -EAGAIN;
        default:
                return -EIO;
        }
}

int tpm_take_random(
        const uint8_t *answer,
        size_t length,
        size_t n_bytes,
        uint8_t *buffer,
        size_t *ret_length) {
        size_t n;
        int r;

        r = check_header(answer, length);
        if (r < 0)
                return r;
        if (length < HEADER_BYTES + 2)
                return -EBADMSG;
        n = read_be16(answer + HEADER_BYTES);
        if (n > n_bytes || length != HEADER_BYTES + 2 + n)
                return -EBADMSG;
        if (n == 0)
                return -ENODATA;
        memcpy(buffer, answer + HEADER_BYTES + 2, n);
        *ret_length = n;
        return 0;
}
