/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/sources/openstack.h"

/* The list is cloud-init's (DataSourceOpenStack.py). */
bool openstack_is_platform(const RootDir *root) {
        static const char *const files[] = {
                "sys/class/dmi/id/product_name",
                "sys/class/dmi/id/chassis_asset_tag",
        };
        static const char *const names[] = {
                "OpenStack Nova",   "OpenStack Compute", "HUAWEICLOUD",
                "OpenTelekomCloud", "SAP CCloud VM",     "Samsung Cloud Platform",
        };

        for (size_t f = 0; f < ELEMENTSOF(files); f++) {
                char text[128];

                if (rootdir_read_text(root, files[f], text, sizeof(text)) < 0)
                        continue;
                /* The first two are product names as well as tags, the others tags only. */
                for (size_t n = 0; n < (f == 0 ? 2 : ELEMENTSOF(names)); n++)
                        if (strcmp(text, names[n]) == 0)
                                return true;
        }
        return false;
}
