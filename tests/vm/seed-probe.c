/* SPDX-License-Identifier: MIT */
/*
 * Runs in a guest.
 *
 *   seed-probe seeds SOURCE    every seed of a source, read by a worker as the programs do it:
 *                              "look RESULT CLASS DETAIL", then "seed LABEL HEX" or "error LABEL N"
 *   seed-probe serve ADDRESS   an EGD server, one client after the other
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/feed/worker.h"
#include "lib/sources/egd.h"

#define NOBODY 65534

static int find_source(const char *name, SourceId *ret_id) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (source_ops(id) && strcmp(source_name(id), name) == 0) {
                        *ret_id = id;
                        return 0;
                }
        return -ENOENT;
}

static int look(const WorkerSpec *spec) {
        SourceProbe what;
        RootDir root;
        int r;

        r = rootdir_open("/", &root);
        if (r < 0)
                return r;
        r = source_probe(source_ops(spec->source), &spec->config, &root, &what);
        rootdir_close(&root);
        printf("look %d %s %s\n", r, source_class_to_string(what.source_class), what.detail);
        return 0;
}

static int read_one(Worker *worker, Batch *batch) {
        struct pollfd entry = { .fd = worker->fd, .events = POLLIN };
        int error = 0, r;

        r = worker_ask(worker, SOURCE_READ_MAX_BYTES, 0);
        if (r < 0)
                return r;
        if (poll(&entry, 1, 20000) != 1)
                return -ETIMEDOUT;
        r = worker_receive(worker, batch, &error);
        if (r == WORKER_E_SOURCE && error == -ENODATA)
                return -ENODATA;
        if (r == WORKER_E_SOURCE) {
                printf("error %s %d\n", batch->label[0] ? batch->label : "-", error);
                return batch->label[0] ? 0 : error; /* without a label: the source itself */
        }
        if (r != 0)
                return r < 0 ? r : -EPIPE;
        printf("seed %s ", batch->label);
        for (size_t i = 0; i < batch->length; i++)
                printf("%02x", batch->secret->bytes[i]);
        printf("\n");
        return 0;
}

static int print_seeds(const char *name) {
        WorkerSpec spec = { .uid = NOBODY, .gid = NOBODY };
        Worker worker = WORKER_NULL;
        Batch batch;
        int r;

        spec.config.credentials = getenv("CREDENTIALS_DIRECTORY");
        r = find_source(name, &spec.source);
        if (r >= 0)
                r = look(&spec);
        if (r >= 0)
                r = batch_init(&batch);
        if (r >= 0)
                r = worker_start(&worker, &spec);
        while (r >= 0)
                r = read_one(&worker, &batch);
        (void)worker_stop(&worker);
        return r == -ENODATA || r == -ENOENT ? 0 : r;
}

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

/* Bytes that pass every test of health and are worth nothing. */
static uint8_t next_byte(void) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (uint8_t)(state >> 32);
}

static int send_random(int fd, uint8_t n, bool with_count) {
        uint8_t bytes[256] = { n };
        size_t at = with_count ? 1 : 0;

        for (size_t i = 0; i < n; i++)
                bytes[at + i] = next_byte();
        return send(fd, bytes, at + n, MSG_NOSIGNAL) < 0 ? negative_errno() : 0;
}

static void serve_client(int fd) {
        uint8_t command[2];

        while (recv(fd, command, 1, MSG_WAITALL) == 1) {
                if (command[0] == 0) {
                        if (send(fd, "\0\0\x10\0", 4, MSG_NOSIGNAL) < 0)
                                return;
                        continue;
                }
                if (command[0] > 2 || recv(fd, command + 1, 1, MSG_WAITALL) != 1 ||
                    send_random(fd, command[1], command[0] == 1) < 0)
                        return;
        }
}

static int serve(const char *text) {
        EgdAddress address;
        int fd, client, r;

        /* Others of each server: what came before would be noticed. */
        state = (state ^ (uint64_t)getpid()) * UINT64_C(0x100000001b3);
        r = egd_parse_address(text, &address);
        if (r < 0)
                return r;
        fd = socket(address.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, &address.address.any, address.length) < 0 || listen(fd, 4) < 0)
                return negative_errno();
        while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                serve_client(client);
                (void)close(client);
        }
        return negative_errno();
}

int main(int argc, char *argv[]) {
        int r = -EINVAL;

        if (argc == 3 && strcmp(argv[1], "seeds") == 0)
                r = print_seeds(argv[2]);
        else if (argc == 3 && strcmp(argv[1], "serve") == 0)
                r = serve(argv[2]);
        if (r < 0)
                fprintf(stderr, "seed-probe: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
