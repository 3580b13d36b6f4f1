/* SPDX-License-Identifier: MIT */
#include <gcrypt.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/secret.h"

static int start_libgcrypt(void) {
        if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
                return 0;
        if (!gcry_check_version("1.8.0"))
                return -EIO;

        /* Its secure memory pool would lock 16 KiB that only hashing contexts would use; the
         * bytes themselves live in Secret buffers. Its own RNG is never started. */
        (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        return 0;
}

static void put_be64(uint8_t target[static 8], uint64_t value) {
        for (unsigned int i = 0; i < 8; i++)
                target[i] = (uint8_t)(value >> (56 - 8 * i));
}

int hash_sha512(
        const char *domain,
        const HashPart *parts,
        size_t n_parts,
        uint8_t ret_digest[static HASH_SHA512_BYTES]) {
        uint8_t lengths[HASH_PARTS_MAX][8];
        gcry_buffer_t buffers[1 + 2 * HASH_PARTS_MAX] = {};
        gcry_error_t error;
        int n_buffers = 0;
        int r;

        if (n_parts > HASH_PARTS_MAX)
                return -EINVAL;
        r = start_libgcrypt();
        if (r < 0)
                return r;

        /* With its terminating zero, so that no domain is the prefix of another. */
        buffers[n_buffers].data = (void *)(uintptr_t)domain;
        buffers[n_buffers++].len = strlen(domain) + 1;
        for (size_t i = 0; i < n_parts; i++) {
                put_be64(lengths[i], parts[i].length);
                buffers[n_buffers].data = lengths[i];
                buffers[n_buffers++].len = sizeof(lengths[i]);
                buffers[n_buffers].data = (void *)(uintptr_t)parts[i].bytes;
                buffers[n_buffers++].len = parts[i].length;
        }

        error = gcry_md_hash_buffers(GCRY_MD_SHA512, 0, ret_digest, buffers, n_buffers);
        secret_wipe_stack();
        return error ? -EIO : 0;
}
