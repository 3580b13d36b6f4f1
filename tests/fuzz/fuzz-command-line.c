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
        CommandLine line;

        if (!text)
                abort();
        memcpy(text, data, size);
        text[size] = '\0';
        command_line_parse(text, &line);

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                check_credit(line.sources[id].credit_per_1024);
        check_credit(line.seed_file.credit_per_1024);
        /* Each word that is ignored has the prefix of ours. */
        if (line.n_ignored > size / strlen("entropy.trust="))
                abort();
        if (line.off && !strstr(text, "entropy.seeder="))
                abort();
        return 0;
}
