/* SPDX-License-Identifier: MIT */
#include "lib/feed/live-memory.h"
#include "lib/base/rootdir.h"
#include "lib/feed/seen.h"
#include "lib/feed/state-directory.h"
#include "lib/feed/state-mount.h"

/* Each time anew: /var may be mounted later than the first answer comes. -1: there is none, and none
 * can be made. */
static int open_state(const LiveMemory *memory, int *ret_fd) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        int r;

        *ret_fd = -1;
        if (!memory->state_directory)
                return 0;
        r = rootdir_open("/", &root);
        if (r < 0)
                return r;
        /* What lies in its place knows nothing of other boots. */
        if (state_mount_missing(&root, memory->state_directory))
                return -ENOTCONN;
        r = state_directory_open(memory->state_directory, !memory->look_only, ret_fd);
        return r == -ENOENT || r == -EROFS ? 0 : r;
}

/* New is what is new in each directory that is there, and remembered in one at least. Whether the state
 * directory lasts is not asked: what it has can only lower. */
int live_memory_judge(const LiveMemory *memory, const Batch *batch, CreditInput *credit) {
        int result = memory->look_only ? 0 : -ENOENT;
        _cleanup_close_ int state_fd = -1;
        int r;

        if (credit->source_class != SOURCE_CLASS_LIVE_NETWORK || credit_per_1024(credit) == 0)
                return 0;
        r = open_state(memory, &state_fd);
        if (r < 0) {
                credit->repeated = true;
                return r;
        }
        for (size_t i = 0; i < 2; i++) {
                const int fd = i == 0 ? state_fd : memory->boot_fd;

                if (fd < 0)
                        continue;
                r = seen_live(fd, batch->secret->bytes, batch->length, memory->look_only);
                if (result == -ENOENT || (r != 0 && result != SEEN_E_BEFORE))
                        result = r;
        }
        credit->repeated = result != 0;
        return MIN(result, 0);
}
