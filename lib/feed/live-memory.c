/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/log.h"
#include "lib/feed/live-memory.h"
#include "lib/feed/seen.h"
#include "lib/feed/state-directory.h"

/* Each time anew: /var may be mounted later than the first answer comes. -1: nothing lasts. */
static int open_lasting(const LiveMemory *memory) {
        _cleanup_close_ int fd = -1;
        const char *why_not;
        int r;

        if (!memory->state_directory)
                return -1;
        r = state_directory_open(memory->state_directory, !memory->look_only, &fd);
        why_not = r < 0 ? strerror(-r) : state_directory_no_memory(fd);
        if (!why_not)
                return TAKE_FD(fd);
        log_debug("What servers sent in earlier boots is not known: %s", why_not);
        return -1;
}

/* New is what is new in each directory that is there, and remembered in one at least. */
int live_memory_judge(const LiveMemory *memory, const Batch *batch, CreditInput *credit) {
        int result = memory->look_only ? 0 : -ENOENT;
        _cleanup_close_ int state_fd = -1;

        if (credit->source_class != SOURCE_CLASS_LIVE_NETWORK || credit_per_1024(credit) == 0)
                return 0;
        state_fd = open_lasting(memory);
        for (size_t i = 0; i < 2; i++) {
                const int fd = i == 0 ? state_fd : memory->boot_fd;
                int r;

                if (fd < 0)
                        continue;
                r = seen_live(fd, batch->secret->bytes, batch->length, memory->look_only);
                if (result == -ENOENT || (r != 0 && result != SEEN_E_BEFORE))
                        result = r;
        }
        credit->repeated = result != 0;
        return MIN(result, 0);
}
