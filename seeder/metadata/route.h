/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether the kernel knows a way to an address, and word from it when that may have changed. The
 * messages of rtnetlink(7) are a signal here and are not parsed: the routing table itself is asked.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/error.h"

typedef struct RouteAddress {
        struct sockaddr_storage storage;
        socklen_t length; /* 0: not known, the host is a name */
} RouteAddress;

/* A socket that becomes readable when a link, an address or a route comes or goes. */
_must_check_ int route_watch(int *ret_fd);

/* Takes what came. */
void route_drain(int fd);

/* There is a route, and an address of ours to use on it. Sends nothing. */
bool route_exists(const RouteAddress *address);

/* For a host that is a name: there is a default route of either family. */
bool route_exists_default(void);

/* The address that text is; -EINVAL if it is a name. */
_must_check_ int route_parse_address(
        const char *text,
        unsigned scope_id,
        RouteAddress *ret_address);

/*
 * Calls visit() for each interface on which a metadata service may be: network cards and bonds of
 * them. Never bridges and what hangs on them: behind these are guests and containers of our own,
 * and a link-local address belongs to whoever takes it.
 */
void route_for_each_uplink(void (*visit)(unsigned ifindex, void *userdata), void *userdata);
