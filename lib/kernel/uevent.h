/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's device events themselves, without udev and without memory of their own: for an
 * initramfs, for a process that may not allocate, and where no udevd runs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define UEVENT_FIELD_MAX 64U

typedef struct Uevent {
        char action[UEVENT_FIELD_MAX]; /* "add", "bind", ...; a field that is not there is empty */
        char subsystem[UEVENT_FIELD_MAX];
        char device_type[UEVENT_FIELD_MAX]; /* DEVTYPE */
        char device_name[UEVENT_FIELD_MAX]; /* DEVNAME */
        char driver[UEVENT_FIELD_MAX];
        char modalias[UEVENT_FIELD_MAX];
} Uevent;

enum {
        UEVENT_E_END = 1, /* nothing more now */
        UEVENT_E_OTHER,   /* lost events, or a message of somebody else: go on */
};

_must_check_ int uevent_open(int *ret_fd);
_must_check_ int uevent_receive(int fd, Uevent *ret_event);

/*
 * The subsystems of what may be a source or carry one, ended by NULL. hwrng itself sends no event when
 * an RNG registers, so the events of its carriers count, and the caller then looks at sysfs again.
 */
extern const char *const uevent_source_subsystems[];
bool uevent_is_of_source(const Uevent *event);

/* What an event may have brought. */
enum {
        UEVENT_CHIP = 1 << 0,     /* an RNG, by its bus, its class or its driver */
        UEVENT_FIRMWARE = 1 << 1, /* what the firmware tells, by the driver that shows it */
        UEVENT_DISK = 1 << 2,
        UEVENT_ANY = UEVENT_CHIP | UEVENT_FIRMWARE | UEVENT_DISK,
};

/* Takes up to 64 waiting events. What they may have brought, in bits; UEVENT_ANY if events were lost. */
uint32_t uevent_changes(int fd);

/* The parser alone: "ACTION@DEVPATH", then KEY=VALUE, each ended by a zero byte. */
_must_check_ int uevent_parse(const char *message, size_t length, Uevent *ret_event);
