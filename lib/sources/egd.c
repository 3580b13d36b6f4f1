/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/bytes.h"
#include "lib/base/parse.h"
#include "lib/sources/egd.h"
#include "lib/sources/wait-read.h"

#define COMMAND_LEVEL    0x00
#define COMMAND_NOW      0x01
#define COMMAND_BLOCKING 0x02

/* One request asks for at most so many. */
#define REQUEST_MAX  255U
#define REQUESTS_MAX 17U /* for SOURCE_READ_MAX_BYTES */

/* ---- addresses ---- */

static int parse_unix(const char *path, EgdAddress *ret_address) {
        EgdAddress address = { .length = sizeof(struct sockaddr_un) };
        struct sockaddr_un *local = &address.address.local;
        size_t length = strlen(path);

        if (*path != '/' || length >= sizeof(local->sun_path))
                return -EINVAL;
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, path, length + 1);
        *ret_address = address;
        return 0;
}

/* HOST:PORT into its two parts, each as a string; an IPv6 address stands in brackets. */
static int split_host(const char *text, char host[static 64], uint32_t *ret_port) {
        const char *colon = strrchr(text, ':');
        size_t n;
        int r;

        if (!colon)
                return -EINVAL;
        r = parse_u32(colon + 1, 1, 65535, ret_port);
        if (r < 0)
                return -EINVAL;
        n = (size_t)(colon - text);
        if (*text == '[') {
                if (n < 2 || text[n - 1] != ']')
                        return -EINVAL;
                text++;
                n -= 2;
        } else if (memchr(text, ':', n))
                return -EINVAL;
        if (n == 0 || n >= 64)
                return -EINVAL;
        memcpy(host, text, n);
        host[n] = '\0';
        return 0;
}

static int parse_tcp(const char *text, EgdAddress *ret_address) {
        EgdAddress address = {};
        uint32_t port;
        char host[64];
        int r;

        r = split_host(text, host, &port);
        if (r < 0)
                return r;
        if (*text == '[') {
                struct sockaddr_in6 *ipv6 = &address.address.ipv6;

                address.length = sizeof(*ipv6);
                ipv6->sin6_family = AF_INET6;
                ipv6->sin6_port = htons((uint16_t)port);
                r = inet_pton(AF_INET6, host, &ipv6->sin6_addr);
        } else {
                struct sockaddr_in *ipv4 = &address.address.ipv4;

                address.length = sizeof(*ipv4);
                ipv4->sin_family = AF_INET;
                ipv4->sin_port = htons((uint16_t)port);
                r = inet_pton(AF_INET, host, &ipv4->sin_addr);
        }
        if (r != 1)
                return -EINVAL;
        *ret_address = address;
        return 0;
}

static int parse_vsock(const char *text, EgdAddress *ret_address) {
        EgdAddress address = { .length = sizeof(struct sockaddr_vm) };
        struct sockaddr_vm vm = { .svm_family = AF_VSOCK };
        const char *colon = strchr(text, ':');
        char cid[16];

        if (!colon || (size_t)(colon - text) >= sizeof(cid))
                return -EINVAL;
        memcpy(cid, text, (size_t)(colon - text));
        cid[colon - text] = '\0';
        if (parse_u32(cid, 0, UINT32_MAX - 1, &vm.svm_cid) < 0 ||
            parse_u32(colon + 1, 0, UINT32_MAX - 1, &vm.svm_port) < 0)
                return -EINVAL;
        memcpy(&address.address, &vm, sizeof(vm));
        *ret_address = address;
        return 0;
}

int egd_parse_address(const char *text, EgdAddress *ret_address) {
        if (strncmp(text, "unix:", 5) == 0)
                return parse_unix(text + 5, ret_address);
        if (strncmp(text, "tcp:", 4) == 0)
                return parse_tcp(text + 4, ret_address);
        if (strncmp(text, "vsock:", 6) == 0)
                return parse_vsock(text + 6, ret_address);
        return -EINVAL;
}

/* ---- the connection ---- */

static int wait_for(const EgdConnection *connection, short events) {
        return wait_until(connection->fd, events, connection->until_usec);
}

static int send_all(EgdConnection *connection, const uint8_t *bytes, size_t length) {
        size_t done = 0;

        while (done < length) {
                ssize_t n = send(connection->fd, bytes + done, length - done, MSG_NOSIGNAL);
                int r;

                if (n > 0) {
                        done += (size_t)n;
                        continue;
                }
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return errno == EPIPE ? -ECONNRESET : negative_errno();
                r = wait_for(connection, POLLOUT);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Exactly size bytes; *length is how many came, also when it fails. */
static int receive(EgdConnection *connection, uint8_t *buffer, size_t size, size_t *length) {
        *length = 0;
        while (*length < size) {
                ssize_t n = recv(connection->fd, buffer + *length, size - *length, 0);
                int r;

                if (n > 0) {
                        *length += (size_t)n;
                        continue;
                }
                if (n == 0)
                        return -ECONNRESET;
                if (errno != EAGAIN && errno != EINTR)
                        return negative_errno();
                r = wait_for(connection, POLLIN);
                if (r < 0)
                        return r;
        }
        return 0;
}

int egd_connect(const EgdAddress *address, EgdConnection *connection) {
        _cleanup_close_ int fd = -1;
        EgdConnection attempt = *connection;
        socklen_t length = sizeof(int);
        int error = 0, r;

        fd = socket(address->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return negative_errno();
        attempt.fd = fd;
        if (connect(fd, &address->address.any, address->length) < 0) {
                if (errno == ENOENT)
                        return -ECONNREFUSED;
                if (errno != EINPROGRESS)
                        return negative_errno(); /* EAGAIN: a unix socket's queue is full */
                r = wait_for(&attempt, POLLOUT);
                if (r < 0)
                        return r;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
                        return negative_errno();
                if (error != 0)
                        return -error;
        }
        connection->fd = TAKE_FD(fd);
        return 0;
}

static bool has_unasked_bytes(const EgdConnection *connection) {
        uint8_t byte;

        return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

int egd_level_bits(EgdConnection *connection, uint32_t *ret_level_bits) {
        const uint8_t command = COMMAND_LEVEL;
        uint8_t answer[4];
        size_t n;
        int r;

        if (has_unasked_bytes(connection))
                return -EPROTO;
        r = send_all(connection, &command, 1);
        if (r >= 0)
                r = receive(connection, answer, sizeof(answer), &n);
        if (r < 0)
                return r;
        if (has_unasked_bytes(connection))
                return -EPROTO;
        *ret_level_bits = read_be32(answer);
        return 0;
}

/* As many requests as it takes for size bytes, all at once. */
static int request(EgdConnection *connection, uint8_t command, size_t size) {
        uint8_t bytes[2 * REQUESTS_MAX];
        size_t n = 0;

        for (size_t left = size; left > 0 && n < sizeof(bytes); n += 2) {
                bytes[n] = command;
                bytes[n + 1] = (uint8_t)MIN(left, REQUEST_MAX);
                left -= bytes[n + 1];
        }
        return send_all(connection, bytes, n);
}

/* What the server has: each request is answered by a count, and as many bytes. */
static int read_now(EgdConnection *connection, uint8_t *buffer, size_t size, size_t *length) {
        int r;

        r = request(connection, COMMAND_NOW, size);
        *length = 0;
        for (size_t left = size; left > 0 && r >= 0;) {
                size_t asked = MIN(left, REQUEST_MAX), n;
                uint8_t count;

                left -= asked;
                r = receive(connection, &count, 1, &n);
                if (r < 0)
                        return r;
                if (count > asked)
                        return -EPROTO;
                r = receive(connection, buffer + *length, count, &n);
                *length += n;
        }
        return r;
}

int egd_read(
        EgdConnection *connection,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length,
        bool *ret_reusable) {
        size_t length, more = 0;
        int r;

        size = MIN(size, (size_t)REQUESTS_MAX * REQUEST_MAX);
        if (has_unasked_bytes(connection))
                return -EPROTO;
        r = read_now(connection, buffer, size, &length);
        if (r >= 0 && length < size) {
                r = request(connection, COMMAND_BLOCKING, size - length);
                if (r >= 0)
                        r = receive(connection, buffer + length, size - length, &more);
                length += more;
        }
        if (r == -EPROTO || (r < 0 && length == 0))
                return r;

        *ret_length = length;
        *ret_reusable = r >= 0;
        return 0;
}
