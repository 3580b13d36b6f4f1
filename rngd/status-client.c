/* SPDX-License-Identifier: MIT */
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

static int ask(const char *path, char **ret_text) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        r = unix_socket_connect(path, TIMEOUT_SEC, &fd);
        if (r < 0)
                return r;
        r = io_read_all(fd, DOCUMENT_MAX_BYTES, &text, &length);
        if (r < 0)
                return r;
        if (length == 0)
                return -ENODATA;
        *ret_text = TAKE_PTR(text);
        return 0;
}

static void print_kernel(Json *document) {
        Json *kernel = json_object_object_get(document, "kernel");

        (void)printf("%s\n", json_show(document, "status"));
        (void)printf(
                "kernel  %s, level %s of %s bits, threshold %s, ready %s\n",
                json_show(kernel, "model"),
                json_show(kernel, "level_bits"),
                json_show(kernel, "pool_bits"),
                json_show(kernel, "threshold_bits"),
                json_show(kernel, "ready"));
        (void)printf(
                "rngd    %s, pid %s, VM forks %s, generation %s\n\n",
                json_show(document, "version"),
                json_show(document, "pid"),
                json_show(document, "forks"),
                json_show(document, "generation"));
}

static void print_sources(Json *document) {
        Json *sources;
        size_t n_sources = json_array(document, "sources", &sources);

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
                const char *error = json_string(source, "last_error");

                (void)printf(
                        "%-10s%-10s%9s%12s%10s%10s  %s%s%s\n",
                        json_show(source, "name"),
                        json_show(source, "state"),
                        json_show(source, "batches"),
                        json_show(source, "credited_bits"),
                        json_show(source, "failures"),
                        json_show(source, "rate_bytes_per_sec"),
                        json_show(source, "detail"),
                        error ? "; last error: " : "",
                        error ? error : "");
        }
}

static int print_table(const char *text) {
        _cleanup_json_ Json *document = NULL;

        if (json_parse(text, strlen(text), &document) < 0) {
                log_error("What rngd answered is not a status document");
                return EX_UNAVAILABLE;
        }
        print_kernel(document);
        print_sources(document);
        return EXIT_SUCCESS;
}

int status_client(bool as_json) {
        _cleanup_free_ char *text = NULL;
        char path[256];
        int r;

        (void)snprintf(path, sizeof(path), "%s/rngd.sock", runtime_directory());
        r = ask(path, &text);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "No rngd answers on %s", path);
                return EX_UNAVAILABLE;
        }
        if (!as_json)
                return print_table(text);
        (void)fputs(text, stdout);
        return EXIT_SUCCESS;
}
