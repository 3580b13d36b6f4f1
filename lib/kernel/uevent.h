/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's device events themselves, without udev and without memory of their own: for a
 * process that may not allocate. rngd uses hotplug.h, which filters in the kernel.
 */

#include <stddef.h>

#include "lib/base/error.h"

#define UEVENT_FIELD_MAX 64U

typedef struct Uevent {
        char action[UEVENT_FIELD_MAX]; /* "add", "bind", ...; a field that is not there is empty */
        char subsystem[UEVENT_FIELD_MAX];
        char device_type[UEVENT_FIELD_MAX]; /* DEVTYPE */
        char device_name[UEVENT_FIELD_MAX]; /* DEVNAME */
        char driver[UEVENT_FIELD_MAX];
} Uevent;

enum {
        UEVENT_E_END = 1, /* nothing more now */
        UEVENT_E_OTHER,   /* lost events, or a message of somebody else: go on */
};

_must_check_ int uevent_open(int *ret_fd);
_must_check_ int uevent_receive(int fd, Uevent *ret_event);

/* The parser alone: "ACTION@DEVPATH", then KEY=VALUE, each ended by a zero byte. */
_must_check_ int uevent_parse(const char *message, size_t length, Uevent *ret_event);
