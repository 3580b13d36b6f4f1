/* SPDX-License-Identifier: MIT */
#pragma once

/* Which source is asked when. Pure: what is known goes in, what to do comes out. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/sources/source.h"
#include "seeder/state/phase.h"

typedef enum PlanClass {
        PLAN_NEVER, /* not the seeder's */
        PLAN_QUICK, /* there or not, within milliseconds: asked at once, and waited for */
        PLAN_SLOW,  /* the network: asked at once, waited for only while the RNG is not ready */
        PLAN_LAST,  /* burns CPU: asked only when nothing else made the RNG ready */
} PlanClass;

PlanClass plan_class(SourceId id);

#define PLAN_INITRAMFS_DEADLINE_USEC UINT64_C(2000000)
#define PLAN_REAL_ROOT_DEADLINE_USEC UINT64_C(10000000)

/* After which events a source is looked for again, in bits of lib/kernel/uevent.h. */
uint32_t plan_changes(SourceId id);

uint64_t plan_deadline_usec(Phase phase);
