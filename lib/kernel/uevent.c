/* SPDX-License-Identifier: MIT */
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/kernel/uevent.h"

#define KERNEL_GROUP      1U
#define MESSAGE_MAX_BYTES 4096U /* UEVENT_BUFFER_SIZE of the kernel is 2048 */
#define EVENTS_AT_ONCE    64U

const char *const uevent_source_subsystems[] = { "virtio", "misc", "tpm", "tpmrm", "platform",
                                                 "pci",    "ptp",  "tty", NULL };

int uevent_open(int *ret_fd) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
        _cleanup_close_ int fd = -1;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if (fd < 0)
                return negative_errno();
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return negative_errno();

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void take_field(const char *field, const char *key, char value[static UEVENT_FIELD_MAX]) {
        size_t n = strlen(key);

        if (strncmp(field, key, n) != 0)
                return;
        (void)strncpy(value, field + n, UEVENT_FIELD_MAX - 1);
        value[UEVENT_FIELD_MAX - 1] = '\0';
}

int uevent_parse(const char *message, size_t length, Uevent *ret_event) {
        const char *end = message + length;
        Uevent event = {};

        if (length == 0 || end[-1] != '\0' || !strchr(message, '@'))
                return -EBADMSG;

        for (const char *field = message; field < end; field += strlen(field) + 1) {
                take_field(field, "ACTION=", event.action);
                take_field(field, "SUBSYSTEM=", event.subsystem);
                take_field(field, "DEVTYPE=", event.device_type);
                take_field(field, "DEVNAME=", event.device_name);
                take_field(field, "DRIVER=", event.driver);
                take_field(field, "MODALIAS=", event.modalias);
        }
        *ret_event = event;
        return 0;
}

int uevent_receive(int fd, Uevent *ret_event) {
        char message[MESSAGE_MAX_BYTES];
        struct sockaddr_nl from = {};
        socklen_t from_size = sizeof(from);
        ssize_t n;

        n = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from, &from_size);
        if (n < 0 && errno == EAGAIN)
                return UEVENT_E_END;
        if (n < 0 && (errno == ENOBUFS || errno == EINTR))
                return UEVENT_E_OTHER;
        if (n < 0)
                return negative_errno();
        if (from.nl_pid != 0)
                return UEVENT_E_OTHER;
        return uevent_parse(message, (size_t)n, ret_event) < 0 ? UEVENT_E_OTHER : 0;
}

bool uevent_is_of_source(const Uevent *event) {
        for (const char *const *name = uevent_source_subsystems; *name; name++)
                if (strcmp(event->subsystem, *name) == 0)
                        return true;
        return false;
}

/* A cold boot tells of a hundred terminals, which are no source of whoever asks here. */
static uint32_t changes_of(const Uevent *event) {
        static const struct {
                const char *subsystem;
                uint32_t changes;
        } rows[] = {
                { "virtio", UEVENT_CHIP },
                { "misc", UEVENT_CHIP },
                { "pci", UEVENT_CHIP },
                { "tpm", UEVENT_CHIP },
                { "tpmrm", UEVENT_CHIP },
                { "platform", UEVENT_CHIP | UEVENT_FIRMWARE }, /* fw_cfg's driver binds there */
                { "drivers", UEVENT_CHIP | UEVENT_FIRMWARE },  /* before 4.14 nothing else tells */
                { "vio", UEVENT_CHIP },                        /* of IBM's POWER */
                { "ap", UEVENT_CHIP },                         /* of IBM's Z */
                { "usb", UEVENT_CHIP },
                { "block", UEVENT_DISK },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcmp(event->subsystem, rows[i].subsystem) == 0)
                        return rows[i].changes;
        return 0;
}

uint32_t uevent_changes(int fd) {
        uint32_t changes = 0;

        for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
                Uevent event;
                int r;

                r = uevent_receive(fd, &event);
                if (r == UEVENT_E_END || r < 0)
                        break;
                changes |= r == UEVENT_E_OTHER ? UEVENT_ANY : changes_of(&event);
        }
        return changes;
}
