/* SPDX-License-Identifier: MIT */
/* Any bytes as the head of a PE file: the walk ends, each section's name is where it was found, and
 * nothing is read behind the bytes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seeder/image/uki.h"

static void check(bool right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned number = 0, n_found = 0;
        int r;

        do {
                UkiSection section = { .offset = UINT64_MAX, .length = 42 };
                unsigned before = number;

                r = uki_next_section(data, size, ".cmdline", &number, &section);
                if (r != 0) {
                        check(r == UKI_E_NONE || r == UKI_E_OTHER || r == -EBADMSG);
                        check(section.offset == UINT64_MAX && section.length == 42);
                        continue;
                }
                check(number > before && number <= UINT16_MAX);
                check(section.offset <= UINT32_MAX);
                n_found++;
        } while (r == 0);

        check(n_found == 0 || memmem(data, size, ".cmdline", strlen(".cmdline")));
        check((size_t)n_found * 40 <= size);
        return 0;
}
