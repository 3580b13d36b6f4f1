/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/io.h"
#include "lib/base/unix-socket.h"
#include "monitor/documents.h"

#define DOCUMENT_MAX_BYTES (256U * 1024U)
#define TIMEOUT_SEC        2

void document_name(DocumentId id, char ret_name[static DOCUMENT_NAME_MAX]) {
        const char *name = id < DOCUMENT_SEEDER ? "seeder-initramfs" : "seeder";
        unsigned int run = (unsigned int)id % DOCUMENT_SEEDER_RUNS + 1;

        if (id >= DOCUMENT_RNGD)
                (void)snprintf(ret_name, DOCUMENT_NAME_MAX, "rngd");
        else if (run == 1)
                (void)snprintf(ret_name, DOCUMENT_NAME_MAX, "%s", name);
        else
                (void)snprintf(ret_name, DOCUMENT_NAME_MAX, "%s-%u", name, run);
}

Json *document_public(Json *document) {
        static const char *const keys[] = {
                "version",    "phase", "status",    "kernel",       "sources",    "forks",
                "generation", "wakes", "last_feed", "started_usec", "ready_usec", "ended_usec",
        };
        Json *copy = json_object_new_object();

        for (size_t i = 0; copy && i < ELEMENTSOF(keys); i++) {
                Json *value = json_object_object_get(document, keys[i]);

                if (value && json_object_object_add(copy, keys[i], json_object_get(value)) < 0)
                        (void)json_object_put(value);
        }
        return copy;
}

static int open_document(const char *path, bool is_socket, int *ret_fd) {
        int fd;

        if (is_socket)
                return unix_socket_connect(path, TIMEOUT_SEC, ret_fd);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return negative_errno();
        *ret_fd = fd;
        return 0;
}

int document_read(const char *directory, DocumentId id, Json **ret_document) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -1;
        char path[256], name[DOCUMENT_NAME_MAX];
        size_t length;
        int r, n;

        document_name(id, name);
        n = snprintf(
                path,
                sizeof(path),
                "%s/%s.%s",
                directory,
                name,
                id == DOCUMENT_RNGD ? "sock" : "json");
        if (n < 0 || (size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        r = open_document(path, id == DOCUMENT_RNGD, &fd);
        if (r < 0)
                return r;

        r = io_read_all(fd, DOCUMENT_MAX_BYTES, &text, &length);
        if (r < 0)
                return r;
        return json_parse(text, length, ret_document);
}
