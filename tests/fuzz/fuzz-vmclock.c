/* SPDX-License-Identifier: MIT */
/* Two pages of the vmclock device, one after the other; shorter input is filled with zeroes. */
#include <stdlib.h>
#include <string.h>

#include "lib/kernel/vmclock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right) {
        if (!right)
                abort();
}

static int parse(const uint8_t page[static VMCLOCK_ABI_BYTES], VmclockState *state) {
        int r;

        *state = (VmclockState){ .generation = 4711 };
        r = vmclock_parse(page, state);
        check(r == 0 || r == -EBADMSG || r == -EAGAIN);
        check(r == 0 || (state->generation == 4711 && !state->has_generation));
        check(r == -EBADMSG || memcmp(page, "VCLK", 4) == 0);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t pages[2 * VMCLOCK_ABI_BYTES] = {};
        VmclockState before, now;

        if (size > 0)
                memcpy(pages, data, MIN(size, sizeof(pages)));
        if (parse(pages, &before) < 0 || parse(pages + VMCLOCK_ABI_BYTES, &now) < 0)
                return 0;

        check(!vmclock_is_fork(&before, &before));
        check(vmclock_is_fork(&before, &now) == vmclock_is_fork(&now, &before));
        if (vmclock_is_fork(&before, &now))
                check(before.generation != now.generation);
        return 0;
}
