/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

/* The seeder has functions of these names, too. */
#define settings_init   rngd_settings_init
#define settings_deinit rngd_settings_deinit
#include "rngd/manager.h"
#include "rngd/status.h"
#include "tests/lifetimes/daemon.h"
#include "tests/lifetimes/files.h"
#include "tests/lifetimes/witness.h"

#define BLOCK_BYTES   (512U * 1024U)
#define CLASSES       14U
#define CLASS_MINIMUM 32U

#define KEPT_MAX_BYTES (64U * 1024U)

/* What is at the beginning of the block; the rest is given out. */
typedef struct Process {
        size_t used;
        void *free[CLASSES];
        Manager *manager;
        sd_event *event;
        StatusHooks status;
} Process;

static _Alignas(64) uint8_t block[BLOCK_BYTES];
static Machine *loaded;
static bool running;
static uint64_t until_usec;

static Process *process(void) {
        return (Process *)(void *)block;
}

bool daemon_is_current(void) {
        return running;
}

uint64_t daemon_until_usec(void) {
        return until_usec;
}

void daemon_set_event(sd_event *event) {
        process()->event = event;
}

void daemon_set_status(const StatusHooks *hooks) {
        process()->status = *hooks;
}

/* ---- memory ---- */

static unsigned class_of(size_t n) {
        unsigned class = 0;

        while (((size_t)CLASS_MINIMUM << class) < n)
                class ++;
        return class;
}

static void *take_free(unsigned class) {
        void *memory = process()->free[class];

        if (memory)
                memcpy(&process()->free[class], memory, sizeof(void *));
        return memory;
}

/* Each piece has its class in front of it. */
static void *give(size_t n) {
        const unsigned class = class_of(n + 16);
        const size_t size = (size_t)CLASS_MINIMUM << class;
        uint8_t *memory = class < CLASSES ? take_free(class) : NULL;

        if (!memory) {
                if (class >= CLASSES || size > BLOCK_BYTES - process()->used)
                        abort();
                memory = block + process()->used;
                process()->used += size;
        }
        memset(memory, 0, size);
        memcpy(memory, &class, sizeof(class));
        return memory + 16;
}

static bool is_ours(const void *memory) {
        return (const uint8_t *)memory >= block && (const uint8_t *)memory < block + BLOCK_BYTES;
}

/* What is large is given back before a function returns, and so is in no snapshot. */
static bool is_kept(size_t n) {
        return running && n <= KEPT_MAX_BYTES;
}

void *sim_malloc(size_t n) {
        return is_kept(n) ? give(n) : malloc(n);
}

void *sim_calloc(size_t n, size_t size) {
        return is_kept(n * size) ? give(n * size) : calloc(n, size);
}

void sim_free(void *memory) {
        unsigned class;

        if (!is_ours(memory)) {
                free(memory);
                return;
        }
        memory = (uint8_t *)memory - 16;
        memcpy(&class, memory, sizeof(class));
        memcpy(memory, &process()->free[class], sizeof(void *));
        process()->free[class] = memory;
}

char *sim_strdup(const char *text) {
        size_t n = strlen(text) + 1;
        char *copy = sim_malloc(n);

        return copy ? memcpy(copy, text, n) : NULL;
}

/* ---- which machine's it is ---- */

void daemon_unload(void) {
        if (loaded && loaded->daemon.running) {
                loaded->daemon.memory = arena_copy(block, process()->used);
                loaded->daemon.n_memory = process()->used;
        }
        loaded = NULL;
}

static void load(Machine *machine) {
        machine_now = machine;
        if (loaded == machine)
                return;
        daemon_unload();
        memcpy(block, machine->daemon.memory, machine->daemon.n_memory);
        loaded = machine;
}

void daemon_forget(const Machine *machine) {
        if (!machine || loaded == machine)
                loaded = NULL;
}

/* ---- its life ---- */

static const Settings *defaults(void) {
        static Settings settings;
        static bool made;

        if (!made && settings_init(&settings) < 0)
                abort();
        made = true;
        return &settings;
}

static Settings settings_of(const Machine *machine) {
        Settings settings = *defaults();
        SourceSettings *file = &settings.sources[SOURCE_FILE];
        SourceSettings *metadata = &settings.sources[SOURCE_METADATA];

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                settings.sources[id].timeout_usec = settings.timeout_usec;
        settings.sources[SOURCE_CPU].enabled = true;
        file->enabled = machine->daemon.file_enabled;
        file->path = (char *)(uintptr_t)FILES_PIPE;
        file->credit_override_per_1024 = CREDIT_PER_1024_MAX;
        metadata->enabled = metadata->by_admin = machine->platform.metadata != METADATA_NONE;
        return settings;
}

static void judge_counters(const Machine *machine) {
        const StatusHooks *status = &process()->status;
        const Counters *counters = status->facts(status->userdata).counters;
        uint64_t bits = 0;

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                bits += counters->entries[id].credited_bits;
        if (bits != machine->daemon.credited_bits)
                witness_break(PROMISE_REASON, "rngd's status does not say what was credited");
        if (counters->last_feed.any && counters->last_feed.credited_bits == 0 &&
            counters->last_feed.reason == CREDIT_GRANTED)
                witness_break(PROMISE_REASON, "no reason for a 0 in rngd's status");
}

static void begin(Machine *machine, uint64_t usec) {
        running = true;
        until_usec = machine->kernel.boottime_usec + usec;
}

static void end(Machine *machine) {
        running = false;
        if (machine->dead)
                return;
        judge_counters(machine);
        if (machine->kernel.boottime_usec < until_usec)
                machine->kernel.boottime_usec = until_usec;
}

void daemon_start(Machine *machine) {
        Settings settings;

        if (!machine->on || machine->daemon.running || !machine->daemon.enabled)
                return;
        daemon_unload();
        machine_now = loaded = machine;
        *process() = (Process){ .used = (sizeof(Process) + 63) & ~(size_t)63 };
        machine->daemon.running = true;
        machine->daemon.reads_generation =
                machine->platform.has_generation && machine->platform.readable;
        machine->daemon.credited_bits = 0;
        settings = settings_of(machine);

        begin(machine, DAEMON_START_USEC);
        if (manager_new(&settings, (ManagerArguments){}, &process()->manager) < 0 ||
            manager_start(process()->manager) < 0) {
                if (!machine->dead)
                        witness_break(PROMISE_NO_WAIT, "rngd could not start");
                running = false;
                machine->daemon.running = false;
                return;
        }
        (void)manager_run(process()->manager);
        end(machine);
}

void daemon_run(Machine *machine, uint64_t usec) {
        if (!machine->on || !machine->daemon.running) {
                machine->kernel.boottime_usec += usec;
                return;
        }
        load(machine);
        begin(machine, usec);
        (void)sd_event_loop(process()->event);
        end(machine);
}

/* What it does at its end, it does to nobody's credit: killed is enough. */
void daemon_stop(Machine *machine) {
        if (!machine->daemon.running)
                return;
        daemon_forget(machine);
        machine->daemon.running = false;
        machine->daemon.signalled = machine->daemon.plugged = machine->daemon.clock_set = false;
        for (size_t i = 0; i < MACHINE_FDS_MAX; i++)
                if (machine->fds[i].of_daemon)
                        machine->fds[i] = (Fd){};
        memset(machine->platform.workers, 0, sizeof(machine->platform.workers));
}
