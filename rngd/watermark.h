/* SPDX-License-Identifier: MIT */
#pragma once

/* Below which level a counting kernel is filled up. */

#include <stdint.h>

#include "lib/base/error.h"

#define WATERMARK_MAX_BITS UINT32_C(4096)

typedef enum WatermarkUnit {
        WATERMARK_BITS,    /* 1..4096; the kernel never reaches the top: clamp before use */
        WATERMARK_PERCENT, /* 1..100 of the pool */
        WATERMARK_KEEP,    /* leave write_wakeup_threshold alone */
} WatermarkUnit;

typedef struct Watermark {
        WatermarkUnit unit;
        uint32_t value; /* 0 for WATERMARK_KEEP */
} Watermark;

/* "3072", "75%", "0": 0, -EINVAL or -ERANGE. */
_must_check_ int watermark_parse(const char *text, Watermark *ret_watermark);
