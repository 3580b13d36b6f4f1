/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/text.h"
#include "lib/sources/metadata-format.h"

int metadata_parse_format(const char *text, MetadataFormat *ret_format) {
        if (strcmp(text, "raw") == 0)
                *ret_format = (MetadataFormat){ .kind = METADATA_RAW };
        else if (strcmp(text, "base64") == 0)
                *ret_format = (MetadataFormat){ .kind = METADATA_BASE64 };
        else if (strncmp(text, "json:", 5) == 0 && text[5] != '\0')
                *ret_format = (MetadataFormat){ .kind = METADATA_JSON, .key = text + 5 };
        else
                return -EINVAL;
        return 0;
}

int metadata_check_url(const char *text) {
        const char *host;
        size_t host_length;

        if (strlen(text) >= METADATA_URL_MAX)
                return -EINVAL;
        for (const char *p = text; *p; p++)
                if (!text_is_plain(*p) || *p == ' ')
                        return -EINVAL;

        if (strncmp(text, "http://", 7) == 0)
                host = text + 7;
        else if (strncmp(text, "https://", 8) == 0)
                host = text + 8;
        else
                return -EINVAL;

        host_length = strcspn(host, "/?#");
        return host_length == 0 || memchr(host, '@', host_length) ? -EINVAL : 0;
}
