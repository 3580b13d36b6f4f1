/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many bits a batch is worth: one pure function over DESIGN's credit table. Every doubt
 * lowers the result, nothing raises it above eight bits a byte. The kernel checks nothing here
 * (RNDADDENTROPY takes any number of bits for any number of bytes), so this is the only check.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Full credit; the scale of the kernel's rng_quality (drivers/char/hw_random, 0..1024). */
#define CREDIT_PER_1024_MAX UINT32_C(1024)

typedef enum SourceClass {
        SOURCE_CLASS_LOCAL_HARDWARE, /* in this machine: CPU instruction, TPM, SoC */
        SOURCE_CLASS_LIVE_HOST,      /* made by the host when asked: virtio-rng */
        SOURCE_CLASS_LIVE_NETWORK,   /* made by another machine when asked: EGD, metadata */
        SOURCE_CLASS_STATIC_HOST,    /* made once by the host: config drive, credential */
        SOURCE_CLASS_SAVED,          /* a seed of our own from an earlier boot */
        SOURCE_CLASS_LOCAL_SOFTWARE, /* CPU jitter, tested by its library */
        SOURCE_CLASS_CONFIGURED,     /* a file or a program that the administrator named */
        _SOURCE_CLASS_MAX,
} SourceClass;

/* No override: the table decides. */
#define CREDIT_OVERRIDE_NONE UINT32_MAX

typedef struct CreditInput {
        SourceClass source_class;
        size_t length_bytes;
        bool healthy;            /* passed the health tests */
        bool fresh;              /* read for this request; a regular file is a replay */
        bool first_use;          /* static: its digest was recorded now, and was not there before */
        bool in_initramfs;       /* first use cannot be known there */
        bool marked_creditable;  /* saved: the mark was there, was removed and synced */
        bool first_boot;         /* saved: never credited then */
        bool confidential_guest; /* SEV-SNP, TDX: what the host says is worth nothing */
        bool enabled_by_admin;   /* network: the administrator asked for it */
        bool always;             /* static: credit=always, also for replays and in initramfs */
        uint32_t quality_per_1024;  /* what the kernel says (rng_quality); 0 = it says nothing */
        uint32_t override_per_1024; /* the administrator's, or CREDIT_OVERRIDE_NONE */
} CreditInput;

/*
 * Credit per 1024 bits of input, 0..1024. Health tests take their cutoffs from it, so it looks at
 * neither `healthy` nor the length.
 *
 *   class            credited if                                                   default
 *   local-hardware   fresh                                                         1024
 *   live-host        fresh, no confidential guest                                  1024
 *   live-network     fresh, no confidential guest, enabled by the administrator    1024
 *   static-host      no confidential guest; first use outside the initramfs,
 *                    or credit=always                                              1024
 *   saved            marked creditable, not the first boot                         1024
 *   local-software   fresh                                                         1024
 *   configured       fresh                                                         0
 *
 * Else 0, whatever the administrator says. An override takes the place of the default; the
 * kernel's rng_quality, where it is not 0, is the limit of both. Over 1024 counts as 1024.
 */
uint32_t credit_per_1024(const CreditInput *input);

/* Bits for the whole batch, rounded down; never above 8 * length_bytes, 0 if not healthy. */
uint32_t credit_bits(const CreditInput *input);

/* The name that reports use ("live-host"), never NULL. */
const char *source_class_to_string(SourceClass source_class);
