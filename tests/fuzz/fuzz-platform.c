/* SPDX-License-Identifier: MIT */
/* Any bytes as an SMBIOS table, an ACPI table or a credential (the first byte says which). */
#include <stdlib.h>

#include "lib/sources/platform-seed.h"
#include "lib/sources/seed.h"

static void check(int right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const PlatformKind kinds[] = { PLATFORM_SMBIOS, PLATFORM_OEM0, PLATFORM_RAW };
        static uint8_t bytes[SEED_MAX_BYTES];
        PlatformPlace place;
        int r;

        if (size == 0)
                return 0;
        place = (PlatformPlace){ kinds[data[0] % 3], data + 1, size - 1, false, {} };
        for (size_t n_seeds = 0;; n_seeds++) {
                size_t length = 0;

                r = platform_next_seed(&place, bytes, sizeof(bytes), &length);
                check(r == 0 ? length >= SEED_MIN_BYTES && length <= sizeof(bytes) : length == 0);
                if (r == -ENODATA)
                        break;
                check(r == 0 || r == -EBADMSG || r == -ERANGE);
                check(n_seeds < size); /* each takes some of the table */
        }
        check(platform_next_seed(&place, bytes, sizeof(bytes), &(size_t){ 0 }) == -ENODATA);
        return 0;
}
