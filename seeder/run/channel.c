/* SPDX-License-Identifier: MIT */
#include <sys/wait.h>
#include <time.h>

#include "lib/kernel/clock.h"
#include "seeder/run/run-state.h"

/* Two seeds may be bad for each good one, then it is a bad source. */
#define BAD_SEEDS_MAX RUN_REPORT_LINES_MAX

static void end(Channel *channel) {
        pid_t pid = reader_stop(&channel->reader);

        if (pid > 0)
                (void)waitpid(pid, NULL, WNOHANG);
        channel->state = CHANNEL_DONE;
}

/* Live sources: what the refill policy says. Seeds: all of them, one after the other. */
static bool next_request(Run *run, Channel *channel, uint32_t *ret_bytes) {
        const CreditInput credit = reader_credit_input(&channel->reader);
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
                reader_expect_stale(&channel->reader);
        return true;
}

/* Looked at and nothing found: another disk may still come, or the device again. */
static void end_of_it(Channel *channel) {
        end(channel);
        if (channel->n_found == 0)
                channel->state = CHANNEL_ABSENT;
}

static bool is_end(int error) {
        return error == -ENODATA || error == -ENODEV || error == -ENOENT || error == -ENXIO;
}

/* One bad seed among several, or another device than was asked: the next answer may be good. */
static bool may_go_on(const Channel *channel) {
        return source_ops(channel->id)->seeds || channel->reader.error == -ESTALE;
}

/* True: ask it again. */
static bool on_failure(Run *run, Channel *channel) {
        const int error = channel->reader.error;

        if (is_end(error)) {
                end_of_it(channel);
                return false;
        }
        run_add_note(
                run,
                channel,
                error == 0 ? channel->reader.failure : source_error_to_string(channel->id, error));
        channel->n_found++;
        if (may_go_on(channel) && channel->rounds++ < BAD_SEEDS_MAX)
                return true;
        end(channel);
        return false;
}

/* True: ask it again. */
static bool on_answer(Run *run, Channel *channel, int r) {
        switch (r) {
        case 0:
                channel->n_found++;
                channel->rounds++;
                run_feed(run, channel);
                return true;
        case READER_E_ASKED:
                channel->state = CHANNEL_ASKED;
                return false;
        case READER_E_AGAIN:
                end_of_it(channel);
                return false;
        default:
                return on_failure(run, channel);
        }
}

void run_ask(Run *run, Channel *channel) {
        uint32_t n_bytes;

        while (next_request(run, channel, &n_bytes)) {
                run->batch.label[0] = '\0';
                if (!on_answer(
                            run,
                            channel,
                            reader_ask(
                                    &channel->reader,
                                    n_bytes,
                                    &run->batch,
                                    clock_boottime_usec())))
                        return;
        }
        end(channel);
}

void run_on_answer(Run *run, Channel *channel) {
        run->batch.label[0] = '\0';
        if (on_answer(
                    run,
                    channel,
                    reader_receive(&channel->reader, &run->batch, clock_boottime_usec())))
                run_ask(run, channel);
}
