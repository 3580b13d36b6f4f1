/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A source of random bytes: a small set of functions and what they need. A blocking source runs
 * in a worker (lib/feed/worker.h): open() there still has root's privileges, read() has none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/policy/credit.h"

typedef enum SourceId {
        /* These make new bytes at each read, as often as they are asked. */
        SOURCE_HWRNG,
        SOURCE_CPU,
        SOURCE_TPM,
        SOURCE_EGD,
        SOURCE_METADATA,
        SOURCE_FILE,
        SOURCE_EXEC,
        SOURCE_JITTER,
        _SOURCE_LIVE_MAX,

        /* These hold seeds that were made before (SourceOps.seeds). */
        SOURCE_PLATFORM = _SOURCE_LIVE_MAX,
        SOURCE_CONFIG_DRIVE,
        _SOURCE_MAX,
} SourceId;

/* No read asks for more; what the kernel takes in one RNDADDENTROPY. */
#define SOURCE_READ_MAX_BYTES 4096U

#define SOURCE_STALE_ALWAYS UINT32_MAX

#define SOURCE_DETAIL_MAX 96U
#define SOURCE_LABEL_MAX  48U

typedef struct SourceConfig {
        const char *path;    /* hwrng, file, tpm: what to open; tpm: NULL for the usual ones */
        const char *device;  /* hwrng: only the one of this name; NULL: whichever is current */
        char *const *argv;   /* exec: the program and its arguments, NULL-terminated */
        uint64_t offset;     /* file: where to go on in a regular file */
        uint64_t wait_usec;  /* file, exec, egd, metadata: how long one read may wait for bytes */
        const char *address; /* egd: see egd.h */

        const char *url;     /* metadata: instead of OpenStack's service, or NULL */
        const char *format;  /* metadata: see metadata-format.h; or NULL */
        const char *ca_file; /* metadata: instead of the machine's own certificates, or NULL */
        /* metadata: not only because this machine looks like OpenStack; jitter: modules may be loaded. */
        bool enabled_by_admin;

        const char *credentials; /* platform: $CREDENTIALS_DIRECTORY, or NULL */
        const char *root;        /* the same and config-drive: instead of "/" */
        bool vouched_for;        /* config-drive: the administrator says that there is a true one */
} SourceConfig;

/* What is there now: looked at without opening anything, as often as the caller likes. */
typedef struct SourceProbe {
        char detail[SOURCE_DETAIL_MAX]; /* "virtio_rng.0", "RDSEED", "/path" */
        SourceClass source_class;
        uint32_t quality_per_1024; /* the driver's word, or CREDIT_QUALITY_UNKNOWN */
        bool fresh;                /* each read gives other bytes; false for a regular file */
        bool reopen; /* what queues up while it is open is dropped by opening it anew: a tty */

        /*
         * So many bytes may have been waiting in the kernel, a driver or a device since before a request,
         * and so since before a copy of this machine was made that nobody noticed. SOURCE_STALE_ALWAYS:
         * no number is enough, since a program makes them ahead and waits until they are read.
         */
        uint32_t stale_bytes;
        SeedOrigin origin; /* static: the best that a seed of it can have here */
} SourceProbe;

typedef struct Source Source;

typedef struct SourceOps {
        const char *name;
        SourceClass source_class; /* unless probe() knows better */
        bool blocking;            /* open() or read() may wait: run it in a worker */
        bool needs_network;       /* the worker keeps the network namespace */
        bool runs_program;        /* read() does: in a worker with a PID namespace of its own */
        bool mounts; /* open() mounts: in a mount namespace that the worker made before */

        bool last_resort; /* it costs: asked only when no other source gives what is needed */

        /*
         * Each read gives one whole seed, and the next read the next one: -ENODATA after the last.
         * source->label then says which it is ("smbios"), so that each is credited, or was used
         * before, on its own. Any other error is about that one seed, and the next read goes on.
         * Reads are for SOURCE_READ_MAX_BYTES; a seed has SEED_MIN_BYTES to SEED_MAX_BYTES (seed.h).
         */
        bool seeds;

        /* See source_probe(), which fills in what most sources have in common. */
        int (*probe)(const SourceConfig *config, const RootDir *root, SourceProbe *probe);

        /* Whether asking it loads no kernel module. NULL: it never does. */
        bool (*is_loaded)(const RootDir *root);

        /* NULL: nothing is to be opened. */
        int (*open)(Source *source);

        /*
         * Up to size bytes; ret_length is at least 1. -ENODATA at the end of what there is,
         * -ENODEV if the device is gone, -ETIMEDOUT after wait_usec.
         */
        int (*read)(Source *source, uint8_t *buffer, size_t size, size_t *ret_length);

        /* Drops what waits to be read, without waiting for more. NULL: nothing can wait. */
        int (*drain)(Source *source);

        /* Frees what open() left in source->state; NULL: nothing, or it ends with the worker. */
        void (*close)(Source *source);
} SourceOps;

struct Source {
        const SourceOps *ops;
        SourceConfig config;
        int fd;
        void *state;                  /* the source's own, between open() and close() */
        char label[SOURCE_LABEL_MAX]; /* which seed the last read was about; else empty */
        SeedOrigin origin;            /* of that seed */
        bool replay;        /* what open() opened gives the same bytes again: a regular file */
        size_t piece_bytes; /* hwrng: how much to read at once, by how fast it was */
};

/* Never NULL. */
const SourceOps *source_ops(SourceId id);
const char *source_name(SourceId id);

/* 0: there. -ENODEV, -ENOENT...: not there, and then only detail and class mean something. */
_must_check_ int source_probe(
        const SourceOps *ops,
        const SourceConfig *config,
        const RootDir *root,
        SourceProbe *ret_probe);

/* For the sources: what this one is, cut where it does not fit. */
void source_set_detail(SourceProbe *probe, const char *format, ...) _printf_(2, 3);

/* What an error of look(), open() or read() says about a source, in words for its administrator. */
const char *source_error_to_string(SourceId id, int error);
