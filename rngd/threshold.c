/* SPDX-License-Identifier: MIT */
#include "rngd/threshold.h"
#include "lib/base/log.h"
#include "lib/kernel/random.h"

void threshold_restore(Threshold *threshold, const RootDir *root) {
        int r;

        if (!threshold->changed)
                return;
        r = random_set_threshold_bits(root, threshold->saved_bits);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot restore write_wakeup_threshold");
        *threshold = (Threshold){};
}

void threshold_set(Threshold *threshold, const RootDir *root, uint32_t bits) {
        int r = 0;

        if (bits == 0) {
                threshold_restore(threshold, root);
                return;
        }
        if (!threshold->changed)
                r = random_threshold_bits(root, &threshold->saved_bits);
        if (r >= 0)
                r = random_set_threshold_bits(root, bits);
        if (r < 0) {
                (void)log_errno(LOG_WARNING, r, "Cannot set write_wakeup_threshold, ignoring");
                return;
        }
        threshold->changed = true;
        threshold->bits = bits;
}
