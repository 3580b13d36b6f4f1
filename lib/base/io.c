/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"

#define READ_FIRST_BYTES 4096U

int io_read_full(int fd, void *buffer, size_t size, size_t *ret_length) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, (uint8_t *)buffer + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        break;
                length += (size_t)n;
        }

        *ret_length = length;
        return 0;
}

int io_read_all(int fd, size_t max_bytes, char **ret_text, size_t *ret_length) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0, size = MIN(READ_FIRST_BYTES, max_bytes + 1);

        for (;;) {
                char *larger = realloc(text, size + 1);
                size_t n;
                int r;

                if (!larger)
                        return -ENOMEM;
                text = larger;
                r = io_read_full(fd, text + length, size - length, &n);
                if (r < 0)
                        return r;
                length += n;
                if (length < size)
                        break;
                if (length > max_bytes)
                        return -EFBIG;
                size = MIN(2 * size, max_bytes + 1);
        }

        text[length] = '\0';
        *ret_text = TAKE_PTR(text);
        *ret_length = length;
        return 0;
}

int io_write_full(int fd, const void *buffer, size_t length) {
        size_t done = 0;

        while (done < length) {
                ssize_t n = write(fd, (const uint8_t *)buffer + done, length - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return -EIO;
                done += (size_t)n;
        }

        return 0;
}

int io_read_text_at(int dirfd, const char *path, char *buffer, size_t size) {
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return negative_errno();

        r = io_read_full(fd, buffer, size, &length);
        if (r < 0)
                return r;
        if (length == size)
                return -EFBIG;
        if (memchr(buffer, '\0', length))
                return -EINVAL;

        while (length > 0 && strchr(" \t\r\n", buffer[length - 1]))
                length--;
        buffer[length] = '\0';
        return 0;
}

static int write_temporary(int dirfd, const char *path, mode_t mode, const void *data, size_t n) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return negative_errno();

        r = io_write_full(fd, data, n);
        if (r < 0)
                return r;
        if (fchmod(fd, mode) < 0)
                return negative_errno();
        if (fsync(fd) < 0)
                return negative_errno();

        /* Network filesystems and quotas report a failed write here. */
        if (close(TAKE_FD(fd)) < 0)
                return negative_errno();
        return 0;
}

int io_write_atomic_at(
        int dirfd,
        const char *path,
        mode_t mode,
        const void *buffer,
        size_t length) {
        char temporary[512];
        int r, n;

        n = snprintf(temporary, sizeof(temporary), "%s.new", path);
        if (n < 0 || (size_t)n >= sizeof(temporary))
                return -ENAMETOOLONG;

        r = write_temporary(dirfd, temporary, mode, buffer, length);
        if (r >= 0 && renameat(dirfd, temporary, dirfd, path) < 0)
                r = negative_errno();
        if (r < 0)
                (void)unlinkat(dirfd, temporary, 0);
        return r;
}
