/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/sources/device.h"
#include "lib/sources/source-list.h"
#include "lib/sources/wait-read.h"

static int file_look(const SourceConfig *config, const RootDir *root, SourceLook *look) {
        DeviceKind kind;
        int r;

        look->source_class = SOURCE_CLASS_CONFIGURED;
        look->quality_per_1024 = CREDIT_QUALITY_UNKNOWN;
        if (!config->path)
                return -ENOENT;
        (void)snprintf(look->detail, sizeof(look->detail), "%s", config->path);
        r = device_check(config->path, &kind);
        if (r != 0)
                return r < 0 ? r : -ENODEV;

        look->fresh = kind != DEVICE_REGULAR;
        return 0;
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
        return 0;
}

static int file_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        return wait_read(source->fd, source->config.wait_usec, buffer, size, ret_length);
}

static void file_close(Source *source) {
        cleanup_close(&source->fd);
}

const SourceOps source_file = {
        .name = "file",
        .blocking = true,
        .look = file_look,
        .open = file_open,
        .read = file_read,
        .close = file_close,
};
