/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "lib/sources/source.h"

int source_probe(
        const SourceOps *ops,
        const SourceConfig *config,
        const RootDir *root,
        SourceProbe *ret_probe) {
        SourceProbe probe = {
                .source_class = ops->source_class,
                .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                .fresh = !ops->seeds,
        };
        int r;

        r = ops->probe(config, root, &probe);
        probe.fresh = r == 0 && probe.fresh;
        *ret_probe = probe;
        return r;
}

void source_set_detail(SourceProbe *probe, const char *format, ...) {
        va_list args;

        va_start(args, format);
        // NOLINTNEXTLINE(clang-analyzer-valist.*)
        (void)vsnprintf(probe->detail, sizeof(probe->detail), format, args);
        va_end(args);
}
