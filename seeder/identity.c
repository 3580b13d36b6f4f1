/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/base/hash.h"
#include "seeder/identity.h"

static bool exists(const RootDir *root, const char *path) {
        return faccessat(root->fd, path, F_OK, AT_EACCESS) >= 0;
}

static bool is_machine_id(const char *text) {
        return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

void identity_read(const RootDir *root, Identity *ret_identity) {
        Identity identity = {};

        if (rootdir_read_text(
                    root,
                    "etc/machine-id",
                    identity.machine_id,
                    sizeof(identity.machine_id)) < 0 ||
            !is_machine_id(identity.machine_id)) {
                identity.machine_id[0] = '\0';
                identity.first_boot = true;
        }
        if (rootdir_read_text(
                    root,
                    "sys/class/dmi/id/product_uuid",
                    identity.product_uuid,
                    sizeof(identity.product_uuid)) < 0)
                identity.product_uuid[0] = '\0';
        if (exists(root, "run/systemd/first-boot"))
                identity.first_boot = true;

        *ret_identity = identity;
}

int identity_digest(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]) {
        const HashPart parts[] = {
                { salt, IDENTITY_SALT_BYTES },
                { identity->machine_id, strlen(identity->machine_id) },
                { identity->product_uuid, strlen(identity->product_uuid) },
        };
        uint8_t digest[HASH_SHA512_BYTES];
        int r;

        r = hash_sha512("guest-entropy identity v1", parts, ELEMENTSOF(parts), digest);
        if (r < 0)
                return r;
        memcpy(ret_digest, digest, IDENTITY_DIGEST_BYTES);
        return 0;
}
