/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many bits a batch is worth: one pure function. It asks who else can know the bytes, whether they
 * were credited before, and whether they were made after the last moment at which this machine could
 * have been copied. Every doubt is a no, and every no has a reason that a report can show. The kernel
 * checks nothing here (RNDADDENTROPY takes any number of bits for any number of bytes), so this is the
 * only check.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Full credit; the scale of the kernel's rng_quality (drivers/char/hw_random, 0..1024). */
#define CREDIT_PER_1024_MAX UINT32_C(1024)

typedef enum SourceClass {
        SOURCE_CLASS_CPU,            /* an instruction of the processor */
        SOURCE_CLASS_LOCAL_HARDWARE, /* in this machine: TPM, SoC, chipset */
        SOURCE_CLASS_LIVE_HOST,      /* made by the host when asked: virtio-rng */
        SOURCE_CLASS_LIVE_NETWORK,   /* made by another machine when asked: EGD, metadata */
        SOURCE_CLASS_STATIC_HOST,    /* made once by the host: config drive, credential */
        SOURCE_CLASS_SAVED,          /* a seed of our own from an earlier boot */
        SOURCE_CLASS_LOCAL_SOFTWARE, /* CPU jitter, tested by its library */
        SOURCE_CLASS_CONFIGURED,     /* a file or a program that the administrator named */
        _SOURCE_CLASS_MAX,
} SourceClass;

/* Where a static seed was found, and so who else may have it. */
typedef enum SeedOrigin {
        SEED_ORIGIN_UNKNOWN,  /* nothing shows that this machine's platform hands out seeds there */
        SEED_ORIGIN_PLATFORM, /* from the platform that made this machine */
        SEED_ORIGIN_IMAGE,    /* inside the image: every clone has it */
        SEED_ORIGIN_PUBLIC,   /* readable by all users: the kernel command line */
        _SEED_ORIGIN_MAX,
} SeedOrigin;

/* Whether a static seed was credited before. */
typedef enum SeedUse {
        SEED_USE_UNKNOWN, /* no memory that lasts: the initramfs, a volatile /var */
        SEED_USE_FIRST,   /* and this use is recorded where it lasts */
        SEED_USE_AGAIN,
        _SEED_USE_MAX,
} SeedUse;

/* What the builder of the image states about the static seeds of one source. */
typedef enum CreditTrust {
        CREDIT_TRUST_PLATFORM, /* nothing: what can be seen decides */
        CREDIT_TRUST_ALWAYS,   /* secret, and another one at each boot */
        CREDIT_TRUST_NEVER,
        _CREDIT_TRUST_MAX,
} CreditTrust;

/* The driver states no quality. A stated 0 is no credit. */
#define CREDIT_QUALITY_UNKNOWN UINT32_MAX

/* No override: the class decides. */
#define CREDIT_OVERRIDE_NONE UINT32_MAX

typedef struct CreditInput {
        SourceClass source_class;
        size_t length_bytes;
        bool healthy;     /* passed the health tests */
        bool fresh;       /* made for the request that read it; a regular file is a replay */
        bool maybe_stale; /* may have waited in a buffer since before this machine was copied */
        bool repeated;    /* the bytes of an earlier request or run came again */
        bool confidential_guest;    /* what the host can make or see is worth nothing */
        bool enabled_by_admin;      /* network: the administrator asked for it */
        SeedOrigin origin;          /* static */
        SeedUse use;                /* static */
        bool text;                  /* static: printable throughout, where the format is binary */
        bool marked_creditable;     /* saved: the mark was there, was removed and synced */
        bool first_boot;            /* saved: never credited then */
        CreditTrust trust;          /* static, saved, network and configured */
        uint32_t quality_per_1024;  /* the driver's word, or CREDIT_QUALITY_UNKNOWN */
        uint32_t override_per_1024; /* the administrator's, or CREDIT_OVERRIDE_NONE */
} CreditInput;

typedef enum CreditReason {
        CREDIT_GRANTED,
        CREDIT_NO_CLASS, /* a value outside the enums above: a bug of the caller */
        CREDIT_NO_HEALTH,
        CREDIT_NO_CONFIDENTIAL,
        CREDIT_NO_REPLAY,
        CREDIT_NO_STALE,
        CREDIT_NO_REPEATED,
        CREDIT_NO_NOT_ENABLED,
        CREDIT_NO_TRUST,
        CREDIT_NO_ORIGIN,
        CREDIT_NO_IMAGE,
        CREDIT_NO_PUBLIC,
        CREDIT_NO_TEXT,
        CREDIT_NO_USE_UNKNOWN,
        CREDIT_NO_USED,
        CREDIT_NO_MARK,
        CREDIT_NO_FIRST_BOOT,
        CREDIT_NO_QUALITY,
        CREDIT_NO_OVERRIDE,
        CREDIT_NO_STATEMENT,
        CREDIT_NO_LENGTH,
        _CREDIT_REASON_MAX,
} CreditReason;

typedef struct CreditVerdict {
        uint32_t bits;       /* at most 8 * length_bytes; 0 unless the reason is CREDIT_GRANTED */
        CreditReason reason; /* the first doubt that was found */
} CreditVerdict;

/*
 * The verdict on one batch.
 *
 *   class                  credited if                                                  default
 *   cpu                    fresh                                                        1024
 *   local-hardware, local-software
 *                          fresh, not stale                                             1024
 *   live-host              fresh, not stale                                             1024
 *   live-network           fresh, not stale, not repeated, enabled by the administrator 1024
 *   static-host            from the platform (or trust=always), no text, first use
 *                          recorded (or trust=always, and not known to be used)         1024
 *   saved                  marked creditable, not the first boot, trust not never       1024
 *   configured             fresh, not stale, not repeated, trust not never              0
 *
 * In a confidential guest only the class cpu is credited. An override takes the place of the default;
 * the driver's quality limits both. Over 1024 counts as 1024.
 */
CreditVerdict credit_judge(const CreditInput *input);

/*
 * What a source claims per 1024 bits, 0..1024. Health tests take their cutoffs from it and the refill
 * policy its lengths, so it looks at nothing that concerns one batch alone: healthy, maybe_stale,
 * repeated, length_bytes.
 */
uint32_t credit_per_1024(const CreditInput *input);

/* "live-host", "first use cannot be known"...; never NULL. */
const char *source_class_to_string(SourceClass source_class);
const char *credit_reason_to_string(CreditReason reason);
