/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/text.h"
#include "monitor/show/markup.h"

void markup_put(FILE *stream, const char *text) {
        for (; *text; text++)
                if (strchr("<>&\"'", *text))
                        (void)fprintf(stream, "&#%d;", *text);
                else
                        (void)fputc(text_is_plain(*text) ? *text : '?', stream);
}
