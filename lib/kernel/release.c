/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "lib/kernel/release.h"

int kernel_is_before(const RootDir *root, uint32_t major, uint32_t minor) {
        static const char digits[] = "0123456789";
        uint32_t this_major, this_minor;
        char release[96];
        char *rest;
        int r;

        r = rootdir_read_text(root, "proc/sys/kernel/osrelease", release, sizeof(release));
        if (r < 0)
                return r;
        rest = release + strspn(release, digits);
        if (*rest != '.')
                return -EINVAL;
        *rest++ = '\0';
        rest[strspn(rest, digits)] = '\0';
        if (parse_u32(release, 0, UINT32_MAX, &this_major) < 0 ||
            parse_u32(rest, 0, UINT32_MAX, &this_minor) < 0)
                return -EINVAL;
        return this_major < major || (this_major == major && this_minor < minor);
}
