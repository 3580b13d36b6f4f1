/* SPDX-License-Identifier: MIT */
#pragma once

/* The values that configuration file and command line share: their shapes, limits and texts. */

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

/* Under 32 bytes the health tests cannot judge; more than 512 at once gains nothing. */
#define VALUES_MIN_STEP_BYTES      UINT32_C(32)
#define VALUES_MAX_STEP_BYTES      UINT32_C(512)
#define VALUES_MAX_WATERMARK_BITS  UINT32_C(4096)
#define VALUES_MIN_TIMEOUT_USEC    UINT64_C(100000)
#define VALUES_MAX_TIMEOUT_USEC    UINT64_C(3600000000)
#define VALUES_MAX_RESEED_USEC     (UINT64_C(365) * 86400 * 1000000)
#define VALUES_MAX_FORK_CHECK_USEC (UINT64_C(86400) * 1000000)
#define VALUES_MAX_COMMAND_WORDS   32U

typedef enum WatermarkUnit {
        WATERMARK_BITS,    /* 1..4096; the kernel never reaches the top: clamp before use */
        WATERMARK_PERCENT, /* 1..100 of the pool */
        WATERMARK_KEEP,    /* leave write_wakeup_threshold alone */
} WatermarkUnit;

typedef struct Watermark {
        WatermarkUnit unit;
        uint32_t value; /* 0 for WATERMARK_KEEP */
} Watermark;

typedef struct UserIds {
        uid_t uid;
        gid_t gid;
} UserIds;

/* Text to value: 0, -EINVAL or -ERANGE (not such a value), other errno values. */
_must_check_ int values_parse_watermark(const char *text, Watermark *ret_watermark);
_must_check_ int values_parse_user(const char *text, UserIds *ret_user);
_must_check_ int values_parse_timeout(const char *text, uint64_t *ret_usec);
/* Words between blanks; '...' and "..." keep blanks in a word. No shell, no escapes. */
_must_check_ int values_parse_command(const char *text, char ***ret_argv);

char **values_free_command(char **argv);
