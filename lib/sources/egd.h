/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The protocol of the Entropy Gathering Daemon, client side (egd.pl 0.9; no version, no framing
 * but this): 00 asks for the level, answered by four bytes, bits, big-endian; 01 NN for at most NN
 * bytes, answered at once by a count and as many bytes; 02 NN for exactly NN bytes, which come as
 * they are made, without a count. Requests may be sent before the answers to earlier ones came.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "lib/base/error.h"

typedef union EgdSocketAddress {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_storage room;
} EgdSocketAddress;

typedef struct EgdAddress {
        EgdSocketAddress address;
        socklen_t length;
} EgdAddress;

/*
 * unix:/PATH, tcp:ADDRESS:PORT, tcp:[IPV6]:PORT, vsock:CID:PORT. Addresses are numbers: names would
 * need a resolver, which wants a network that is configured, and trusts one more party. -EINVAL.
 */
_must_check_ int egd_parse_address(const char *text, EgdAddress *ret_address);

/* A connection, which does not block; until_usec is CLOCK_MONOTONIC. */
typedef struct EgdConnection {
        int fd;
        uint64_t until_usec;
} EgdConnection;

/*
 * -ETIMEDOUT; -ECONNREFUSED also where there is no such unix socket; -EPROTO: the peer speaks
 * before it is asked, or does not answer to 00 as an EGD server does; -ECONNRESET: it hung up.
 */
_must_check_ int egd_connect(const EgdAddress *address, EgdConnection *connection);
_must_check_ int egd_level_bits(EgdConnection *connection, uint32_t *ret_level_bits);

/*
 * What the server has at once, and what it makes until the time is over. A connection that failed,
 * or of which *ret_reusable is false after fewer bytes than wanted, owes bytes that would be older
 * than the next request: it is to be closed.
 */
_must_check_ int egd_read(
        EgdConnection *connection,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length,
        bool *ret_reusable);
