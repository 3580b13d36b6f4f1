/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sections of a PE file, which is what a unified kernel image and its addons are, as a pure
 * function over its first bytes. Layout: Microsoft's PE format, the UAPI group's specification of
 * unified kernel images.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define UKI_HEAD_BYTES (64U * 1024) /* that hold the table of sections of any real file */
#define UKI_NAME_BYTES 8U

enum {
        UKI_E_NONE = 1, /* no (other) section of this name */
        UKI_E_OTHER,    /* no PE file: nothing that firmware would start */
};

typedef struct UkiSection {
        uint64_t offset; /* in the file, which may be shorter */
        uint32_t length;
} UkiSection;

/*
 * The next section of a name of UKI_NAME_BYTES, from *number on, which starts at 0: an image
 * may have one for each profile. 0, UKI_E_..., or -EBADMSG: the table of sections does not
 * end within the first bytes.
 */
_must_check_ int uki_next_section(
        const uint8_t *head,
        size_t length,
        const char name[static UKI_NAME_BYTES],
        unsigned *number,
        UkiSection *ret_section);
