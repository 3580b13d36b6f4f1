/* SPDX-License-Identifier: MIT */
/* Any text as the kernel's command line: what comes out is within the policy's limits. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/command-line.h"

static void check_credit(uint32_t credit) {
        if (credit > CREDIT_PER_1024_MAX && credit != CREDIT_OVERRIDE_NONE)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = malloc(size + 1);
        Settings settings = {};

        if (!text)
                abort();
        memcpy(text, data, size);
        text[size] = '\0';
        settings.saved.credit_override_per_1024 = CREDIT_OVERRIDE_NONE;
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                settings.sources[id].credit_override_per_1024 = CREDIT_OVERRIDE_NONE;
        settings.kernel_line = text;
        command_line_apply(&settings);

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                check_credit(settings.sources[id].credit_override_per_1024);
        check_credit(settings.saved.credit_override_per_1024);
        /* Each word that is ignored has the prefix of ours. */
        if (settings.n_ignored > size / strlen("entropy.trust="))
                abort();
        if (settings.off && !strstr(text, "entropy.seeder="))
                abort();
        return 0;
}
