/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much to ask for, and when to stop. Pure: the caller reads level, readiness and pool size
 * before each question, asks a source for what the plan says, feeds it, and comes back with one
 * round more, until the answer is no longer REFILL_ASK. With several sources at work each has its
 * own rounds, and they share what was credited.
 *
 * Counting kernels (pool of 4096 bits, before the rework of 2022) lose level as it is used and give
 * credit asymptotically: at most 3/4 of it, less the fuller they are, so that the top is never
 * reached. Latching ones (256) become ready once and show nothing afterwards: there bytes are
 * asked for because something happened, not because something is missing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFILL_BATCH_BYTES     64U  /* one cache line of the kernel's hwrng: what comes at once */
#define REFILL_BATCH_MAX_BYTES 512U /* claims 4096 bits, a whole counting pool */
#define REFILL_EVENT_BITS      256U /* fresh bits that an event calls for: a whole CRNG key */
#define REFILL_TOP_MARGIN_BITS 128U /* near the top credit shrinks to nothing: stop short of it */
#define REFILL_ROUNDS_MAX      8U
#define REFILL_ROUNDS_UNREADY  16U /* kernels before 4.8 want many small feeds */

/* As long as those kernels need to move credit from their input pool to the one that is read. */
#define REFILL_UNREADY_PAUSE_USEC UINT64_C(2000)

typedef enum RandomModel {
        RANDOM_MODEL_UNKNOWN,
        RANDOM_MODEL_COUNTING,
        RANDOM_MODEL_LATCHING,
} RandomModel;

/* What calls for fresh bytes. */
typedef enum Trigger {
        TRIGGER_START,
        TRIGGER_LEVEL,  /* /dev/random says POLLOUT */
        TRIGGER_FORK,   /* this machine is a clone, or was restored */
        TRIGGER_PLUG,   /* an RNG appeared */
        TRIGGER_RESUME, /* from suspend */
        TRIGGER_CLOCK,  /* somebody set the clock: perhaps a restore */
        TRIGGER_TIMER,  /* reseed-interval */
        TRIGGER_SIGNAL, /* SIGUSR1 */
        TRIGGER_GAP, /* records of the kernel's log were lost: one of them may have told of a fork */
        _TRIGGER_MAX,
} Trigger;

/* Several may meet in one round. */
#define TRIGGER_BIT(trigger) (UINT32_C(1) << (trigger))

typedef struct RefillState {
        RandomModel model;
        bool ready;               /* getrandom(GRND_NONBLOCK) works */
        uint32_t pool_bits;       /* 0 = unreadable */
        uint32_t level_bits;      /* now, after the rounds that are done */
        uint32_t triggers;        /* bits of TRIGGER_BIT(); the same in all rounds */
        uint32_t rounds_done;     /* of this source, since the first trigger */
        uint32_t credited_bits;   /* since then, of all sources */
        uint32_t source_per_1024; /* what its bytes are credited with; 0 = mixed in only */
        uint32_t batch_max_bytes; /* --random-step; 0 = not given */
} RefillState;

typedef enum RefillAction {
        REFILL_DONE,        /* nothing more is missing, of any source */
        REFILL_ASK,         /* ask for plan.length_bytes */
        REFILL_NO_PROGRESS, /* more is missing, but this source will not change it: back off */
} RefillAction;

typedef struct RefillPlan {
        RefillAction action;
        size_t length_bytes;
        uint64_t pause_usec; /* wait so long before asking; 0 nearly always */
        bool reseed;         /* RNDRESEEDCRNG after the feed (ENODATA just says: not ready) */
} RefillPlan;

/*
 * The model by what can be seen: the pool size where it is readable, else the level and the poll
 * mask of /dev/random. Only counting kernels know levels above 256 and show POLLIN with POLLOUT.
 * UNKNOWN is handled like LATCHING, for which the level has no meaning once it is ready.
 */
RandomModel refill_guess_model(uint32_t pool_bits, uint32_t level_bits, uint32_t poll_mask);

/* "counting", "latching", "unknown" */
const char *refill_model_to_string(RandomModel model);

/*
 * The next step:
 *   not ready        64 bytes first; then what is missing, in up to REFILL_ROUNDS_UNREADY rounds
 *   an event         64 bytes, more if their credit is under 256 bits, and RNDRESEEDCRNG. A source
 *                    without any credit is asked once: its bytes are mixed in.
 *   LEVEL (or START  up to REFILL_ROUNDS_MAX rounds of up to 512 bytes until pool - 128 is reached
 *   if counting)     (latching kernels of 5.18.0, which still count: until 256 is)
 * Events come first, since a clone must not wait for a pool to be full. REFILL_NO_PROGRESS is the
 * answer to POLLOUT at a full pool too (somebody put the threshold above what credit can reach).
 */
RefillPlan refill_plan(const RefillState *state);

/*
 * The level after RNDADDENTROPY with so many bits, as credit_entropy_bits() of Linux 3.13 to 5.17
 * computes it for a counting pool; min(level + bits, pool) for the other models.
 */
uint32_t refill_predict_level_bits(
        RandomModel model,
        uint32_t pool_bits,
        uint32_t level_bits,
        uint32_t added_bits);

/*
 * What to write into write_wakeup_threshold for -W, which is in bits, or in percent of the pool; 0:
 * leave it alone (asked for, or no counting kernel). At most 7/8 of the pool, 3584 of 4096, since a
 * threshold that credit cannot reach keeps POLLOUT up for ever.
 */
uint32_t refill_threshold_bits(
        RandomModel model,
        uint32_t pool_bits,
        uint32_t asked,
        bool is_percent);
