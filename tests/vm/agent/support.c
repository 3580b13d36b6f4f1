/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

uint64_t now_usec(clockid_t clock) {
        struct timespec ts = {};

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

void sleep_usec(uint64_t usec) {
        struct timespec ts = {
                .tv_sec = (time_t)(usec / 1000000U),
                .tv_nsec = (long)(usec % 1000000U) * 1000L,
        };

        (void)nanosleep(&ts, NULL);
}

uint64_t parse_u64(const char *s) {
        return strtoull(s, NULL, 0);
}

const char *request_option(const Request *request, const char *key) {
        size_t n = strlen(key);

        for (int i = 1; i < request->n_words && strcmp(request->words[i], "--") != 0; i++)
                if (strncmp(request->words[i], key, n) == 0 && request->words[i][n] == '=')
                        return request->words[i] + n + 1;
        return NULL;
}

/* Bytes above ASCII become U+0080..U+00FF, so that any file survives; the other side encodes as Latin-1 again. */
void json_string(FILE *out, const char *key, const char *data, size_t n) {
        if (key)
                fprintf(out, "\"%s\":", key);
        fputc('"', out);
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)data[i];

                if (c == '"' || c == '\\')
                        fprintf(out, "\\%c", c);
                else if (c < 0x20 || c > 0x7e)
                        fprintf(out, "\\u%04x", c);
                else
                        fputc(c, out);
        }
        fputc('"', out);
}

/* r: 0 or more is success, a negative errno becomes a message. */
void json_result(FILE *out, int r) {
        fprintf(out, "\"r\":%d", r);
        if (r < 0) {
                fputc(',', out);
                json_string(out, "error", strerror(-r), strlen(strerror(-r)));
        }
}

int read_file(const char *path, char **ret_data, size_t *ret_size) {
        char *data = NULL;
        size_t size = 0, room = 0;
        ssize_t n = 0;
        int fd, r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        do {
                if (room - size < 4096U) {
                        char *larger;

                        room = room * 2U + 8192U;
                        larger = realloc(data, room);
                        if (!larger)
                                abort();
                        data = larger;
                }
                n = read(fd, data + size, room - size - 1U);
                if (n > 0)
                        size += (size_t)n;
        } while (n > 0);
        r = n < 0 ? -errno : 0;
        (void)close(fd);
        if (r < 0 && size == 0) {
                free(data);
                return r;
        }
        data[size] = '\0';
        *ret_data = data;
        *ret_size = size;
        return 0;
}
