/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/kernel/virtual.h"
#include "seeder/state/identity.h"

static bool is_machine_id(const char *text) {
        return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static bool read_generation(const RootDir *root, Vmgenid *ret_generation) {
        _cleanup_close_ int fd = -1;

        return vmgenid_open(root, &fd) >= 0 && vmgenid_read(fd, ret_generation) >= 0;
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
        if (rootdir_read_text(
                    root,
                    "proc/sys/kernel/random/boot_id",
                    identity.boot_id,
                    sizeof(identity.boot_id)) < 0)
                identity.boot_id[0] = '\0';
        if (rootdir_exists(root, "run/systemd/first-boot"))
                identity.first_boot = true;
        identity.virtual_possible = virtual_machine_possible(root, virtual_cpu());
        identity.generation_known = read_generation(root, &identity.generation);

        *ret_identity = identity;
}

static int digest_of(
        const char *domain,
        const HashPart *parts,
        size_t n,
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]) {
        uint8_t digest[HASH_SHA512_BYTES];
        int r;

        r = hash_sha512(domain, parts, n, digest);
        if (r < 0)
                return r;
        memcpy(ret_digest, digest, IDENTITY_DIGEST_BYTES);
        return 0;
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

        return digest_of("guest-entropy identity v1", parts, ELEMENTSOF(parts), ret_digest);
}

int identity_digest_generation(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]) {
        const HashPart parts[] = {
                { salt, IDENTITY_SALT_BYTES },
                { identity->generation.guid, sizeof(identity->generation.guid) },
        };

        if (!identity->generation_known) {
                memset(ret_digest, 0, IDENTITY_DIGEST_BYTES);
                return 0;
        }
        return digest_of("guest-entropy generation v1", parts, ELEMENTSOF(parts), ret_digest);
}

int identity_digest_boot(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]) {
        const HashPart parts[] = {
                { salt, IDENTITY_SALT_BYTES },
                { identity->boot_id, strlen(identity->boot_id) },
        };

        if (!identity->boot_id[0]) {
                memset(ret_digest, 0, IDENTITY_DIGEST_BYTES);
                return 0;
        }
        return digest_of("guest-entropy boot v1", parts, ELEMENTSOF(parts), ret_digest);
}
