/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of a run share: run.c waits, channel.c asks, feed.c judges and feeds. */

#include "lib/feed/feeder.h"
#include "lib/feed/reader.h"
#include "lib/feed/worker.h"
#include "lib/kernel/uevent.h"
#include "seeder/run/run.h"
#include "seeder/run/static-credit.h"
#include "seeder/state/seed-file.h"

typedef enum ChannelState {
        CHANNEL_ABSENT, /* may still come */
        CHANNEL_ASKED,
        CHANNEL_DONE,
} ChannelState;

typedef struct Channel {
        SourceId id;
        ChannelState state;
        Reader reader;
        bool look_again;  /* something came while it was asked */
        uint32_t rounds;  /* since it was found */
        uint32_t n_found; /* batches and seeds, the bad ones included */
} Channel;

typedef struct Run {
        const RunSettings *settings;
        RunReport *run_report;
        unsigned report_number;
        RootDir root;
        KernelRandom random;
        uint32_t pool_bits;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME, as the next */
        uint64_t last_resort_usec;
        Counters counters;
        Feeder feeder;
        Batch batch;
        int uevent_fd;
        uint64_t hotplug_from_usec; /* not looked at before */
        int signal_fd;
        bool told_to_end;
        bool confidential;
        bool last_resort; /* the last sources were asked, too */
        uint32_t credited_bits;
        SeedFile state;
        StaticCredit static_credit;
        WorkerNews worker_news;
        RunReportSeeds known_to_others; /* by the image or the kernel's command line */
        bool others_unknown;            /* there are more than the list holds */
        Channel channels[_SOURCE_MAX];
} Run;

/* feed.c */
void run_note_ready(Run *run);
void run_add_note(Run *run, const Channel *channel, const char *note);
void run_feed(Run *run, Channel *channel); /* what is in run->batch */

/* channel.c */
void run_ask(Run *run, Channel *channel);
void run_on_answer(Run *run, Channel *channel);
