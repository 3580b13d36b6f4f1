/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "rngd/hwrng-choice.h"

static bool is_current(const RootDir *root, const char *name) {
        Hwrng hwrng;

        return hwrng_read_current(root, &hwrng) == 0 && strcmp(hwrng.name, name) == 0;
}

void hwrng_choice_prefer(const RootDir *root, const char *device) {
        int r;

        if (!device || is_current(root, device))
                return;
        r = hwrng_select(root, device);
        if (r < 0)
                (void)log_errno(LOG_DEBUG, r, "hwrng: cannot select %s", device);
}

static bool has_failed(const HwrngChoice *choice, const char *name) {
        for (size_t i = 0; i < choice->n_failed; i++)
                if (strcmp(choice->failed[i], name) == 0)
                        return true;
        return false;
}

/* rng_selected is 1 after anybody wrote rng_current, this program included. */
static bool is_chosen_by_hand(const HwrngChoice *choice, const RootDir *root, const char *current) {
        return hwrng_is_selected(root) && strcmp(choice->own, current) != 0;
}

bool hwrng_choice_leave(HwrngChoice *choice, const RootDir *root) {
        char available[1024], *name, *rest = available;
        Hwrng current;

        if (hwrng_read_current(root, &current) < 0 ||
            is_chosen_by_hand(choice, root, current.name) ||
            hwrng_read_available(root, available, sizeof(available)) < 0)
                return false;
        if (!has_failed(choice, current.name) && choice->n_failed < HWRNG_CHOICE_FAILED_MAX)
                (void)snprintf(
                        choice->failed[choice->n_failed++],
                        HWRNG_NAME_MAX,
                        "%s",
                        current.name);

        while ((name = strsep(&rest, " \n"))) {
                if (name[0] == '\0' || strcmp(name, "none") == 0 ||
                    strcmp(name, current.name) == 0 || has_failed(choice, name))
                        continue;
                if (hwrng_select(root, name) < 0)
                        continue;
                (void)snprintf(choice->own, sizeof(choice->own), "%s", name);
                return true;
        }
        return false;
}

void hwrng_choice_forget(HwrngChoice *choice) {
        *choice = (HwrngChoice){};
}
