/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <termios.h>

#include "lib/sources/device.h"
#include "lib/sources/source-list.h"
#include "lib/sources/wait-read.h"

/* A UART has a FIFO of up to 64 bytes, a USB adapter a packet of as much, behind the tty's own queue. */
#define STALE_BYTES 128U

static int file_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        DeviceKind kind;
        int r;

        if (!config->path)
                return -ENOENT;
        source_set_detail(probe, "%s", config->path);
        r = device_check(config->path, &kind);
        if (r > 0) {
                source_set_detail(probe, "%s %s", config->path, device_refusal_to_string(r));
                return -ENODEV;
        }
        if (r < 0)
                return r;

        probe->fresh = kind != DEVICE_REGULAR;
        probe->reopen = kind == DEVICE_CHAR || kind == DEVICE_PTY;
        probe->stale_bytes = kind == DEVICE_FIFO || kind == DEVICE_PTY ? SOURCE_STALE_ALWAYS
                             : kind == DEVICE_CHAR                     ? STALE_BYTES
                                                                       : 0;
        return 0;
}

/*
 * A terminal line as a line of bytes: nothing is edited, echoed, translated or taken for a signal or for
 * flow control, and no carrier is waited for. Its speed stays as it was set (stty(1), a udev rule).
 */
static int make_raw(int fd) {
        struct termios settings;

        if (tcgetattr(fd, &settings) < 0)
                return errno == ENOTTY ? 0 : negative_errno();
        cfmakeraw(&settings);
        settings.c_cflag |= CREAD | CLOCAL;
        settings.c_cc[VMIN] = 1;
        settings.c_cc[VTIME] = 0;
        return tcsetattr(fd, TCSAFLUSH, &settings) < 0 ? negative_errno() : 0;
}

static int file_open(Source *source) {
        DeviceKind kind;
        int r;

        r = device_open(source->config.path, &kind, &source->fd);
        if (r < 0)
                return r;
        if (r > 0)
                return -ENOTTY;
        if (kind == DEVICE_REGULAR && lseek(source->fd, (off_t)source->config.offset, SEEK_SET) < 0)
                return negative_errno();
        source->replay = kind == DEVICE_REGULAR;
        return kind == DEVICE_CHAR || kind == DEVICE_PTY ? make_raw(source->fd) : 0;
}

static int file_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        return wait_read(source->fd, source->config.wait_usec, buffer, size, ret_length);
}

/*
 * Reads no more of a pipe than what it held when this began: a writer that never rests fills it again,
 * with what it wrote since. A device is opened anew instead (SourceProbe.reopen).
 */
static int file_drain(Source *source) {
        uint8_t buffer[4096];
        int left = fcntl(source->fd, F_GETPIPE_SZ);
        ssize_t n = 1;

        for (; left > 0 && n > 0; left -= (int)n)
                n = read(source->fd, buffer, sizeof(buffer));
        explicit_bzero(buffer, sizeof(buffer));
        return n < 0 && errno != EAGAIN && errno != EINTR ? negative_errno() : 0;
}

const SourceOps source_file = {
        .name = "file",
        .source_class = SOURCE_CLASS_CONFIGURED,
        .blocking = true,
        .probe = file_probe,
        .open = file_open,
        .read = file_read,
        .drain = file_drain,
};
