/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/text.h"
#include "lib/sources/metadata-format.h"
#include "lib/sources/metadata-status.h"
#include "lib/sources/seed.h"

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

static const struct {
        int status;
        int error;
} meanings[] = {
        { METADATA_E_FORMAT, SEED_E_DOCUMENT },
        { METADATA_E_SEED_ABSENT, SEED_E_ABSENT },
        { METADATA_E_SEED_TYPE, SEED_E_TYPE },
        { METADATA_E_SEED_ENCODING, SEED_E_ENCODING },
        { METADATA_E_SEED_LENGTH, SEED_E_LENGTH },
        { METADATA_E_TOO_LONG, SEED_E_TOO_LONG },
        { METADATA_E_NOT_THERE, -ENOLINK },
        { METADATA_E_UNREACHABLE, -EHOSTUNREACH },
        { METADATA_E_BUSY, -EBUSY },
        { METADATA_E_PROTOCOL, -EPROTO },
        { METADATA_E_CERTIFICATE, -EKEYREJECTED },
        { METADATA_E_CA_FILE, -ENOKEY },
        { METADATA_E_USAGE, -EINVAL },
};

int metadata_status_to_error(int status) {
        for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
                if (meanings[i].status == status)
                        return meanings[i].error;
        return -EIO;
}

int metadata_error_to_status(int error) {
        for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
                if (meanings[i].error == error)
                        return meanings[i].status;
        return METADATA_E_FORMAT;
}
