/* SPDX-License-Identifier: MIT */
#pragma once

/* What the table of events.c has of event-sources.c. */

#include <stdint.h>

enum {
        SEED_CONFIG_DRIVE,
        SEED_FOREIGN_DISK,
        SEED_IN_IMAGE,
        SEED_CREDENTIAL,
        SEED_TWIN,
        SEED_COMMAND_LINE,
        SEED_TEXT,
        SEED_PUBLIC_TWIN,
        _SEED_KIND_MAX,
};

void event_seed(const uint8_t *arguments);
void event_other_cloud(const uint8_t *arguments);
void event_hwrng(const uint8_t *arguments);
void event_quality(const uint8_t *arguments);
void event_cpu(const uint8_t *arguments);
void event_metadata(const uint8_t *arguments);
void event_pipe_kind(const uint8_t *arguments);
void event_fill_pipe(const uint8_t *arguments);
