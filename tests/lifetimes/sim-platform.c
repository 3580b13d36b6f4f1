/* SPDX-License-Identifier: MIT */
/*
 * What the sources of a machine answer. The workers are answered for here; what they find out about
 * a seed (its origin, a regular file) is what the truth is, since their own tests are elsewhere.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/kernel/clock.h"
#include "lib/kernel/confidential.h"
#include "lib/kernel/virtual.h"
#include "lib/sources/source-list.h"
#include "tests/lifetimes/files.h"
#include "tests/lifetimes/life.h"
#include "tests/lifetimes/witness.h"

#define ANSWER_USEC  1000U
#define NETWORK_USEC 80000U
#define POOR_USEC    50000U /* where it takes many answers to get anywhere */
#define PIPE_USEC    9000000U

static const uint8_t *make(size_t n, Made made) {
        uint8_t *bytes = arena_new(n);

        chance_bytes(&life_bytes, bytes, n);
        witness_made(bytes, n, made);
        return bytes;
}

const uint8_t *platform_make(size_t n, const char *what, bool host_made) {
        return make(n, (Made){ .by = MADE_LIVE, .what = what, .host_made = host_made });
}

/* Both chips can be the host's: a guest cannot tell an emulated one. The driver's word of its quality
 * counts where the kernel keeps it apart from none. */
static const uint8_t *make_hwrng(const Platform *platform, size_t n) {
        return make(
                n,
                (Made){
                        .by = MADE_LIVE,
                        .what = "a hwrng's bytes",
                        .host_made = true,
                        .known = platform->quality_per_1024 == 0 && !platform->counting,
                        .per_1024 = platform->quality_per_1024,
                });
}

static void fetch_ahead(Platform *platform) {
        size_t missing = PLATFORM_AHEAD_BYTES - platform->n_ahead;

        if (missing > 0)
                memcpy(platform->ahead + platform->n_ahead, make_hwrng(platform, missing), missing);
        platform->n_ahead = PLATFORM_AHEAD_BYTES;
}

void platform_power_on(Platform *platform) {
        platform->n_ahead = 0;
        platform->n_pipe = 0;
        memset(platform->workers, 0, sizeof(platform->workers));
        if (platform->hwrng != HWRNG_NONE)
                fetch_ahead(platform);
}

void platform_fill_pipe(Platform *platform, size_t n) {
        uint8_t *whole = arena_new(platform->n_pipe + n);

        if (platform->n_pipe > 0)
                memcpy(whole, platform->pipe, platform->n_pipe);
        memcpy(whole + platform->n_pipe,
               make(n,
                    (Made){
                            .by = MADE_LIVE,
                            .what = platform->pipe_is_file ? "a file's bytes" : "a FIFO's bytes",
                            .known = platform->pipe_is_file,
                    }),
               n);
        platform->pipe = whole;
        platform->n_pipe += n;
        for (size_t i = 0; i < PLATFORM_WORKERS_MAX; i++)
                if (platform->workers[i].used && platform->workers[i].source == SOURCE_FILE &&
                    platform->workers[i].answer_usec != UINT64_MAX &&
                    platform->n_pipe >= platform->workers[i].min_bytes)
                        platform->workers[i].answer_usec = machine_now->kernel.boottime_usec;
}

/* ---- what each source reads ---- */

static int read_hwrng(Platform *platform, uint8_t *bytes, size_t n) {
        size_t old = n < platform->n_ahead ? n : platform->n_ahead;

        if (platform->hwrng == HWRNG_NONE)
                return -ENODEV;
        memcpy(bytes, platform->ahead, old);
        platform->n_ahead -= old;
        memmove(platform->ahead, platform->ahead + old, platform->n_ahead);
        if (n > old)
                memcpy(bytes + old, make_hwrng(platform, n - old), n - old);
        fetch_ahead(platform);
        return (int)n;
}

static int read_pipe(Platform *platform, uint8_t *bytes, size_t n, size_t min_bytes) {
        if (!platform->pipe_exists)
                return -ENOENT;
        n = n < platform->n_pipe ? n : platform->n_pipe;
        if (n == 0)
                return platform->pipe_is_file ? -ENODATA : -ETIMEDOUT;
        if (n < min_bytes && !platform->pipe_is_file)
                return -EINPROGRESS;
        memcpy(bytes, platform->pipe, n);
        /* What lies in a file is there for everybody who reads it, and the next time, too. */
        if (!platform->pipe_is_file) {
                platform->pipe += n;
                platform->n_pipe -= n;
        }
        return (int)n;
}

static int read_metadata(const Platform *platform, uint8_t *bytes, size_t n) {
        const uint8_t *made = platform->metadata_bytes;

        switch (platform->metadata) {
        case METADATA_HONEST:
                memcpy(bytes, platform_make(n, "a server's bytes", true), n);
                return (int)n;
        case METADATA_REPEATS:
                n = n < platform->n_metadata_bytes ? n : platform->n_metadata_bytes;
                memcpy(bytes, made, n);
                return (int)n;
        case METADATA_NONE:
        case _METADATA_MODE_MAX:
        default:
                return -ENOENT;
        }
}

/* Those of the image come first. */
static const LyingSeed *next_seed(SimWorker *worker) {
        const Machine *machine = machine_now;
        size_t in_image = machine->image.n_seeds;

        while (worker->next_seed < in_image + machine->platform.n_seeds) {
                size_t at = worker->next_seed++;
                const LyingSeed *seed = at < in_image ? &machine->image.seeds[at]
                                                      : &machine->platform.seeds[at - in_image];

                if (seed->source == worker->source)
                        return seed;
        }
        return NULL;
}

static int read_seed(SimWorker *worker, Batch *batch) {
        const LyingSeed *seed = next_seed(worker);

        if (!seed)
                return worker->next_seed == 0 ? -ENOENT : -ENODATA;
        memcpy(batch->secret->bytes, seed->bytes, seed->n_bytes);
        batch->origin = seed->origin;
        (void)snprintf(batch->label, sizeof(batch->label), "%s", seed->label);
        return (int)seed->n_bytes;
}

/* Whose turn it is, and what they say: a length or an error. */
static int answer(SimWorker *worker, Batch *batch, size_t n_bytes) {
        Platform *platform = &machine_now->platform;
        uint8_t *bytes = batch->secret->bytes;

        switch (worker->source) {
        case SOURCE_HWRNG:
                return read_hwrng(platform, bytes, n_bytes);
        case SOURCE_FILE:
                batch->replay = platform->pipe_is_file;
                return read_pipe(platform, bytes, n_bytes, worker->min_bytes);
        case SOURCE_METADATA:
                return read_metadata(platform, bytes, n_bytes);
        case SOURCE_PLATFORM:
        case SOURCE_CONFIG_DRIVE:
                return read_seed(worker, batch);
        case SOURCE_CPU:
        case SOURCE_TPM:
        case SOURCE_EGD:
        case SOURCE_EXEC:
        case SOURCE_JITTER:
        case _SOURCE_MAX:
        default:
                return -ENODEV;
        }
}

/* ---- lib/feed/worker.h ---- */

static SimWorker *worker_of(int fd) {
        for (size_t i = 0; i < PLATFORM_WORKERS_MAX; i++)
                if (machine_now->platform.workers[i].used &&
                    machine_now->platform.workers[i].fd == fd)
                        return &machine_now->platform.workers[i];
        return NULL;
}

uint64_t platform_answer_usec(int fd) {
        const SimWorker *worker = worker_of(fd);

        return worker ? worker->answer_usec : UINT64_MAX;
}

uint64_t platform_in_flight(const Platform *platform) {
        uint64_t oldest = 0;

        for (size_t i = 0; i < PLATFORM_WORKERS_MAX; i++) {
                const SimWorker *worker = &platform->workers[i];

                if (worker->used && worker->answer_usec != UINT64_MAX &&
                    (oldest == 0 || worker->asked_at < oldest))
                        oldest = worker->asked_at;
        }
        return oldest;
}

int worker_start(Worker *worker, const WorkerSpec *spec) {
        SimWorker *workers = machine_now->platform.workers;

        for (size_t i = 0; i < PLATFORM_WORKERS_MAX; i++) {
                if (workers[i].used)
                        continue;
                workers[i] = (SimWorker){
                        .used = true,
                        .fd = files_new((Fd){ .kind = FD_WORKER }),
                        .source = spec->source,
                        .answer_usec = UINT64_MAX,
                };
                *worker = (Worker)WORKER_NULL;
                worker->pid = 1000 + (int)i;
                worker->fd = workers[i].fd;
                return 0;
        }
        return -EAGAIN;
}

const char *worker_start_error_to_string(int error) {
        return strerror(-error);
}

void worker_reaped(Worker *worker) {
        (void)worker_stop(worker);
}

pid_t worker_stop(Worker *worker) {
        SimWorker *sim = worker_of(worker->fd);
        pid_t pid = worker->pid;
        Fd *fd = files_get(worker->fd);

        if (sim)
                sim->used = false;
        if (fd)
                fd->kind = FD_FREE;
        *worker = (Worker)WORKER_NULL;
        return pid;
}

static uint64_t time_to_answer(const SimWorker *worker) {
        const Platform *platform = &machine_now->platform;

        if (worker->source == SOURCE_METADATA)
                return NETWORK_USEC;
        if (worker->source == SOURCE_HWRNG && platform->quality_per_1024 < 64)
                return POOR_USEC;
        if (worker->source == SOURCE_FILE && platform->pipe_exists && !platform->pipe_is_file &&
            platform->n_pipe < worker->min_bytes)
                return PIPE_USEC;
        return ANSWER_USEC;
}

void worker_drain(Worker *worker) {
        worker->drain = true;
}

int worker_ask(Worker *worker, uint32_t n_bytes, uint32_t min_bytes) {
        SimWorker *sim = worker_of(worker->fd);

        if (!sim)
                return -EPIPE;
        if (worker->asked_bytes > 0)
                return -EBUSY;
        worker->sequence++;
        worker->asked_bytes = n_bytes;
        worker->asked_usec = clock_boottime_usec();
        sim->min_bytes = min_bytes;
        if (worker->drain && sim->source == SOURCE_FILE && !machine_now->platform.pipe_is_file)
                machine_now->platform.n_pipe = 0;
        worker->drain = false;
        sim->asked_at = witness_now();
        sim->answer_usec = worker->asked_usec + time_to_answer(sim);
        return 0;
}

int worker_receive(Worker *worker, Batch *batch, int *ret_error) {
        SimWorker *sim = worker_of(worker->fd);
        int r;

        if (!sim)
                return WORKER_E_GONE;
        if (sim->answer_usec > clock_boottime_usec())
                return WORKER_E_AGAIN;
        batch->label[0] = '\0';
        batch->replay = false;
        batch->origin = SEED_ORIGIN_UNKNOWN;
        sim->answer_usec = UINT64_MAX;
        r = answer(sim, batch, worker->asked_bytes);
        worker->asked_bytes = 0;
        if (r < 0) {
                *ret_error = r;
                return WORKER_E_SOURCE;
        }
        batch->length = (size_t)r;
        batch->asked_usec = worker->asked_usec;
        return 0;
}

/* ---- lib/sources/source.h ---- */

static bool has_seed(SourceId id) {
        const Machine *machine = machine_now;

        for (size_t i = 0; i < machine->platform.n_seeds; i++)
                if (machine->platform.seeds[i].source == id)
                        return true;
        for (size_t i = 0; i < machine->image.n_seeds; i++)
                if (machine->image.seeds[i].source == id)
                        return true;
        return false;
}

static int look(SourceProbe *ret_probe, bool there, SourceClass class) {
        *ret_probe = (SourceProbe){
                .detail = "simulated",
                .source_class = class,
                .quality_per_1024 = CREDIT_QUALITY_UNKNOWN,
                .fresh = class != SOURCE_CLASS_STATIC_HOST,
                .origin = SEED_ORIGIN_PLATFORM,
        };
        return there ? 0 : -ENOENT;
}

static int probe_cpu(const SourceConfig *config, const RootDir *root, SourceProbe *ret_probe) {
        return look(ret_probe, machine_now->platform.cpu, SOURCE_CLASS_CPU);
}

static int probe_metadata(const SourceConfig *config, const RootDir *root, SourceProbe *ret_probe) {
        return look(
                ret_probe,
                machine_now->platform.metadata != METADATA_NONE,
                SOURCE_CLASS_LIVE_NETWORK);
}

static int probe_platform(const SourceConfig *config, const RootDir *root, SourceProbe *ret_probe) {
        return look(ret_probe, has_seed(SOURCE_PLATFORM), SOURCE_CLASS_STATIC_HOST);
}

static int probe_config_drive(
        const SourceConfig *config,
        const RootDir *root,
        SourceProbe *ret_probe) {
        return look(ret_probe, has_seed(SOURCE_CONFIG_DRIVE), SOURCE_CLASS_STATIC_HOST);
}

static int probe_nothing(const SourceConfig *config, const RootDir *root, SourceProbe *ret_probe) {
        return look(ret_probe, false, SOURCE_CLASS_LOCAL_SOFTWARE);
}

static int read_cpu(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        memcpy(buffer, platform_make(size, "the CPU's bytes", false), size);
        *ret_length = size;
        return 0;
}

const SourceOps *source_ops(SourceId id) {
        static SourceOps list[_SOURCE_MAX] = {
                [SOURCE_CPU] = { .name = "cpu", .probe = probe_cpu, .read = read_cpu },
                [SOURCE_TPM] = { .name = "tpm", .blocking = true, .probe = probe_nothing },
                [SOURCE_EGD] = { .name = "egd", .blocking = true, .probe = probe_nothing },
                [SOURCE_METADATA] = { .name = "metadata", .blocking = true, .probe = probe_metadata },
                [SOURCE_EXEC] = { .name = "exec", .blocking = true, .probe = probe_nothing },
                [SOURCE_JITTER] = {
                        .name = "jitter",
                        .blocking = true,
                        .last_resort = true,
                        .probe = probe_nothing,
                },
                [SOURCE_PLATFORM] = {
                        .name = "platform",
                        .blocking = true,
                        .seeds = true,
                        .probe = probe_platform,
                },
                [SOURCE_CONFIG_DRIVE] = {
                        .name = "config-drive",
                        .blocking = true,
                        .seeds = true,
                        .probe = probe_config_drive,
                },
        };

        switch (id) {
        case SOURCE_HWRNG:
                return &source_hwrng;
        case SOURCE_FILE:
                return &source_file;
        case SOURCE_CPU:
        case SOURCE_TPM:
        case SOURCE_EGD:
        case SOURCE_METADATA:
        case SOURCE_EXEC:
        case SOURCE_JITTER:
        case SOURCE_PLATFORM:
        case SOURCE_CONFIG_DRIVE:
        case _SOURCE_MAX:
        default:
                return &list[id];
        }
}

const char *source_name(SourceId id) {
        return source_ops(id)->name;
}

const char *source_error_to_string(SourceId id, int error) {
        return strerror(-error);
}

/* What the CPU of the machine that runs this test says is of no interest. */
bool confidential_cpu(const RootDir *root) {
        return false;
}

VirtualCpu virtual_cpu(void) {
        return machine_now->platform.bare_metal ? VIRTUAL_CPU_NO : VIRTUAL_CPU_YES;
}
