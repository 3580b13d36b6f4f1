/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/intake/feeder.h"
#include "lib/intake/worker.h"
#include "lib/kernel/clock.h"
#include "lib/kernel/confidential.h"
#include "lib/kernel/hotplug.h"
#include "lib/sources/seed.h"
#include "seeder/run.h"
#include "seeder/saved.h"
#include "seeder/static-credit.h"

#define INITRAMFS_LEDGER "run/guest-entropy/seeder-initramfs.json"

typedef enum ChannelState {
        CHANNEL_ABSENT, /* may still come */
        CHANNEL_ASKED,
        CHANNEL_DONE,
} ChannelState;

typedef struct Channel {
        SourceId id;
        ChannelState state;
        Worker worker;
        SourceLook look;
        Health health;
        uint32_t rounds;
} Channel;

typedef struct Run {
        const RunSettings *settings;
        Account *account;
        RootDir root;
        KernelRandom random;
        uint32_t pool_bits;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
        Ledger ledger;
        Feeder feeder;
        Batch batch;
        Hotplug *hotplug;
        bool confidential;
        bool last_resort; /* the last sources were asked, too */
        uint32_t credited_bits;
        SeedFile state;
        StaticCredit static_credit;
        Channel channels[_SOURCE_MAX];
} Run;

static void note_ready(Run *run) {
        if (run->account->ready || !random_is_ready(&run->random))
                return;
        run->account->ready = true;
        run->account->ready_usec = clock_boottime_usec();
}

static void add_line(Run *run, const Channel *channel, AccountLine line) {
        bool labelled = run->batch.label[0] && source_ops(channel->id)->seeds;

        (void)snprintf(
                line.name,
                sizeof(line.name),
                "%s%s%s",
                source_name(channel->id),
                labelled ? " " : "",
                labelled ? run->batch.label : "");
        account_add(run->account, &line);
}

static void add_note(Run *run, const Channel *channel, const char *note) {
        AccountLine line = {};

        (void)snprintf(line.note, sizeof(line.note), "%s", note);
        add_line(run, channel, line);
}

/* ---- a batch ---- */

static CreditInput credit_input(Run *run, const Channel *channel) {
        const RunSource *source = &run->settings->sources[channel->id];

        return (CreditInput){
                .source_class = channel->look.source_class,
                .length_bytes = run->batch.length,
                .fresh = channel->look.fresh,
                .in_initramfs = run->settings->phase == PLAN_INITRAMFS,
                .confidential_guest = run->confidential,
                .enabled_by_admin = source->enabled_by_admin,
                .always = source->always,
                .quality_per_1024 = channel->look.quality_per_1024,
                .override_per_1024 = source->credit_override_per_1024,
        };
}

/*
 * A seed's use is recorded before it is credited, and only if it would be credited: a seed that
 * is mixed in today may be credited when the doubt is gone.
 */
static void judge_seed(Run *run, CreditInput *credit, const char **ret_note) {
        const Secret *secret = run->batch.secret;
        CreditInput best = *credit;

        credit->quality_per_1024 = seed_quality_per_1024(secret->bytes, run->batch.length);
        best = *credit;
        best.first_use = true;
        if (credit_per_1024(&best) == 0)
                return;
        credit->first_use = static_credit_first_use(
                &run->static_credit,
                secret->bytes,
                run->batch.length,
                run->settings->dry_run,
                ret_note);
        if (credit->always && !credit->first_use)
                static_credit_leave(
                        &run->static_credit,
                        secret->bytes,
                        run->batch.length,
                        run->account);
}

static const char *why_no_credit(const CreditInput *credit) {
        if (credit->confidential_guest)
                return "not credited in a confidential guest";
        if (credit->override_per_1024 == 0)
                return "credit set to 0";
        if (credit->source_class == SOURCE_CLASS_STATIC_HOST && credit->in_initramfs)
                return "first use is not known in the initramfs";
        if (credit->source_class == SOURCE_CLASS_LIVE_NETWORK && !credit->enabled_by_admin)
                return "not enabled by the administrator";
        return "";
}

static void dry_feed(Run *run, Channel *channel, CreditInput *credit, const char *note) {
        AccountLine line = { .n_bytes = run->batch.length };
        HealthVerdict verdict =
                health_test(&channel->health, run->batch.secret->bytes, run->batch.length);

        credit->healthy = verdict == HEALTH_PASS;
        line.credited_bits = credit_bits(credit);
        (void)snprintf(
                line.note,
                sizeof(line.note),
                "%s",
                note                      ? note
                : line.credited_bits == 0 ? why_no_credit(credit)
                                          : "");
        add_line(run, channel, line);
        secret_wipe(run->batch.secret);
}

static void feed(Run *run, Channel *channel, bool reseed) {
        CreditInput credit = credit_input(run, channel);
        const char *note = NULL;
        FeedReport report = {};
        AccountLine line = {};
        int r;

        if (source_ops(channel->id)->seeds) {
                judge_seed(run, &credit, &note);
                /* Each seed by itself: what another one was like says nothing of it. */
                health_init(&channel->health, credit_per_1024(&credit));
        }
        if (run->settings->dry_run) {
                dry_feed(run, channel, &credit, note);
                return;
        }

        r = feeder_feed(&run->feeder, &channel->health, &run->batch, credit, reseed, &report);
        if (r == FEED_E_UNHEALTHY || r == FEED_E_BROKEN) {
                add_note(run, channel, run->ledger.entries[channel->id].last_error);
                return;
        }
        if (r < 0) {
                add_note(run, channel, strerror(-r));
                return;
        }

        line.n_bytes = report.n_bytes;
        line.credited_bits = report.credited_bits;
        line.at_usec = clock_boottime_usec();
        if (!note && report.credited_bits == 0)
                note = why_no_credit(&credit);
        (void)snprintf(line.note, sizeof(line.note), "%s", note ? note : "");
        add_line(run, channel, line);
        run->credited_bits += report.credited_bits;
        note_ready(run);
}

/* ---- a channel ---- */

static void channel_end(Channel *channel) {
        (void)worker_stop(&channel->worker);
        channel->state = CHANNEL_DONE;
}

/* Live sources: what the refill policy says. Seeds: all of them, one after the other. */
static bool next_request(Run *run, Channel *channel, uint32_t *ret_bytes) {
        const CreditInput credit = credit_input(run, channel);
        RefillState state = {
                .model = run->account->model,
                .ready = run->account->ready,
                .pool_bits = run->pool_bits,
                .wants = REFILL_WANT_START,
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

        /* Each source is asked once, also when the kernel is ready: one more is one that the host
         * of the others does not know. */
        *ret_bytes = plan.action == REFILL_ASK ? (uint32_t)plan.length_bytes : REFILL_BATCH_BYTES;
        return true;
}

static int start_worker(Run *run, Channel *channel) {
        const RunSource *source = &run->settings->sources[channel->id];
        const WorkerSpec spec = {
                .source = channel->id,
                .config = source->config,
                .uid = source->uid,
                .gid = source->gid,
        };

        return channel->worker.pid > 0 ? 0 : worker_start(&channel->worker, &spec);
}

static void read_now(Run *run, Channel *channel, uint32_t n_bytes) {
        Source source = { .ops = source_ops(channel->id), .fd = -1 };
        size_t length;
        int r;

        source.config = run->settings->sources[channel->id].config;
        run->batch.asked_usec = clock_boottime_usec();
        r = source.ops->read(&source, run->batch.secret->bytes, n_bytes, &length);
        if (r < 0) {
                add_note(run, channel, strerror(-r));
                channel->state = CHANNEL_DONE;
                return;
        }
        run->batch.length = length;
        run->batch.label[0] = '\0';
        run->batch.source = channel->id;
        run->batch.arrived_usec = clock_boottime_usec();
        feed(run, channel, true);
}

static void ask(Run *run, Channel *channel) {
        uint32_t n_bytes;
        int r;

        for (; next_request(run, channel, &n_bytes); channel->rounds++) {
                if (!source_ops(channel->id)->blocking) {
                        read_now(run, channel, n_bytes);
                        if (channel->state == CHANNEL_DONE)
                                return;
                        continue;
                }

                r = start_worker(run, channel);
                if (r >= 0)
                        r = worker_ask(&channel->worker, n_bytes, 0);
                if (r < 0) {
                        add_note(run, channel, strerror(-r));
                        break;
                }
                channel->state = CHANNEL_ASKED;
                return;
        }
        channel_end(channel);
}

static bool is_end(int error) {
        return error == -ENODATA || error == -ENODEV || error == -ENOENT || error == -ENXIO;
}

static void on_answer(Run *run, Channel *channel) {
        int error = 0, r;

        run->batch.label[0] = '\0';
        r = worker_receive(&channel->worker, &run->batch, &error);
        if (r == WORKER_E_AGAIN)
                return;
        if (r == 0) {
                run->batch.source = channel->id;
                run->batch.arrived_usec = clock_boottime_usec();
                feed(run, channel, true);
                channel->rounds++;
                ask(run, channel);
                return;
        }
        if (r == WORKER_E_SOURCE && !is_end(error)) {
                add_note(run, channel, strerror(-error));
                /* One bad seed among several: the next one may be good. */
                if (source_ops(channel->id)->seeds && channel->rounds++ < ACCOUNT_LINES_MAX) {
                        ask(run, channel);
                        return;
                }
        } else if (r != WORKER_E_SOURCE)
                add_note(run, channel, "its worker failed");
        channel_end(channel);
}

/* ---- the run ---- */

static void start_health(Run *run, Channel *channel) {
        const CreditInput credit = credit_input(run, channel);

        health_init(&channel->health, credit_per_1024(&credit));
}

static bool is_turn(const Run *run, SourceId id) {
        PlanClass class = plan_class(id);

        if (!run->settings->sources[id].enabled || class == PLAN_NEVER)
                return false;
        return class != PLAN_LAST || run->last_resort;
}

static void look_and_ask(Run *run) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                Channel *channel = &run->channels[id];

                if (channel->state != CHANNEL_ABSENT || !is_turn(run, id))
                        continue;
                if (source_ops(id)->look(
                            &run->settings->sources[id].config,
                            &run->root,
                            &channel->look) < 0)
                        continue;
                start_health(run, channel);
                ask(run, channel);
        }
}

/* A quick source owes an answer, or any source while the kernel still waits for one. */
static bool must_wait(const Run *run) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                if (run->channels[id].state != CHANNEL_ASKED)
                        continue;
                if (!run->account->ready || plan_class(id) == PLAN_QUICK)
                        return true;
        }
        return false;
}

/* Whether the run is over; asks the last sources before it says no. */
static bool is_over(Run *run) {
        if (must_wait(run))
                return false;
        if (run->settings->dry_run) {
                run->account->ended_why = "dry run";
                return true;
        }
        if (run->account->ready) {
                run->account->ended_why = "ready, quick sources are in";
                return true;
        }
        if (!run->last_resort) {
                run->last_resort = true;
                look_and_ask(run);
                return false;
        }
        return false;
}

static void turn(Run *run, uint64_t timeout_usec) {
        struct pollfd entries[_SOURCE_MAX + 2];
        SourceId owners[_SOURCE_MAX + 2];
        nfds_t n = 0, n_workers;

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].state == CHANNEL_ASKED) {
                        owners[n] = id;
                        entries[n++] = (struct pollfd){ run->channels[id].worker.fd, POLLIN, 0 };
                }
        n_workers = n;
        /* A level that stays: watched only until it is there. */
        if (!run->account->ready)
                entries[n++] = (struct pollfd){ run->random.fd, POLLIN, 0 };
        if (run->hotplug)
                entries[n++] = (struct pollfd){ hotplug_fd(run->hotplug), POLLIN, 0 };

        if (poll(entries, n, (int)(timeout_usec / USEC_PER_MSEC + 1)) <= 0)
                return;
        note_ready(run);
        for (nfds_t i = 0; i < n_workers; i++)
                if (entries[i].revents)
                        on_answer(run, &run->channels[owners[i]]);
        if (run->hotplug && entries[n - 1].revents) {
                HotplugChange change;

                if (hotplug_receive(run->hotplug, &change) >= 0 && change.any)
                        look_and_ask(run);
        }
}

static void loop(Run *run) {
        look_and_ask(run);
        while (!is_over(run)) {
                uint64_t now_usec = clock_boottime_usec();

                if (now_usec >= run->deadline_usec) {
                        run->account->ended_why = "deadline";
                        break;
                }
                turn(run, run->deadline_usec - now_usec);
        }
}

static void note_unanswered(Run *run) {
        run->batch.label[0] = '\0';
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (run->channels[id].state == CHANNEL_ASKED)
                        add_note(run, &run->channels[id], "no answer by the end");
}

static int open_kernel(Run *run) {
        uint32_t level_bits = 0, mask = 0;
        int r;

        r = rootdir_open("/", &run->root);
        if (r < 0)
                return r;
        r = random_open(&run->root, &run->random);
        if (r < 0)
                return r;
        if (!run->settings->dry_run) {
                r = random_check_permission(&run->random);
                if (r < 0)
                        return r;
        }
        if (random_pool_bits(&run->root, &run->pool_bits) < 0)
                run->pool_bits = 0;
        (void)random_level_bits(&run->random, &level_bits);
        (void)random_poll(&run->random, &mask);
        run->account->model = refill_guess_model(run->pool_bits, level_bits, mask);
        run->account->ready = random_is_ready(&run->random);
        return batch_init(&run->batch);
}

static void open_state(Run *run) {
        const char *why_not = "first use is not known in the initramfs";
        int r = -ENOENT;

        if (run->settings->state_folder) {
                r = seed_file_open(run->settings->state_folder, &run->state);
                why_not = "its use cannot be recorded";
        }
        if (r != 0 && run->settings->state_folder)
                log_warning(
                        "Cannot use %s: %s; static seeds are not credited",
                        run->settings->state_folder,
                        r > 0 ? "another entropy-seeder runs" : strerror(-r));
        static_credit_init(&run->static_credit, run->state.folder_fd, why_not);
        if (run->settings->phase == PLAN_REAL_ROOT)
                static_credit_load_initramfs(&run->static_credit, &run->root, INITRAMFS_LEDGER);
}

static void deinit(Run *run) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                pid_t pid = worker_stop(&run->channels[id].worker);

                /* Killed; one in the depths of a driver is left to init. */
                if (pid > 0)
                        (void)waitpid(pid, NULL, WNOHANG);
        }
        run->hotplug = hotplug_free(run->hotplug);
        static_credit_deinit(&run->static_credit);
        seed_file_close(&run->state);
        batch_deinit(&run->batch);
        random_close(&run->random);
        rootdir_close(&run->root);
}

static void init(Run *run, const RunSettings *settings, Account *account) {
        *run = (Run){
                .settings = settings,
                .account = account,
                .root = ROOTDIR_NULL,
                .random = KERNEL_RANDOM_NULL,
                .state = SEED_FILE_NULL,
        };
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                run->channels[id] = (Channel){ .id = id, .worker = WORKER_NULL };
        *account = (Account){
                .phase = settings->phase,
                .dry_run = settings->dry_run,
                .started_usec = clock_boottime_usec(),
                .ended_why = "failed",
        };
        run->deadline_usec = account->started_usec + settings->deadline_usec;
        run->feeder = (Feeder){ .random = &run->random, .ledger = &run->ledger };
}

static int run_once(Run *run) {
        const RunSettings *settings = run->settings;
        Account *account = run->account;
        int r;

        r = open_kernel(run);
        if (r < 0)
                return r;
        run->confidential = confidential_guest(&run->root);
        if (hotplug_new(&run->root, &run->hotplug) < 0)
                log_debug("Devices that come later go unnoticed");
        open_state(run);

        if (settings->use_seed_file && run->state.folder_fd >= 0)
                saved_load(&run->state, &run->root, &run->feeder, &run->batch, account);
        note_ready(run);
        loop(run);
        note_unanswered(run);
        note_ready(run);
        if (settings->use_seed_file && run->state.folder_fd >= 0 && !settings->dry_run)
                (void)saved_save(&run->state, &run->root, account);
        account->ended_usec = clock_boottime_usec();
        return 0;
}

int run_all(const RunSettings *settings, Account *account) {
        _cleanup_free_ Run *run = NULL;
        int r;

        run = calloc(1, sizeof(*run)); /* the health of each source is too much for a stack frame */
        if (!run)
                return -ENOMEM;
        init(run, settings, account);
        r = run_once(run);
        deinit(run);
        return r;
}
