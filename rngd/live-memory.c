/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "lib/feed/seed-mark.h"
#include "lib/feed/seen.h"
#include "lib/kernel/lasting.h"
#include "rngd/live-memory.h"

/* As the seeder's, which it shares it with: of root, and closed to others. */
static int open_state_directory(void) {
        _cleanup_close_ int fd = -1;
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        const char *why_not = "";
        struct stat status;

        (void)mkdir(SEED_STATE_DIRECTORY, 0700);
        fd = open(SEED_STATE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return negative_errno();
        if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return -EPERM;
        if (rootdir_open("/", &root) < 0 || !lasting_directory(&root, fd, &why_not)) {
                log_debug(SEED_STATE_DIRECTORY ": %s", why_not);
                return -ENODATA;
        }
        return TAKE_FD(fd);
}

bool live_memory_is_repeated(int boot_fd, const CreditInput *credit, const Batch *batch) {
        /* Opened each time: /var may be mounted later than the first answer comes. */
        _cleanup_close_ int state_fd = -1;
        int directories[2], r;

        if (credit->source_class != SOURCE_CLASS_LIVE_NETWORK || credit_per_1024(credit) == 0)
                return false;
        state_fd = open_state_directory();
        directories[0] = state_fd;
        directories[1] = boot_fd;
        r = seen_live_in(
                directories,
                ELEMENTSOF(directories),
                batch->secret->bytes,
                batch->length,
                false);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "%s: cannot record what it sent, so it is not credited",
                        source_name(batch->source));
        return r != 0;
}
