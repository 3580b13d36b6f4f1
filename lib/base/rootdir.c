/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "lib/base/rootdir.h"

int rootdir_open(const char *path, RootDir *ret_root) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return negative_errno();
        ret_root->fd = fd;
        return 0;
}

void rootdir_close(RootDir *root) {
        cleanup_close(&root->fd);
}

bool rootdir_exists(const RootDir *root, const char *path) {
        return faccessat(root->fd, path, F_OK, 0) >= 0;
}

int rootdir_open_file(const RootDir *root, const char *path, int flags) {
        int fd = openat(root->fd, path, flags | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? negative_errno() : fd;
}

int rootdir_read_text(const RootDir *root, const char *path, char *buffer, size_t size) {
        return io_read_text_at(root->fd, path, buffer, size);
}

int rootdir_read_u32(const RootDir *root, const char *path, uint32_t *ret_value) {
        char text[32];
        int r;

        r = rootdir_read_text(root, path, text, sizeof(text));
        if (r < 0)
                return r;
        return parse_u32(text, 0, UINT32_MAX, ret_value);
}

int rootdir_write_text(const RootDir *root, const char *path, const char *text) {
        _cleanup_close_ int fd = -1;

        fd = rootdir_open_file(root, path, O_WRONLY);
        if (fd < 0)
                return fd;
        return io_write_full(fd, text, strlen(text));
}
