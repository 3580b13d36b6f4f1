/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/unix-socket.h"
#include "rngd/runtime-directory.h"
#include "rngd/status-client.h"

#define DOCUMENT_MAX_BYTES (256 * 1024)
#define TIMEOUT_SEC        5

typedef struct json_object Json;

static int ask(const char *path, char *text, size_t size) {
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        r = unix_socket_connect(path, TIMEOUT_SEC, &fd);
        if (r < 0)
                return r;
        r = io_read_full(fd, text, size - 1, &length);
        if (r < 0)
                return r;
        text[length] = '\0';
        return length > 0 ? 0 : -ENODATA;
}

static const char *text_of(Json *object, const char *key) {
        Json *value = json_object_object_get(object, key);

        return value ? json_object_get_string(value) : "-";
}

static void print_kernel(Json *document) {
        Json *kernel = json_object_object_get(document, "kernel");

        (void)printf("%s\n", text_of(document, "status"));
        (void)printf(
                "kernel  %s, level %s of %s bits, threshold %s, ready %s\n",
                text_of(kernel, "model"),
                text_of(kernel, "level_bits"),
                text_of(kernel, "pool_bits"),
                text_of(kernel, "threshold_bits"),
                text_of(kernel, "ready"));
        (void)printf(
                "rngd    %s, pid %s, VM forks %s, generation %s\n\n",
                text_of(document, "version"),
                text_of(document, "pid"),
                text_of(document, "forks"),
                text_of(document, "generation"));
}

static void print_sources(Json *document) {
        Json *sources = json_object_object_get(document, "sources");
        size_t n_sources = sources && json_object_is_type(sources, json_type_array)
                                   ? json_object_array_length(sources)
                                   : 0;

        (void)printf(
                "%-10s%-10s%9s%12s%10s%10s  %s\n",
                "SOURCE",
                "STATE",
                "BATCHES",
                "CREDITED",
                "FAILURES",
                "B/S",
                "WHAT");
        for (size_t i = 0; i < n_sources; i++) {
                Json *source = json_object_array_get_idx(sources, i);
                Json *error = json_object_object_get(source, "last_error");

                (void)printf(
                        "%-10s%-10s%9s%12s%10s%10s  %s%s%s\n",
                        text_of(source, "name"),
                        text_of(source, "state"),
                        text_of(source, "batches"),
                        text_of(source, "credited_bits"),
                        text_of(source, "failures"),
                        text_of(source, "rate_bytes_per_sec"),
                        text_of(source, "detail"),
                        error ? "; last error: " : "",
                        error ? json_object_get_string(error) : "");
        }
}

static int print_table(const char *text) {
        Json *document;

        json_avoid_random(); /* asking how an RNG fares must not be what gets it ready */
        document = json_tokener_parse(text);
        if (!document || !json_object_is_type(document, json_type_object)) {
                log_error("What rngd answered is not a status document");
                (void)json_object_put(document);
                return EX_UNAVAILABLE;
        }
        print_kernel(document);
        print_sources(document);
        (void)json_object_put(document);
        return EXIT_SUCCESS;
}

int status_client(bool as_json) {
        _cleanup_free_ char *text = malloc(DOCUMENT_MAX_BYTES);
        char path[256];
        int r;

        (void)snprintf(path, sizeof(path), "%s/rngd.sock", runtime_directory());
        r = text ? ask(path, text, DOCUMENT_MAX_BYTES) : -ENOMEM;
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "No rngd answers on %s", path);
                return EX_UNAVAILABLE;
        }
        if (!as_json)
                return print_table(text);
        (void)fputs(text, stdout);
        return EXIT_SUCCESS;
}
