/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/if_alg.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/io.h"
#include "lib/sources/jitter-library.h"
#include "lib/sources/source-list.h"

#define ALGORITHM      "jitterentropy_rng"
#define LIST_MAX_BYTES (1024U * 1024)

/* crypto/algif_rng.c: what one recvmsg() gives at most. */
#define KERNEL_READ_MAX 128U

/* Built into the kernel, its module was loaded before, or the library has it. */
static bool jitter_is_loaded(const RootDir *root) {
        _cleanup_close_ int fd = rootdir_open_file(root, "proc/crypto", O_RDONLY);
        _cleanup_free_ char *text = NULL;
        size_t length;

        if (jitter_library_is_there())
                return true;
        return fd >= 0 && io_read_all(fd, LIST_MAX_BYTES, &text, &length) >= 0 &&
               strstr(text, "name         : " ALGORITHM "\n");
}

/*
 * Only bind() tells for sure, and to answer the kernel runs modprobe up to four times and tests the
 * timer, which may take longer than all else that a boot does for its entropy.
 */
static int jitter_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        source_set_detail(probe, "jitterentropy");
        return 0;
}

/*
 * ENOENT: no such module, or its own test found a timer that is too coarse, as under emulation.
 * EAFNOSUPPORT: no AF_ALG at all.
 */
static int open_kernel(int *ret_fd) {
        const struct sockaddr_alg address = {
                .salg_family = AF_ALG,
                .salg_type = "rng",
                .salg_name = ALGORITHM,
        };
        _cleanup_close_ int fd = -1;
        int operation_fd;

        fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return negative_errno();
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return negative_errno();
        operation_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (operation_fd < 0)
                return negative_errno();
        *ret_fd = operation_fd;
        return 0;
}

static int jitter_open(Source *source) {
        int r;

        r = open_kernel(&source->fd);
        if (r < 0)
                r = jitter_library_new(&source->state);
        return r;
}

static int read_kernel(int fd, uint8_t *buffer, size_t size, size_t *ret_length) {
        ssize_t n;

        do
                n = recv(fd, buffer, MIN(size, KERNEL_READ_MAX), 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return negative_errno(); /* its health tests failed */
        if (n == 0)
                return -ENODATA;
        *ret_length = (size_t)n;
        return 0;
}

static int jitter_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        int r;

        if (source->fd >= 0)
                return read_kernel(source->fd, buffer, size, ret_length);
        r = jitter_library_read(source->state, buffer, size);
        if (r < 0)
                return r;
        *ret_length = size;
        return 0;
}

const SourceOps source_jitter = {
        .name = "jitter",
        .source_class = SOURCE_CLASS_LOCAL_SOFTWARE,
        .blocking = true,
        .last_resort = true,
        .probe = jitter_probe,
        .is_loaded = jitter_is_loaded,
        .open = jitter_open,
        .read = jitter_read,
};
