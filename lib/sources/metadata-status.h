/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a fetch of metadata ended: the exit status of the program entropy-metadata, which the source
 * `metadata` makes an errno of. 0 is success. The numbers are those of sysexits.h where they fit.
 */

enum {
        METADATA_E_SYSTEM = 1,       /* out of memory, output closed... */
        METADATA_E_USAGE = 64,       /* command line */
        METADATA_E_FORMAT = 65,      /* the answer is no seed in the format that was told */
        METADATA_E_NOT_THERE = 66,   /* HTTP says that there is no such document */
        METADATA_E_UNREACHABLE = 69, /* no route, no connection, no whole answer in time */
        METADATA_E_BUSY = 75,        /* 408, 429, 5xx to the end; or TLS had no random bytes yet */
        METADATA_E_PROTOCOL = 76,    /* too large, compressed, redirected elsewhere, no HTTP */
        METADATA_E_CERTIFICATE = 77, /* TLS: the server did not prove who it is */
        METADATA_E_CA_FILE = 78,     /* cannot be used */

        /* What METADATA_E_FORMAT means, where it is known: the errors of seed.h, in their order. */
        METADATA_E_SEED_ABSENT = 80,
        METADATA_E_SEED_TYPE = 81,
        METADATA_E_SEED_ENCODING = 82,
        METADATA_E_SEED_LENGTH = 83,
        METADATA_E_TOO_LONG = 84,
};

/* The status as an errno, or one of seed.h's; -EIO for any other. */
int metadata_status_to_error(int status);

/* And back, for what is wrong with an answer: METADATA_E_FORMAT if it says no more than that. */
int metadata_error_to_status(int error);
