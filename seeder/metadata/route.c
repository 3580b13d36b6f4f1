/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seeder/metadata/route.h"

int route_watch(int *ret_fd) {
        const struct sockaddr_nl address = {
                .nl_family = AF_NETLINK,
                /* Addresses too: an IPv6 one can be used only after its duplicate detection. */
                .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
                             RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE,
        };
        _cleanup_close_ int fd = -1;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (fd < 0)
                return negative_errno();
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return negative_errno();

        *ret_fd = TAKE_FD(fd);
        return 0;
}

void route_drain(int fd) {
        char buffer[4096];

        /* ENOBUFS: some were lost. That, too, means no more than: look again. */
        while (recv(fd, buffer, sizeof(buffer), MSG_TRUNC) >= 0 || errno == ENOBUFS ||
               errno == EINTR)
                ;
}

bool route_exists(const RouteAddress *address) {
        _cleanup_close_ int fd = -1;

        fd = socket(address->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;

        /* connect() on a datagram socket chooses route and source address, and sends nothing. */
        return connect(fd, (const struct sockaddr *)&address->storage, address->length) >= 0;
}

bool route_exists_default(void) {
        /* Addresses of documentation (RFC 5737, RFC 3849): no table has a route of their own. */
        static const char *const far[] = { "192.0.2.1", "2001:db8::1" };

        for (size_t i = 0; i < ELEMENTSOF(far); i++) {
                RouteAddress address;

                if (route_parse_address(far[i], 0, &address) == 0 && route_exists(&address))
                        return true;
        }
        return false;
}

int route_parse_address(const char *text, unsigned scope_id, RouteAddress *ret_address) {
        RouteAddress address = {};
        struct sockaddr_in *v4 = (struct sockaddr_in *)&address.storage;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;

        /* Any port will do for asking after a route. */
        if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                v4->sin_port = htons(80);
                address.length = sizeof(*v4);
        } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
                v6->sin6_family = AF_INET6;
                v6->sin6_port = htons(80);
                v6->sin6_scope_id = scope_id;
                address.length = sizeof(*v6);
        } else
                return -EINVAL;

        *ret_address = address;
        return 0;
}

static bool has(const char *interface, const char *what) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, what);
        return access(path, F_OK) == 0;
}

void route_for_each_uplink(void (*visit)(unsigned ifindex, void *userdata), void *userdata) {
        struct if_nameindex *list = if_nameindex();

        for (struct if_nameindex *i = list; i && i->if_index > 0; i++)
                if ((has(i->if_name, "device") || has(i->if_name, "bonding")) &&
                    !has(i->if_name, "brport"))
                        visit(i->if_index, userdata);
        if (list)
                if_freenameindex(list);
}
