/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include "lib/kernel/clock.h"
#include "lib/sources/egd.h"
#include "lib/sources/source-list.h"

/* A server on this machine is copied with it, and with the bytes that it keeps ahead. */
static bool is_on_this_machine(const char *text) {
        EgdAddress address;

        if (egd_parse_address(text, &address) < 0)
                return true;
        switch (address.address.any.sa_family) {
        case AF_UNIX:
                return true;
        case AF_INET:
                return ntohl(address.address.ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        case AF_INET6:
                return IN6_IS_ADDR_LOOPBACK(&address.address.ipv6.sin6_addr) ||
                       IN6_IS_ADDR_V4MAPPED(&address.address.ipv6.sin6_addr);
        case AF_VSOCK: {
                struct sockaddr_vm vsock;

                memcpy(&vsock, &address.address.room, sizeof(vsock));
                return vsock.svm_cid == VMADDR_CID_LOCAL;
        }
        default:
                return false;
        }
}

static int egd_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        if (!config->address)
                return -ENOENT;
        source_set_detail(probe, "%s", config->address);
        if (is_on_this_machine(config->address))
                probe->stale_bytes = SOURCE_STALE_ALWAYS;
        return 0;
}

/*
 * The connection is made with root's rights, to a socket that may be root's, and outlives the
 * network namespace that the worker leaves then. Half of the time is for it, half for the bytes.
 */
static int egd_open(Source *source) {
        EgdConnection connection = { .fd = -1 };
        EgdAddress address;
        uint32_t level_bits;
        int r;

        r = source->config.address ? egd_parse_address(source->config.address, &address) : -EINVAL;
        if (r < 0)
                return r;
        connection.until_usec = clock_monotonic_usec() + source->config.wait_usec / 2;
        r = egd_connect(&address, &connection);
        if (r < 0)
                return r;

        /* Only to see that the server speaks the protocol: what the level means differs. */
        r = egd_level_bits(&connection, &level_bits);
        if (r < 0) {
                cleanup_close(&connection.fd);
                return r;
        }
        source->fd = connection.fd;
        return 0;
}

static int egd_read_source(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        EgdConnection connection = {
                .fd = source->fd,
                .until_usec = clock_monotonic_usec() + source->config.wait_usec / 2,
        };
        bool reusable = false;
        int r;

        if (source->fd < 0)
                return -ECONNRESET;
        r = egd_read(&connection, buffer, size, ret_length, &reusable);
        if (!reusable)
                cleanup_close(&source->fd);
        return r;
}

const SourceOps source_egd = {
        .name = "egd",
        .source_class = SOURCE_CLASS_LIVE_NETWORK,
        .blocking = true,
        .probe = egd_probe,
        .open = egd_open,
        .read = egd_read_source,
};
