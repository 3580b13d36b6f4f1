/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel's command line says to the seeder. It is written by whoever starts the machine,
 * so it is parsed as hostile: an unknown word is ignored, a credit can be set for known sources
 * only and is still bounded by the policy.
 *
 *   entropy.seeder=off          do nothing
 *   entropy.credit=SOURCE:N     0..1024 per 1024 bits, as credit in guest-entropy.conf(5); SOURCE may
 *                               be seed-file, too
 *   entropy.trust=SOURCE:WORD   as trust there, for those that have it
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/sources/source.h"

typedef struct CommandLineCredit {
        uint32_t credit_per_1024; /* or CREDIT_OVERRIDE_NONE */
        bool trust_given;
        CreditTrust trust;
} CommandLineCredit;

typedef struct CommandLine {
        bool off;
        CommandLineCredit sources[_SOURCE_MAX];
        CommandLineCredit seed_file;
        unsigned int n_ignored; /* words of ours that made no sense */
        bool unknown;           /* it cannot be read: nothing is credited */
} CommandLine;

/* Cannot fail: what cannot be understood changes nothing. */
void command_line_parse(const char *text, CommandLine *ret_line);

/* The whole of it. What may be said there and cannot be read is taken as no credit for anything. */
void command_line_read(const RootDir *root, CommandLine *ret_line);
