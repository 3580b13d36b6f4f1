/* SPDX-License-Identifier: MIT */
#pragma once

/* The seeds that a hypervisor passes to its guest, as pure functions over the bytes it passed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/sources/smbios.h"

typedef enum PlatformKind {
        PLATFORM_RAW,    /* the bytes are the seed, but for padding: a credential, a fw_cfg item */
        PLATFORM_SMBIOS, /* SMBIOS structures; those of type 11 may hold credentials */
        PLATFORM_OEM0,   /* the ACPI table OEM0 of Hyper-V */
} PlatformKind;

/* One place, and how far it was looked at: designated initialisers for the first three fields. */
typedef struct PlatformPlace {
        PlatformKind kind;
        const uint8_t *bytes;
        size_t length;
        bool done;
        SmbiosCursor smbios;
} PlatformPlace;

/*
 * The next seed of a place, at most SEED_MAX_BYTES long. 0; -ENODATA: no (other) seed here;
 * -EBADMSG: one that is broken; -ERANGE: one that is too short or too long. After an error other
 * than -ENODATA the next call goes on behind it.
 *
 * OEM0: bytes behind the 36 of its header, if the OEM table id says MICROSFT (offset 16), which is
 * what Linux 6.10's drivers/hv/hv_common.c checks; that kernel then cuts the table to its header.
 */
_must_check_ int platform_next_seed(
        PlatformPlace *place,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length);
