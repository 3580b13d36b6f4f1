/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/cleanup.h"
#include "lib/base/hash.h"
#include "lib/base/secret.h"

/* FIPS 180-4, 6.4. */
#define BLOCK_BYTES  128U
#define LENGTH_BYTES 16U
#define ROUNDS       80U

typedef struct Sha512 {
        uint64_t state[8];
        uint8_t block[BLOCK_BYTES];
        size_t n_block;
        uint64_t n_bytes; /* of an input below 2^61 bytes */
} Sha512;

/* The fractions of the square roots of the first eight primes. */
static const uint64_t start[8] = {
        UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
        UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
        UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* The fractions of the cube roots of the first eighty. */
static const uint64_t constants[ROUNDS] = {
        UINT64_C(0x428a2f98d728ae22), UINT64_C(0x7137449123ef65cd), UINT64_C(0xb5c0fbcfec4d3b2f),
        UINT64_C(0xe9b5dba58189dbbc), UINT64_C(0x3956c25bf348b538), UINT64_C(0x59f111f1b605d019),
        UINT64_C(0x923f82a4af194f9b), UINT64_C(0xab1c5ed5da6d8118), UINT64_C(0xd807aa98a3030242),
        UINT64_C(0x12835b0145706fbe), UINT64_C(0x243185be4ee4b28c), UINT64_C(0x550c7dc3d5ffb4e2),
        UINT64_C(0x72be5d74f27b896f), UINT64_C(0x80deb1fe3b1696b1), UINT64_C(0x9bdc06a725c71235),
        UINT64_C(0xc19bf174cf692694), UINT64_C(0xe49b69c19ef14ad2), UINT64_C(0xefbe4786384f25e3),
        UINT64_C(0x0fc19dc68b8cd5b5), UINT64_C(0x240ca1cc77ac9c65), UINT64_C(0x2de92c6f592b0275),
        UINT64_C(0x4a7484aa6ea6e483), UINT64_C(0x5cb0a9dcbd41fbd4), UINT64_C(0x76f988da831153b5),
        UINT64_C(0x983e5152ee66dfab), UINT64_C(0xa831c66d2db43210), UINT64_C(0xb00327c898fb213f),
        UINT64_C(0xbf597fc7beef0ee4), UINT64_C(0xc6e00bf33da88fc2), UINT64_C(0xd5a79147930aa725),
        UINT64_C(0x06ca6351e003826f), UINT64_C(0x142929670a0e6e70), UINT64_C(0x27b70a8546d22ffc),
        UINT64_C(0x2e1b21385c26c926), UINT64_C(0x4d2c6dfc5ac42aed), UINT64_C(0x53380d139d95b3df),
        UINT64_C(0x650a73548baf63de), UINT64_C(0x766a0abb3c77b2a8), UINT64_C(0x81c2c92e47edaee6),
        UINT64_C(0x92722c851482353b), UINT64_C(0xa2bfe8a14cf10364), UINT64_C(0xa81a664bbc423001),
        UINT64_C(0xc24b8b70d0f89791), UINT64_C(0xc76c51a30654be30), UINT64_C(0xd192e819d6ef5218),
        UINT64_C(0xd69906245565a910), UINT64_C(0xf40e35855771202a), UINT64_C(0x106aa07032bbd1b8),
        UINT64_C(0x19a4c116b8d2d0c8), UINT64_C(0x1e376c085141ab53), UINT64_C(0x2748774cdf8eeb99),
        UINT64_C(0x34b0bcb5e19b48a8), UINT64_C(0x391c0cb3c5c95a63), UINT64_C(0x4ed8aa4ae3418acb),
        UINT64_C(0x5b9cca4f7763e373), UINT64_C(0x682e6ff3d6b2b8a3), UINT64_C(0x748f82ee5defb2fc),
        UINT64_C(0x78a5636f43172f60), UINT64_C(0x84c87814a1f0ab72), UINT64_C(0x8cc702081a6439ec),
        UINT64_C(0x90befffa23631e28), UINT64_C(0xa4506cebde82bde9), UINT64_C(0xbef9a3f7b2c67915),
        UINT64_C(0xc67178f2e372532b), UINT64_C(0xca273eceea26619c), UINT64_C(0xd186b8c721c0c207),
        UINT64_C(0xeada7dd6cde0eb1e), UINT64_C(0xf57d4f7fee6ed178), UINT64_C(0x06f067aa72176fba),
        UINT64_C(0x0a637dc5a2c898a6), UINT64_C(0x113f9804bef90dae), UINT64_C(0x1b710b35131c471b),
        UINT64_C(0x28db77f523047d84), UINT64_C(0x32caab7b40c72493), UINT64_C(0x3c9ebe0a15c9bebc),
        UINT64_C(0x431d67c49c100d4c), UINT64_C(0x4cc5d4becb3e42b6), UINT64_C(0x597f299cfc657e2a),
        UINT64_C(0x5fcb6fab3ad6faec), UINT64_C(0x6c44198c4a475817),
};

static void put_be64(uint8_t target[static 8], uint64_t value) {
        for (unsigned int i = 0; i < 8; i++)
                target[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t rotate(uint64_t value, unsigned int n) {
        return value >> n | value << (64 - n);
}

static void expand(const uint8_t block[static BLOCK_BYTES], uint64_t words[static ROUNDS]) {
        for (size_t i = 0; i < 16; i++)
                words[i] = read_be64(block + 8 * i);
        for (size_t i = 16; i < ROUNDS; i++) {
                const uint64_t a = words[i - 15], b = words[i - 2];

                words[i] = words[i - 16] + (rotate(a, 1) ^ rotate(a, 8) ^ a >> 7) + words[i - 7] +
                           (rotate(b, 19) ^ rotate(b, 61) ^ b >> 6);
        }
}

static void compress(uint64_t state[static 8], const uint8_t block[static BLOCK_BYTES]) {
        uint64_t words[ROUNDS], s[8];

        expand(block, words);
        memcpy(s, state, sizeof(s));
        for (size_t i = 0; i < ROUNDS; i++) {
                const uint64_t one = s[7] +
                                     (rotate(s[4], 14) ^ rotate(s[4], 18) ^ rotate(s[4], 41)) +
                                     ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + words[i];
                const uint64_t two = (rotate(s[0], 28) ^ rotate(s[0], 34) ^ rotate(s[0], 39)) +
                                     ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

                memmove(s + 1, s, 7 * sizeof(*s));
                s[4] += one;
                s[0] = one + two;
        }
        for (size_t i = 0; i < 8; i++)
                state[i] += s[i];
}

static void add(Sha512 *sha, const void *bytes, size_t length) {
        const uint8_t *from = bytes;

        sha->n_bytes += length;
        while (length > 0) {
                size_t n = MIN(length, BLOCK_BYTES - sha->n_block);

                memcpy(sha->block + sha->n_block, from, n);
                sha->n_block += n;
                from += n;
                length -= n;
                if (sha->n_block == BLOCK_BYTES) {
                        compress(sha->state, sha->block);
                        sha->n_block = 0;
                }
        }
}

/* A one, zeroes, and the number of bits in the last bytes of a block. */
static void finish(Sha512 *sha, uint8_t ret_digest[static HASH_SHA512_BYTES]) {
        static const uint8_t padding[BLOCK_BYTES] = { 0x80 };
        const uint64_t n_bits = 8 * sha->n_bytes;
        const size_t used = (sha->n_block + LENGTH_BYTES) % BLOCK_BYTES;
        uint8_t length[LENGTH_BYTES] = {};

        put_be64(length + 8, n_bits);
        add(sha, padding, BLOCK_BYTES - used);
        add(sha, length, sizeof(length));
        for (size_t i = 0; i < 8; i++)
                put_be64(ret_digest + 8 * i, sha->state[i]);
}

int hash_sha512(
        const char *domain,
        const HashPart *parts,
        size_t n_parts,
        uint8_t ret_digest[static HASH_SHA512_BYTES]) {
        Sha512 sha = {};

        if (n_parts > HASH_PARTS_MAX)
                return -EINVAL;
        memcpy(sha.state, start, sizeof(sha.state));
        /* With its terminating zero, so that no domain is the prefix of another. */
        add(&sha, domain, strlen(domain) + 1);
        for (size_t i = 0; i < n_parts; i++) {
                uint8_t length[8];

                put_be64(length, parts[i].length);
                add(&sha, length, sizeof(length));
                if (parts[i].length > 0)
                        add(&sha, parts[i].bytes, parts[i].length);
        }
        finish(&sha, ret_digest);

        explicit_bzero(&sha, sizeof(sha));
        secret_wipe_stack();
        return 0;
}
