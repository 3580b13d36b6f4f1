/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"

/* read PATH */
void verb_read(const Request *request, FILE *out) {
        char *data = NULL;
        size_t size = 0;
        int r;

        r = read_file(request->words[1], &data, &size);
        json_result(out, r);
        if (r >= 0) {
                fputc(',', out);
                json_string(out, "data", data, size);
        }
        free(data);
}

/* write PATH DATA [MODE] */
void verb_write(const Request *request, FILE *out) {
        size_t n = strlen(request->words[2]);
        mode_t mode = request->n_words > 3 ? (mode_t)strtoul(request->words[3], NULL, 8) : 0644;
        ssize_t written;
        int fd, r = 0;

        fd = open(request->words[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        if (fd < 0) {
                json_result(out, -errno);
                return;
        }
        written = write(fd, request->words[2], n);
        if (written < 0)
                r = -errno;
        else if ((size_t)written != n)
                r = -EIO;
        if (request->n_words > 3)
                (void)fchmod(fd, mode);
        (void)close(fd);
        json_result(out, r);
}

static int sock_connect(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd, r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                r = -errno;
                (void)close(fd);
                return r;
        }
        return fd;
}

/* sock PATH [TIMEOUT_MSEC]: connects and reads until end of file. */
void verb_sock(const Request *request, FILE *out) {
        uint64_t end = now_usec(CLOCK_MONOTONIC);
        char *data = NULL;
        size_t size = 0;
        int fd, r = 0;

        end += 1000U * (request->n_words > 2 ? parse_u64(request->words[2]) : 2000U);
        fd = sock_connect(request->words[1]);
        if (fd < 0) {
                json_result(out, fd);
                return;
        }
        data = malloc(65536U);
        if (!data)
                abort();
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t n = read(fd, data + size, 65536U - size);

                if (n > 0) {
                        size += (size_t)n;
                        continue;
                }
                if (n == 0)
                        break;
                if (errno != EAGAIN || now_usec(CLOCK_MONOTONIC) >= end) {
                        r = -errno;
                        break;
                }
                (void)poll(&p, 1, 50);
        }
        (void)close(fd);
        json_result(out, r);
        fputc(',', out);
        json_string(out, "data", data, size);
        free(data);
}

/* hold PATH COUNT: connects so often, reads nothing, and keeps the connections for good */
void verb_hold(const Request *request, FILE *out) {
        uint64_t n = parse_u64(request->words[2]), n_held = 0;
        int fd = 0;

        for (uint64_t i = 0; i < n && fd >= 0; i++) {
                fd = sock_connect(request->words[1]);
                n_held += fd >= 0;
        }
        json_result(out, n_held > 0 ? 0 : fd);
        fprintf(out, ",\"held\":%" PRIu64, n_held);
}

/* kmsg: the whole kernel log, one record a line as "usec text". */
void verb_kmsg(const Request *request, FILE *out) {
        char record[4096];
        ssize_t n;
        int fd;

        fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
                json_result(out, -errno);
                return;
        }
        json_result(out, 0);
        fputs(",\"lines\":[", out);
        for (bool first = true;
             (n = read(fd, record, sizeof(record) - 1U)) > 0 || errno == EPIPE;) {
                char *text, *end;

                if (n <= 0)
                        continue;
                record[n] = '\0';
                text = strchr(record, ';');
                end = strchr(record, '\n');
                if (!text || !end || end < text)
                        continue;
                if (!first)
                        fputc(',', out);
                first = false;
                json_string(out, NULL, text + 1, (size_t)(end - text - 1));
        }
        fputc(']', out);
        (void)close(fd);
}
