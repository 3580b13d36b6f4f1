/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/feed/seed-mark.h"

int seed_file_strip_mark(int directory_fd) {
        if (renameat(directory_fd, SEED_MARKED_NAME, directory_fd, SEED_UNMARKED_NAME) < 0)
                return negative_errno();
        return fsync(directory_fd) < 0 ? negative_errno() : 0;
}
