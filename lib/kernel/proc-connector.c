/* SPDX-License-Identifier: MIT */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/kernel/proc-connector.h"

#define RECEIVE_BUFFER_BYTES (1024 * 1024)
#define DATAGRAM_MAX_BYTES   512U

/* The message that subscribes; its nested structs end in flexible arrays, so it is built flat. */
static int subscribe(int fd) {
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        const enum proc_cn_mcast_op listen = PROC_CN_MCAST_LISTEN;
        struct nlmsghdr header = { .nlmsg_type = NLMSG_DONE };
        struct cn_msg message = {
                .id = { .idx = CN_IDX_PROC, .val = CN_VAL_PROC },
                .len = sizeof(listen),
        };
        uint8_t request[NLMSG_LENGTH(sizeof(message) + sizeof(listen))];

        header.nlmsg_len = sizeof(request);
        memcpy(request, &header, sizeof(header));
        memcpy(request + NLMSG_HDRLEN, &message, sizeof(message));
        memcpy(request + NLMSG_HDRLEN + sizeof(message), &listen, sizeof(listen));

        if (sendto(fd,
                   request,
                   sizeof(request),
                   0,
                   (const struct sockaddr *)&kernel,
                   sizeof(kernel)) < 0)
                return negative_errno();
        return 0;
}

int proc_connector_open(int *ret_fd) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
        const int size = RECEIVE_BUFFER_BYTES;
        _cleanup_close_ int fd = -1;
        int r;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
        if (fd < 0)
                return negative_errno();
        /* A burst of starts between two looks must fit; refused without CAP_NET_ADMIN. */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return negative_errno();
        r = subscribe(fd);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int proc_connector_parse(const void *datagram, size_t length, ProcStart *ret_start) {
        const size_t at = NLMSG_HDRLEN + sizeof(struct cn_msg);
        struct proc_event event = {};
        struct nlmsghdr header;
        struct cn_msg message;

        /* Older kernels send a shorter event: the union is as large as its largest member. */
        if (length < at + offsetof(struct proc_event, event_data) + sizeof(event.event_data.fork))
                return -EBADMSG;
        memcpy(&header, datagram, sizeof(header));
        memcpy(&message, (const uint8_t *)datagram + NLMSG_HDRLEN, sizeof(message));
        memcpy(&event, (const uint8_t *)datagram + at, MIN(length - at, sizeof(event)));
        if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC)
                return PROC_CONNECTOR_E_OTHER;

        if (event.what == PROC_EVENT_FORK &&
            event.event_data.fork.child_pid == event.event_data.fork.child_tgid)
                *ret_start = (ProcStart){ PROC_START_FORK, event.event_data.fork.child_pid };
        else if (event.what == PROC_EVENT_EXEC)
                *ret_start = (ProcStart){ PROC_START_EXEC, event.event_data.exec.process_tgid };
        else
                return PROC_CONNECTOR_E_OTHER;
        ret_start->at_usec = event.timestamp_ns / 1000;
        return 0;
}

int proc_connector_receive(int fd, ProcStart *ret_start) {
        uint8_t datagram[DATAGRAM_MAX_BYTES];
        struct sockaddr_nl from = {};
        socklen_t from_size = sizeof(from);
        ssize_t n;

        n = recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &from_size);
        if (n < 0 && errno == EAGAIN)
                return PROC_CONNECTOR_E_END;
        if (n < 0 && (errno == ENOBUFS || errno == EINTR))
                return PROC_CONNECTOR_E_LOST;
        if (n < 0)
                return negative_errno();
        /* Programs may send to the group as well; only the kernel has no port. */
        if (from.nl_pid != 0)
                return PROC_CONNECTOR_E_OTHER;
        return proc_connector_parse(datagram, (size_t)n, ret_start);
}
