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

#include "seeder/settings.h"

/*
 * Applies settings->kernel_line. Cannot fail: what cannot be understood changes nothing. A line that
 * cannot be read is taken as no credit for anything.
 */
void command_line_apply(Settings *settings);

/* Reads the whole of it first. */
void command_line_read(const RootDir *root, Settings *settings);
