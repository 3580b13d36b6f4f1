/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "seeder/run/run-state.h"

/* Two seeds may be bad for each good one, then it is a bad source. */
#define BAD_SEEDS_MAX RUN_REPORT_LINES_MAX

static void stop_worker(Channel *channel) {
        pid_t pid = worker_stop(&channel->worker);

        if (pid > 0)
                (void)waitpid(pid, NULL, WNOHANG);
}

static void end(Channel *channel) {
        stop_worker(channel);
        channel->state = CHANNEL_DONE;
}

/* What may have waited since before a copy of this machine was made. */
static uint32_t stale_bytes_of(const Run *run, const Channel *channel) {
        if (channel->probe.stale_bytes == SOURCE_STALE_ALWAYS &&
            run->settings->sources[channel->id].trust == CREDIT_TRUST_ALWAYS)
                return 0;
        return channel->probe.stale_bytes;
}

/* Live sources: what the refill policy says. Seeds: all of them, one after the other. */
static bool next_request(Run *run, Channel *channel, uint32_t *ret_bytes) {
        const CreditInput credit = run_credit_input(run, channel);
        RefillState state = {
                .model = run->run_report->model,
                .ready = run->run_report->ready,
                .pool_bits = run->pool_bits,
                .triggers = TRIGGER_BIT(TRIGGER_START),
                .rounds_done = channel->rounds,
                .credited_bits = run->credited_bits,
                .source_per_1024 = credit_per_1024(&credit),
        };
        RefillPlan plan;

        if (source_ops(channel->id)->seeds) {
                *ret_bytes = SOURCE_READ_MAX_BYTES;
                return true;
        }
        if (channel->rounds > 0 && run->settings->dry_run)
                return false;

        (void)random_level_bits(&run->random, &state.level_bits);
        plan = refill_plan(&state);
        if (plan.action != REFILL_ASK && channel->rounds > 0)
                return false;
        if (plan.pause_usec > 0) {
                /* Milliseconds, on kernels that move credit between their pools meanwhile. */
                const struct timespec pause = { .tv_nsec = (long)(plan.pause_usec * 1000) };

                (void)nanosleep(&pause, NULL);
        }

        /* Each source is asked once, also when the kernel is ready: one more is one that the host
         * of the others does not know. */
        *ret_bytes = plan.action == REFILL_ASK ? (uint32_t)plan.length_bytes : REFILL_BATCH_BYTES;
        if (run->run_report->ready && channel->rounds == 0)
                channel->stale_bytes = stale_bytes_of(run, channel);
        if (channel->stale_bytes < SOURCE_READ_MAX_BYTES)
                *ret_bytes += channel->stale_bytes;
        return true;
}

static int start_worker(Run *run, Channel *channel) {
        const RunSource *source = &run->settings->sources[channel->id];
        const WorkerSpec spec = {
                .source = channel->id,
                .config = source->config,
                .uid = source->uid,
                .gid = source->gid,
                .news = &run->worker_news,
        };

        return channel->worker.pid > 0 ? 0 : worker_start(&channel->worker, &spec);
}

static bool read_now(Run *run, Channel *channel, uint32_t n_bytes) {
        Source source = { .ops = source_ops(channel->id), .fd = -1 };
        size_t length;
        int r;

        source.config = run->settings->sources[channel->id].config;
        run->batch.asked_usec = clock_boottime_usec();
        r = source.ops->read(&source, run->batch.secret->bytes, n_bytes, &length);
        run->batch.label[0] = '\0';
        if (r < 0) {
                run_add_note(run, channel, strerror(-r));
                return false;
        }
        run->batch.length = length;
        run->batch.stale_bytes = 0;
        run->batch.replay = false;
        run->batch.source = channel->id;
        run->batch.arrived_usec = clock_boottime_usec();
        run_feed(run, channel);
        return true;
}

void run_ask(Run *run, Channel *channel) {
        uint32_t n_bytes;
        int r;

        for (; next_request(run, channel, &n_bytes); channel->rounds++) {
                if (!source_ops(channel->id)->blocking) {
                        if (!read_now(run, channel, n_bytes))
                                break;
                        continue;
                }

                run->batch.label[0] = '\0';
                r = start_worker(run, channel);
                if (r < 0) {
                        run_add_note(run, channel, worker_start_error_to_string(r));
                        break;
                }
                r = worker_ask(&channel->worker, n_bytes, 0);
                if (r < 0) {
                        run_add_note(run, channel, strerror(-r));
                        break;
                }
                channel->state = CHANNEL_ASKED;
                return;
        }
        end(channel);
}

static bool is_end(int error) {
        return error == -ENODATA || error == -ENODEV || error == -ENOENT || error == -ENXIO;
}

static void on_error(Run *run, Channel *channel, int error) {
        if (is_end(error)) {
                end(channel);
                /* Looked at and nothing found: another disk may still come, or the device again. */
                if (channel->n_found == 0)
                        channel->state = CHANNEL_ABSENT;
                return;
        }

        run_add_note(run, channel, source_error_to_string(channel->id, error));
        channel->n_found++;
        /* One bad seed among several: the next one may be good. */
        if (source_ops(channel->id)->seeds && channel->rounds++ < BAD_SEEDS_MAX)
                run_ask(run, channel);
        else
                end(channel);
}

void run_on_answer(Run *run, Channel *channel) {
        int error = 0, r;

        run->batch.label[0] = '\0';
        r = worker_receive(&channel->worker, &run->batch, &error);
        switch (r) {
        case 0:
                run->batch.source = channel->id;
                run->batch.arrived_usec = clock_boottime_usec();
                run->batch.stale_bytes = MIN(channel->stale_bytes, run->batch.length);
                if (channel->stale_bytes != SOURCE_STALE_ALWAYS)
                        channel->stale_bytes -= (uint32_t)run->batch.stale_bytes;
                channel->n_found++;
                channel->rounds++;
                run_feed(run, channel);
                run_ask(run, channel);
                return;
        case WORKER_E_AGAIN:
                return;
        case WORKER_E_SOURCE:
                on_error(run, channel, error);
                return;
        default:
                run_add_note(run, channel, "its worker failed");
                end(channel);
                return;
        }
}
