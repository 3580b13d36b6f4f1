/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/intake/seed-mark.h"

int seed_file_strip_mark(int folder_fd) {
        if (renameat(folder_fd, SEED_MARKED_NAME, folder_fd, SEED_UNMARKED_NAME) < 0)
                return negative_errno();
        return fsync(folder_fd) < 0 ? negative_errno() : 0;
}
