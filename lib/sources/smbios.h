/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The OEM strings (type 11) of an SMBIOS table, which a hypervisor fills in: QEMU's
 * `-smbios type=11,value=...`. The shape is SMBIOS 3.6 (DSP0134), 6.1: a header with type and
 * length, the formatted area, then strings that end with a zero byte, and one zero byte more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SmbiosCursor {
        size_t at;
        bool in_strings;
        bool wanted; /* these strings are of type 11 */
} SmbiosCursor;

/*
 * The next OEM string, without its zero byte; false at the end, or where the table is broken. The
 * cursor starts as zeroes. A single structure as in /sys/firmware/dmi/entries is a table, too.
 */
bool smbios_next_oem_string(
        const uint8_t *table,
        size_t length,
        SmbiosCursor *cursor,
        const char **ret_string,
        size_t *ret_length);
