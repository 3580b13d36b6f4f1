/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the host gives to one machine, and whose bytes they are. The sources answer as the real ones
 * do: seeds with their origin, a hwrng whose kernel and driver fetch ahead, a FIFO, a metadata server.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/feed/worker.h"

enum {
        PLATFORM_SEEDS_MAX = 8,
        PLATFORM_AHEAD_BYTES =
                128, /* the core's buffer and the driver's: what a hwrng read before */
        PLATFORM_WORKERS_MAX = 16,
        PLATFORM_SEED_LABEL_BYTES = 24,
};

typedef enum HwrngKind {
        HWRNG_NONE,
        HWRNG_VIRTIO, /* the host's */
        HWRNG_AMD,    /* a chip: the machine's own, or one that the host emulates */
        _HWRNG_KIND_MAX,
} HwrngKind;

typedef enum MetadataMode {
        METADATA_NONE,
        METADATA_HONEST,
        METADATA_REPEATS, /* a static file, say */
        _METADATA_MODE_MAX,
} MetadataMode;

/* A seed that lies somewhere. */
typedef struct LyingSeed {
        SourceId source;
        SeedOrigin origin; /* as the source finds out from where it lies */
        char label[PLATFORM_SEED_LABEL_BYTES];
        bool nothing_due; /* nobody has to credit it */
        const uint8_t *bytes;
        size_t n_bytes;
} LyingSeed;

typedef struct SimWorker {
        bool used;
        int fd;
        SourceId source;
        size_t next_seed;
        size_t min_bytes;
        uint64_t answer_usec; /* UINT64_MAX: nothing was asked */
        uint64_t asked_at;    /* by the witness's time */
} SimWorker;

typedef struct Platform {
        bool has_generation;    /* a VM generation ID */
        uint64_t generation[2]; /* its value */
        bool driver;            /* the kernel has a driver for it, and tells of forks */
        bool readable;          /* fw_cfg's module is loaded: userspace can read it */
        bool boot_id_readable;
        bool counting; /* an old kernel */
        bool confidential;
        bool bare_metal; /* no hypervisor: nothing can take a snapshot but of a disk */
        uint64_t product_uuid;
        uint64_t cloud; /* which one it is */

        LyingSeed seeds[PLATFORM_SEEDS_MAX];
        size_t n_seeds;

        HwrngKind hwrng;
        uint32_t quality_per_1024;
        uint8_t ahead[PLATFORM_AHEAD_BYTES]; /* in the guest's memory */
        size_t n_ahead;

        bool cpu;
        MetadataMode metadata;
        const uint8_t *metadata_bytes;
        size_t n_metadata_bytes;

        const uint8_t *pipe; /* what waits in the FIFO, in the guest's memory */
        size_t n_pipe;
        bool pipe_is_file; /* a regular file stands in its place */
        bool pipe_exists;

        SimWorker workers[PLATFORM_WORKERS_MAX];
} Platform;

/* What the kernel and its drivers held is gone: a boot. */
void platform_power_on(Platform *platform);

/* n bytes that somebody makes now; the witness knows them. */
const uint8_t *platform_make(size_t n, const char *what, bool host_made);

/* By the writer of the FIFO, or what is in a file. */
void platform_fill_pipe(Platform *platform, size_t n);

/* When the oldest request was made that has no answer yet, by the witness's time; 0: there is none. */
uint64_t platform_in_flight(const Platform *platform);

/* When the answer of this worker's fd is there; UINT64_MAX: never. */
uint64_t platform_answer_usec(int fd);
