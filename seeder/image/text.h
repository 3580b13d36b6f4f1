/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Pure readers of the texts in an image: a kernel's configuration, the command lines of rngd and
 * of the kernel, units, documents of a cloud, a listing of an initramfs. Each takes any bytes.
 */

#include <stdbool.h>
#include <stddef.h>

/* In the order of how much of it there is. */
typedef enum KernelOption {
        KERNEL_OPTION_UNNAMED, /* this kernel does not have it, or not with these others */
        KERNEL_OPTION_OFF,
        KERNEL_OPTION_MODULE,
        KERNEL_OPTION_BUILTIN,
} KernelOption;

/* name as in the file: "CONFIG_HW_RANDOM". The last line about it holds, as for make. */
KernelOption image_text_kernel_option(const char *text, size_t length, const char *name);

/*
 * The number of the first line that has rngd read the kernel's own output (/dev/random or
 * /dev/urandom as -r, --rng-device, HRNGDEVICE=, DEVICE= or path =), or 0. Understands shell
 * assignments, units, and our configuration: comments, quotes, lines joined by a backslash.
 */
unsigned image_text_feeds_itself(const char *text, size_t length);

/*
 * The number of the first line that hands a seed to every boot, or 0, on the command line of a
 * kernel: systemd.random_seed=, and systemd.set_credential= or systemd.set_credential_binary= of
 * entropy.seed; empty ones are none. As systemd reads it: a dash is an underscore, and quotes may
 * stand anywhere. comments: a line that begins with # is none.
 */
unsigned image_text_has_boot_seed(const char *text, size_t length, bool comments);
unsigned image_text_has_boot_credential(const char *text, size_t length, bool comments);

/* The same of SetCredential= and SetCredentialEncrypted= of entropy.seed in a unit. */
unsigned image_text_has_unit_credential(const char *text, size_t length);

/*
 * Whether a name of letters and underscores is in the text, also with characters written as \uXXXX,
 * \UXXXXXXXX (YAML) or \xXX: it takes at most IMAGE_TEXT_KEY_MAX_BYTES of it.
 */
bool image_text_has_key(const char *text, size_t length, const char *name);
#define IMAGE_TEXT_KEY_MAX_BYTES(name_length) (10U * (name_length))

/* What a listing of an initramfs tells, bits. */
enum {
        IMAGE_LISTING_NAMES = 1 << 0,      /* there was a file at all */
        IMAGE_LISTING_VIRTIO_RNG = 1 << 1, /* the module */
        IMAGE_LISTING_SEEDER = 1 << 2,     /* entropy-seeder itself */
        IMAGE_LISTING_SEED = 1 << 3,       /* a saved seed */
        IMAGE_LISTING_SQUASHED = 1 << 4,   /* an image within: not all was seen */
};

/* One line, as lsinitramfs (a path) or lsinitrd (ls -l) print it, without its newline. */
unsigned image_text_listing_line(const char *line, size_t length);
