/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * rngd on a simulated machine: the whole daemon but its option parser and its status socket, in an
 * event loop of the simulation. All of its memory is one block, so that a snapshot of the machine has
 * its process in it: the block is loaded before the machine's daemon runs, and saved before the
 * machine is copied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long it has until what happens next. */
#define DAEMON_START_USEC UINT64_C(3000000)

typedef struct Machine Machine;

/* Of a machine; its memory is in the life's arena while another machine's is loaded. */
typedef struct Daemon {
        bool enabled, running;
        bool reads_generation; /* it could be read when it started */
        bool signalled;        /* SIGUSR1 */
        bool clock_set;
        bool plugged;
        bool file_enabled; /* [file] path=, with credit */
        const uint8_t *memory;
        size_t n_memory;
        uint64_t credited_bits; /* since its start */
} Daemon;

/* Whether product code runs as the daemon now. */
bool daemon_is_current(void);

void daemon_start(Machine *machine);
void daemon_stop(Machine *machine);

/* Until nothing is left to do within so much time, which then has passed. */
void daemon_run(Machine *machine, uint64_t usec);

/* Before machines are copied. */
void daemon_unload(void);

/* A life begins, or the machine's power fails. */
void daemon_forget(const Machine *machine);

/* ---- memory of product code: the daemon's block, else the heap ---- */

void *sim_malloc(size_t n);
void *sim_calloc(size_t n, size_t size);
void sim_free(void *memory);
char *sim_strdup(const char *text);

/* ---- for daemon-loop.c ---- */

/* How long the present run may last, by CLOCK_BOOTTIME. */
uint64_t daemon_until_usec(void);

/* What rngd made and gave away when it started. */
struct sd_event;
struct StatusHooks;
void daemon_set_event(struct sd_event *event);
void daemon_set_status(const struct StatusHooks *hooks);
