/* SPDX-License-Identifier: MIT */
/* What a worker says to its parent, each of its messages with one byte of length before it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/feed/worker-protocol.h"
#include "lib/feed/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        ASKED_BYTES = 64,
        MESSAGES_MAX = 8,
};

static void check(bool right) {
        if (!right)
                abort();
}

static int check_answer(Worker *worker, Batch *batch) {
        bool asked = worker->asked_bytes > 0;
        int error = 0, r;

        batch->length = 4711;
        r = worker_receive(worker, batch, &error);
        check(r >= 0 && r <= WORKER_E_GONE);
        check((r == WORKER_E_SOURCE) == (error < 0 && error > -4096));
        check(asked || r == WORKER_E_GARBAGE || r == WORKER_E_GONE || r == WORKER_E_AGAIN);
        if (r == 0)
                check(batch->length > 0 && batch->length <= ASKED_BYTES);
        else
                check(batch->length == 4711);
        check(strnlen(batch->label, sizeof(batch->label)) < sizeof(batch->label));
        for (const char *p = batch->label; *p; p++)
                check(*p > ' ' && *p < 0x7f);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Worker worker = WORKER_NULL;
        Batch batch;
        int pair[2];

        check(batch_init(&batch) == 0);
        check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        worker.fd = pair[0];
        for (unsigned i = 0; i < MESSAGES_MAX && size > 0; i++) {
                size_t length = MIN((size_t)data[0], size - 1);

                if (i !=
                    1) /* the second one comes without being asked for, if the first was good */
                        check(worker_ask(&worker, ASKED_BYTES, 0) <= 0);
                check(send(pair[1], data + 1, length, MSG_NOSIGNAL) == (ssize_t)length);
                if (check_answer(&worker, &batch) >= WORKER_E_GARBAGE)
                        break;
                data += 1 + length;
                size -= 1 + length;
        }

        (void)worker_stop(&worker);
        (void)close(pair[1]);
        batch_deinit(&batch);
        return 0;
}
