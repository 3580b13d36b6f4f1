/* SPDX-License-Identifier: MIT */
#include "lib/feed/worker.c"
#include "tests/proofs/proof.h"

static ssize_t n_given;
static WorkerAnswer given;
static bool is_wiped;

/* A record as another process may send it: of any length, with any content. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
        size_t room = message->msg_iov[0].iov_len + message->msg_iov[1].iov_len;

        (void)fd;
        (void)flags;
        n_given = nondet_ssize();
        ASSUME(n_given >= -1 && n_given <= (ssize_t)room);
        errno = nondet_error();
        message->msg_flags = nondet_int();
        for (size_t i = 0; i < 2; i++) {
                struct iovec *part = &message->msg_iov[i];

                PROVE(__CPROVER_w_ok(part->iov_base, part->iov_len));
                __CPROVER_havoc_slice(part->iov_base, part->iov_len);
        }
        given = *(WorkerAnswer *)message->msg_iov[0].iov_base;
        return n_given;
}

void worker_news_read(WorkerNews *news, SourceId source, int pipe_fd) {
        (void)news;
        (void)source;
        (void)pipe_fd;
}

/* Its bits are all that is looked at, and any are right. */
void worker_news_missing(WorkerNews *news, SourceId source, uint32_t missing) {
        (void)news;
        (void)source;
        (void)missing;
}

size_t strnlen(const char *string, size_t maximum) {
        size_t n = 0;

        while (n < maximum && string[n] != '\0')
                n++;
        return n;
}

void secret_wipe(Secret *secret) {
        PROVE(__CPROVER_w_ok(secret->bytes, secret->size_bytes));
        is_wiped = true;
}

/*
 * Any record from a child that may be anybody's by now: no more bytes than were asked for and came,
 * a label that is a printable string, and nothing else is believed.
 *
 * bound: every record
 * unwind: 49
 * mutant: lib/feed/worker.c
 *   - if (received < sizeof(*answer) || answer->sequence != worker->sequence)
 *   + if (received < sizeof(*answer))
 * mutant: lib/feed/worker.c
 *   - if (worker->asked_bytes == 0 || answer->length > worker->asked_bytes)
 *   + if (worker->asked_bytes == 0)
 * mutant: lib/feed/worker.c
 *   - if (received != sizeof(*answer) + answer->length)
 *   + if (0)
 * mutant: lib/feed/worker.c
 *   - if (answer->origin >= _SEED_ORIGIN_MAX || answer->replay > 1)
 *   + if (answer->replay > 1)
 * mutant: lib/feed/worker.c
 *   - return answer->error < 0 && answer->error > -4096 && answer->length == 0;
 *   + return answer->length == 0;
 * mutant: lib/feed/worker.c
 *   - batch->label[i] = text_is_plain(c) && c != ' ' ? c : '?';
 *   + batch->label[i] = c;
 * mutant: lib/feed/worker.c
 *   - size_t n = strnlen(answer->label, sizeof(answer->label) - 1);
 *   + size_t n = strnlen(answer->label, sizeof(answer->label));
 */
void prove_receive(void) {
        Secret secret = {
                .bytes = nondet_bytes(SOURCE_READ_MAX_BYTES),
                .size_bytes = SOURCE_READ_MAX_BYTES,
        };
        Batch batch = { .secret = &secret };
        Worker worker = {
                .fd = 3,
                .sequence = nondet_u32(),
                .asked_bytes = (uint32_t)nondet_size_up_to(SOURCE_READ_MAX_BYTES),
        };
        uint32_t asked_bytes = worker.asked_bytes;
        size_t i = nondet_size_up_to(SOURCE_LABEL_MAX - 1), length = 0;
        int error = 0, r = worker_receive(&worker, &batch, &error);

        for (; length < SOURCE_LABEL_MAX && batch.label[length] != '\0'; length++)
                ;
        PROVE(length < SOURCE_LABEL_MAX);
        PROVE(i >= length || (batch.label[i] > ' ' && batch.label[i] < 0x7f));
        PROVE(r != WORKER_E_SOURCE || (error < 0 && error > -4096));
        PROVE(r != WORKER_E_GARBAGE || is_wiped);
        if (r != 0) {
                PROVE(batch.length == 0);
                return;
        }
        PROVE(batch.length > 0 && batch.length <= asked_bytes && worker.asked_bytes == 0);
        PROVE((ssize_t)(sizeof(WorkerAnswer) + batch.length) == n_given);
        PROVE(given.sequence == worker.sequence && given.error == 0);
        PROVE((unsigned)batch.origin < _SEED_ORIGIN_MAX);
}
