/* SPDX-License-Identifier: MIT */
#include "lib/sources/egd.c"
#include "tests/proofs/proof.h"

#define READ_MAX  4096U /* SOURCE_READ_MAX_BYTES */
#define PIECE_MAX 8U
#define TEXT_MAX  116U /* one more than the longest unix:/PATH */

static size_t n_given;
static uint8_t *result;
static size_t n_result;

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
        ssize_t n = nondet_ssize();

        (void)fd;
        (void)flags;
        PROVE(size == 0 || __CPROVER_w_ok(buffer, size)); /* it has any content already */
        ASSUME(n >= -1 && n <= (ssize_t)size);
        errno = nondet_error();
        if (n > 0)
                n_given += (size_t)n;
        return n;
}

int wait_for_contract(const EgdConnection *connection, short events) {
        static unsigned n_waits;

        (void)connection;
        (void)events;
        ASSUME(++n_waits <= 2);
        return nondet_bool() ? 0 : -nondet_error();
}

int send_all_contract(EgdConnection *connection, const uint8_t *bytes, size_t length) {
        (void)connection;
        PROVE(__CPROVER_r_ok(bytes, length));
        return nondet_bool() ? 0 : -nondet_error();
}

int request_contract(EgdConnection *connection, uint8_t command, size_t size) {
        (void)connection;
        (void)command;
        PROVE(size <= (size_t)REQUESTS_MAX * REQUEST_MAX);
        return nondet_bool() ? 0 : -nondet_error();
}

/* What prove_receive() shows of receive(). */
int receive_contract(EgdConnection *connection, uint8_t *buffer, size_t size, size_t *length) {
        int r = nondet_bool() ? 0 : -nondet_error();

        (void)connection;
        PROVE(size == 0 || __CPROVER_w_ok(buffer, size));
        *length = nondet_size_up_to(size);
        ASSUME(r < 0 || *length == size);
        if (__CPROVER_same_object(buffer, result)) {
                PROVE(buffer == result + n_result);
                n_result += *length;
        } else
                buffer[0] = nondet_u8();
        return r;
}

/*
 * A server that sends pieces of any size, is late, or hangs up.
 *
 * bound: up to 8 bytes in any pieces, with up to 2 waits
 * unwind: 12
 * replace: wait_for:wait_for_contract
 * mutant: lib/sources/egd.c
 *   - ssize_t n = recv(connection->fd, buffer + *length, size - *length, 0);
 *   + ssize_t n = recv(connection->fd, buffer + *length, size, 0);
 * mutant: lib/sources/egd.c
 *   - return -ECONNRESET; if (errno != EAGAIN && errno != EINTR)
 *   + return 0; if (errno != EAGAIN && errno != EINTR)
 */
void prove_receive(void) {
        EgdConnection connection = { .fd = 3 };
        size_t size = nondet_size_up_to(PIECE_MAX), length;
        int r = receive(&connection, nondet_bytes(size), size, &length);

        PROVE(r <= 0 && length <= size && length == n_given);
        PROVE(r < 0 || length == size);
}

/*
 * bound: as many bytes as are asked for at once
 * unwind: 18
 * replace: send_all:send_all_contract
 * mutant: lib/sources/egd.c
 *   - for (size_t left = size; left > 0 && n < sizeof(bytes); n += 2) {
 *   + for (size_t left = size; left > 0 && n <= sizeof(bytes); n += 2) {
 * mutant: lib/sources/egd.c
 *   - bytes[n + 1] = (uint8_t)MIN(left, REQUEST_MAX);
 *   + bytes[n + 1] = (uint8_t)left;
 */
void prove_request(void) {
        EgdConnection connection = { .fd = 3 };

        (void)request(&connection, COMMAND_NOW, nondet_size());
}

/*
 * Any answer to the requests: every byte of the result came from the server, none lies outside the
 * buffer, and a connection that owes bytes is not used again.
 *
 * bound: a buffer of up to 4096 bytes
 * unwind: 18
 * replace: receive:receive_contract request:request_contract
 * mutant: lib/sources/egd.c
 *   - if (count > asked)
 *   + if (0)
 * mutant: lib/sources/egd.c
 *   - size = MIN(size, (size_t)REQUESTS_MAX * REQUEST_MAX);
 *   + size = MIN(size, (size_t)1 << 32);
 * mutant: lib/sources/egd.c
 *   - *ret_reusable = r >= 0;
 *   + *ret_reusable = true;
 * mutant: lib/sources/egd.c
 *   - length += more;
 *   + length = size;
 */
void prove_read(void) {
        EgdConnection connection = { .fd = 3 };
        size_t size = nondet_size_up_to(2 * (size_t)READ_MAX), length = 0;
        bool is_reusable = false;
        int r;

        result = nondet_bytes(size);
        r = egd_read(&connection, result, size, &length, &is_reusable);
        if (r < 0) {
                PROVE(length == 0 && !is_reusable);
                return;
        }
        PROVE(length <= size && length == n_result);
        PROVE(!is_reusable || length == MIN(size, (size_t)REQUESTS_MAX * REQUEST_MAX));
}

static size_t n_copied;
static bool is_string;

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
        PROVE(__CPROVER_r_ok(from, size) && __CPROVER_w_ok(to, size));
        n_copied = size;
        is_string = size > 0 && ((const char *)from)[size - 1] == '\0';
        for (size_t i = 0; i < size; i++)
                ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
        return to;
}

/* Any place where the byte is, or none, although there may be one: more than memchr() can answer. */
void *memchr(const void *bytes, int wanted, size_t size) {
        const char *text = bytes;
        size_t i = nondet_size();

        PROVE(size == 0 || __CPROVER_r_ok(bytes, size));
        if (i >= size)
                return NULL;
        ASSUME(text[i] == wanted);
        return (char *)bytes + i;
}

static bool ends_within(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\0')
                        return true;
        return false;
}

/* What parse.h says of parse_u32(), for a string that ends inside its memory. */
int parse_u32(const char *text, uint32_t minimum, uint32_t maximum, uint32_t *ret_value) {
        PROVE(__CPROVER_r_ok(text, 1));
        if (nondet_bool())
                return -EINVAL;
        *ret_value = nondet_u32();
        ASSUME(*ret_value >= minimum && *ret_value <= maximum);
        return 0;
}

int inet_pton(int family, const char *text, void *address) {
        PROVE(ends_within(text, 64));
        PROVE(__CPROVER_w_ok(
                address,
                family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr)));
        return nondet_int();
}

/* A string that ends where its memory ends. */
static const char *nondet_string(size_t maximum) {
        size_t length = nondet_size_up_to(maximum);
        char *text = nondet_bytes(length + 1);

        text[length] = '\0';
        return text;
}

/*
 * bound: a text of up to 116 characters
 * unwind: 118
 * mutant: lib/sources/egd.c
 *   - if (*path != '/' || length >= sizeof(local->sun_path))
 *   + if (*path != '/')
 */
void prove_parse_unix(void) {
        EgdAddress address;

        if (parse_unix(nondet_string(TEXT_MAX), &address) == 0)
                PROVE(n_copied <= 108 && is_string);
}

/*
 * bound: a text of up to 72 characters
 * unwind: 74
 * mutant: lib/sources/egd.c
 *   - if (n == 0 || n >= 64)
 *   + if (n == 0)
 */
void prove_parse_tcp(void) {
        EgdAddress address;

        (void)parse_tcp(nondet_string(72), &address);
}

/*
 * bound: a text of up to 32 characters
 * unwind: 34
 * mutant: lib/sources/egd.c
 *   - if (!colon || (size_t)(colon - text) >= sizeof(cid))
 *   + if (!colon)
 */
void prove_parse_vsock(void) {
        EgdAddress address;

        (void)parse_vsock(nondet_string(32), &address);
}
