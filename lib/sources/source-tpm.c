/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/base/io.h"
#include "lib/sources/device.h"
#include "lib/sources/source-list.h"
#include "lib/sources/tpm-command.h"

/* With a resource manager first: /dev/tpm0 can be open only once, and somebody may have it. */
static const char *const devices[] = { "/dev/tpmrm0", "/dev/tpm0" };

#define BUSY_TRIES 10U

static int tpm_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        const char *path = config->path;

        for (size_t i = 0; i < ELEMENTSOF(devices) && !path; i++)
                if (rootdir_exists(root, devices[i] + 1))
                        path = devices[i];

        source_set_detail(probe, "%s", path ? path : devices[0]);
        if (!path)
                return -ENODEV;
        if (config->path) {
                DeviceKind kind;
                int r;

                r = device_check(config->path, &kind);
                return r < 0 ? r : r > 0 || kind != DEVICE_CHAR ? -ENODEV : 0;
        }
        return 0;
}

static int tpm_open(Source *source) {
        const char *path = source->config.path;
        DeviceKind kind;

        if (path)
                source->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        for (size_t i = 0; i < ELEMENTSOF(devices) && !path && source->fd < 0; i++)
                source->fd = open(devices[i], O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (source->fd < 0)
                return negative_errno();

        /* What was really opened: nothing is to be written to any other device. */
        return device_check_fd(source->fd, &kind) != 0 || kind != DEVICE_CHAR ? -ENOTTY : 0;
}

/* The driver wants the command in one write and gives the whole answer in one read. */
static int ask_once(int fd, uint16_t n_bytes, uint8_t *buffer, size_t *ret_length) {
        uint8_t command[TPM_COMMAND_BYTES], answer[TPM_ANSWER_MAX];
        ssize_t n;
        int r;

        tpm_put_get_random(n_bytes, command);
        r = io_write_full(fd, command, sizeof(command));
        if (r < 0)
                return r;
        do
                n = read(fd, answer, sizeof(answer));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return negative_errno();

        r = tpm_take_random(answer, (size_t)n, n_bytes, buffer, ret_length);
        explicit_bzero(answer, sizeof(answer));
        return r;
}

static int tpm_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
        uint16_t n_bytes = (uint16_t)MIN(size, TPM_RANDOM_MAX);
        int r;

        for (unsigned i = 0; i < BUSY_TRIES; i++) {
                r = ask_once(source->fd, n_bytes, buffer, ret_length);
                if (r != -EAGAIN)
                        return r;
                (void)nanosleep(&pause, NULL);
        }
        return -EBUSY;
}

const SourceOps source_tpm = {
        .name = "tpm",
        .source_class = SOURCE_CLASS_LOCAL_HARDWARE,
        .blocking = true,
        .probe = tpm_probe,
        .open = tpm_open,
        .read = tpm_read,
};
