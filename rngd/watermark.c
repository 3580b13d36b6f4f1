/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "rngd/watermark.h"

int watermark_parse(const char *text, Watermark *ret_watermark) {
        WatermarkUnit unit = WATERMARK_BITS;
        char digits[8];
        uint32_t value;
        size_t n;
        int r;

        n = strlen(text);
        if (n >= sizeof(digits))
                return -EINVAL;
        memcpy(digits, text, n + 1);

        if (n > 0 && digits[n - 1] == '%') {
                digits[n - 1] = '\0';
                unit = WATERMARK_PERCENT;
        }
        r = parse_u32(digits, 0, unit == WATERMARK_PERCENT ? 100 : WATERMARK_MAX_BITS, &value);
        if (r < 0)
                return r;

        *ret_watermark = (Watermark){ value == 0 ? WATERMARK_KEEP : unit, value };
        return 0;
}
