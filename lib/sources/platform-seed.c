/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/sources/platform-seed.h"
#include "lib/sources/seed.h"
#include "lib/sources/smbios.h"

/* docs/CREDENTIALS.md of systemd. */
#define CREDENTIAL        "io.systemd.credential:entropy.seed="
#define CREDENTIAL_BINARY "io.systemd.credential.binary:entropy.seed="

/* ACPI 6.5, 5.2.6, the header that all tables share. */
#define ACPI_HEADER_BYTES    36U
#define ACPI_OEM_TABLE_ID_AT 16U

static int take(
        const void *bytes,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        if (length < SEED_MIN_BYTES || length > MIN(size, SEED_MAX_BYTES))
                return -ERANGE;
        memcpy(buffer, bytes, length);
        *ret_length = length;
        return 0;
}

static int next_of_smbios(PlatformPlace *place, uint8_t *buffer, size_t size, size_t *ret_length) {
        const size_t text_at = strlen(CREDENTIAL), binary_at = strlen(CREDENTIAL_BINARY);
        const char *string;
        size_t n;
        int r;

        while (smbios_next_oem_string(place->bytes, place->length, &place->smbios, &string, &n)) {
                if (n >= text_at && memcmp(string, CREDENTIAL, text_at) == 0)
                        return take(string + text_at, n - text_at, buffer, size, ret_length);
                if (n >= binary_at && memcmp(string, CREDENTIAL_BINARY, binary_at) == 0) {
                        r = seed_from_base64(
                                string + binary_at,
                                n - binary_at,
                                buffer,
                                size,
                                ret_length);
                        return r == SEED_E_ENCODING ? -EBADMSG : r;
                }
        }
        return -ENODATA;
}

static int seed_of_oem0(
        const PlatformPlace *place,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        const uint8_t *table = place->bytes;
        uint32_t claimed;

        if (place->length < ACPI_HEADER_BYTES || memcmp(table, "OEM0", 4) != 0 ||
            memcmp(table + ACPI_OEM_TABLE_ID_AT, "MICROSFT", 8) != 0)
                return -ENODATA; /* "OEM" tables are anybody's */
        claimed = read_le32(table + 4);
        if (claimed != place->length)
                return -EBADMSG;
        if (claimed == ACPI_HEADER_BYTES)
                return -ENODATA; /* the kernel took the seed already */
        return take(
                table + ACPI_HEADER_BYTES,
                claimed - ACPI_HEADER_BYTES,
                buffer,
                size,
                ret_length);
}

int platform_next_seed(PlatformPlace *place, uint8_t *buffer, size_t size, size_t *ret_length) {
        if (place->kind == PLATFORM_SMBIOS)
                return next_of_smbios(place, buffer, size, ret_length);

        if (place->done)
                return -ENODATA;
        place->done = true;
        if (place->kind == PLATFORM_OEM0)
                return seed_of_oem0(place, buffer, size, ret_length);
        return take(
                place->bytes,
                seed_length_without_padding(place->bytes, place->length),
                buffer,
                size,
                ret_length);
}
