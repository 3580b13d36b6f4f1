/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "rngd/need.h"

/* Those that answer later are asked first, so that they work while the others are read. */
static const SourceId order[] = {
        SOURCE_METADATA, SOURCE_HWRNG, SOURCE_TPM, SOURCE_EGD,
        SOURCE_FILE,     SOURCE_EXEC,  SOURCE_CPU, SOURCE_JITTER,
};
static_assert(ELEMENTSOF(order) == _SOURCE_LIVE_MAX, "every source has its turn");

/* A trigger is the refill policy's want of the same place. */
static_assert(
        TRIGGER_BIT(TRIGGER_START) == REFILL_WANT_START &&
                TRIGGER_BIT(TRIGGER_LEVEL) == REFILL_WANT_LEVEL &&
                TRIGGER_BIT(TRIGGER_FORK) == REFILL_WANT_FORK &&
                TRIGGER_BIT(TRIGGER_PLUG) == REFILL_WANT_PLUG &&
                TRIGGER_BIT(TRIGGER_RESUME) == REFILL_WANT_RESUME &&
                TRIGGER_BIT(TRIGGER_CLOCK) == REFILL_WANT_CLOCK &&
                TRIGGER_BIT(TRIGGER_TIMER) == REFILL_WANT_TIMER &&
                TRIGGER_BIT(TRIGGER_SIGNAL) == REFILL_WANT_SIGNAL &&
                TRIGGER_BIT(TRIGGER_GAP) == REFILL_WANT_GAP,
        "Trigger and RefillWant go together");

const char *trigger_to_string(Trigger trigger) {
        static const char *const names[_TRIGGER_MAX] = {
                [TRIGGER_START] = "start", [TRIGGER_LEVEL] = "level",   [TRIGGER_FORK] = "fork",
                [TRIGGER_PLUG] = "plug",   [TRIGGER_RESUME] = "resume", [TRIGGER_CLOCK] = "clock",
                [TRIGGER_TIMER] = "timer", [TRIGGER_SIGNAL] = "signal", [TRIGGER_GAP] = "gap",
        };

        return (unsigned)trigger < ELEMENTSOF(names) ? names[trigger] : "unknown";
}

static void start_tries(Need *need) {
        need->got_credit = false;
        need->retry_usec = 0;
        memset(need->rounds, 0, sizeof(need->rounds));
        memset(need->pause_usec, 0, sizeof(need->pause_usec));
}

bool trigger_is_copy(Trigger trigger) {
        switch (trigger) {
        case TRIGGER_FORK:
        case TRIGGER_GAP:
        case TRIGGER_RESUME: /* a hibernated machine can be woken twice */
        case TRIGGER_CLOCK:
                return true;
        case TRIGGER_START:
        case TRIGGER_LEVEL:
        case TRIGGER_PLUG:
        case TRIGGER_TIMER:
        case TRIGGER_SIGNAL:
        case _TRIGGER_MAX:
        default:
                return false;
        }
}

bool need_add(Need *need, Trigger trigger, uint64_t now_usec) {
        bool begins = !need->active || trigger_is_copy(trigger);

        if (begins) {
                need->active = true;
                need->got_bits = 0;
                need->reseeded = false;
                start_tries(need);
        }
        if (trigger_is_copy(trigger))
                need->copied_usec = now_usec;
        need->triggers |= TRIGGER_BIT(trigger);
        return begins;
}

bool need_is_older_than_copy(const Need *need, uint64_t asked_usec) {
        return asked_usec < need->copied_usec;
}

void need_count(Need *need, SourceId source, uint32_t credited_bits, bool reseeded) {
        need->rounds[source]++;
        need->pause_usec[source] = 0;
        need->got_bits += MIN(credited_bits, UINT32_MAX - need->got_bits);
        need->got_credit |= credited_bits > 0;
        need->reseeded |= reseeded;
}

static NeedAction end(Need *need, NeedStep step) {
        need->active = false;
        need->triggers = 0;
        need->retry_usec = 0;
        if (step == NEED_MET)
                backoff_reset(&need->backoff);
        return (NeedAction){ .step = step };
}

static bool may_be_asked(const NeedFacts *facts, SourceId id) {
        return facts->sources[id].state == NEED_SOURCE_IDLE ||
               (facts->sources[id].state == NEED_SOURCE_WAITING &&
                facts->now_usec >= facts->sources[id].retry_usec);
}

static RefillPlan plan_for(const Need *need, const NeedFacts *facts, SourceId id) {
        const RefillState state = {
                .model = facts->model,
                .ready = facts->ready,
                .pool_bits = facts->pool_bits,
                .level_bits = facts->level_bits,
                .wants = need->triggers,
                .rounds_done = need->rounds[id],
                .credited_bits = need->got_bits,
                .source_per_1024 = facts->sources[id].per_1024,
                .batch_max_bytes = facts->batch_max_bytes,
        };

        return refill_plan(&state);
}

/* The pause that the plan wants begins when it is first seen, and is over once it was waited for. */
static bool must_pause(Need *need, const NeedFacts *facts, SourceId id, uint64_t plan_usec) {
        if (plan_usec == 0)
                return false;
        if (need->pause_usec[id] == 0)
                need->pause_usec[id] = facts->now_usec + plan_usec;
        return facts->now_usec < need->pause_usec[id];
}

/* Whether nothing is missing any more. Any source will do to ask the policy. */
static bool is_met(const Need *need, const NeedFacts *facts) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state != NEED_SOURCE_NONE &&
                    plan_for(need, facts, (SourceId)i).action == REFILL_DONE)
                        return true;
        return false;
}

/* One source's turn: true if *action is the answer. */
static bool consider(Need *need, const NeedFacts *facts, SourceId id, NeedAction *action) {
        RefillPlan plan;

        if (!may_be_asked(facts, id))
                return false;
        plan = plan_for(need, facts, id);
        if (plan.action != REFILL_ASK || must_pause(need, facts, id, plan.pause_usec))
                return false;
        *action = (NeedAction){
                .step = NEED_ASK,
                .source = id,
                .length_bytes = plan.length_bytes,
                .reseed = plan.reseed,
        };
        return true;
}

static bool any_in_state(const NeedFacts *facts, NeedSourceState state) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state == state)
                        return true;
        return false;
}

/*
 * Those that cost the guest its own time are left out until every other source has answered, failed
 * or is not there, and nothing that came could be credited.
 */
static bool ask_one(Need *need, const NeedFacts *facts, bool last_resort, NeedAction *action) {
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (facts->sources[order[i]].last_resort == last_resort &&
                    consider(need, facts, order[i], action))
                        return true;
        return false;
}

/* When the first of those that failed, or that pause, may be asked. */
static uint64_t earliest_usec(const Need *need, const NeedFacts *facts) {
        uint64_t earliest = UINT64_MAX;

        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++) {
                if (facts->sources[i].state == NEED_SOURCE_WAITING &&
                    facts->sources[i].retry_usec > facts->now_usec)
                        earliest = MIN(earliest, facts->sources[i].retry_usec);
                if (facts->sources[i].state == NEED_SOURCE_IDLE &&
                    need->pause_usec[i] > facts->now_usec)
                        earliest = MIN(earliest, need->pause_usec[i]);
        }
        return earliest;
}

/* Whether the kernel still waits for bits: what could not be credited is then tried again. */
static bool kernel_waits(const Need *need, const NeedFacts *facts) {
        return !facts->ready ||
               ((need->triggers & TRIGGER_BIT(TRIGGER_LEVEL)) != 0 && facts->kernel_asks);
}

static bool is_pausing(const Need *need, const NeedFacts *facts) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state == NEED_SOURCE_IDLE &&
                    need->pause_usec[i] > facts->now_usec)
                        return true;
        return false;
}

/* A source may become worth something without any event (a hand in rng_quality, a server that is back):
 * a kernel that is not ready must not wait minutes for that to be noticed. */
static uint64_t next_delay_usec(Need *need, const NeedFacts *facts) {
        uint64_t delay_usec = backoff_next_usec(&need->backoff);

        return facts->ready ? delay_usec : MIN(delay_usec, NEED_UNREADY_RETRY_USEC);
}

/* Nobody owes an answer, nobody can be asked, and the need is not met. */
static NeedAction settle(Need *need, const NeedFacts *facts) {
        NeedAction action = { .step = NEED_WAIT, .until_usec = earliest_usec(need, facts) };

        if (is_pausing(need, facts))
                return action;
        if (!any_in_state(facts, NEED_SOURCE_IDLE) && !any_in_state(facts, NEED_SOURCE_WAITING))
                return end(need, NEED_NO_SOURCE);

        action.settled = true;
        if (kernel_waits(need, facts)) {
                if (need->retry_usec == 0)
                        need->retry_usec = facts->now_usec + next_delay_usec(need, facts);
                action.until_usec = MIN(action.until_usec, need->retry_usec);
        } else if (action.until_usec == UINT64_MAX)
                return end(need, NEED_GIVEN_UP);
        return action;
}

NeedAction need_next(Need *need, const NeedFacts *facts) {
        NeedAction action = { .step = NEED_WAIT, .until_usec = UINT64_MAX };

        if (!need->active)
                return action;
        if (need->retry_usec > 0 && facts->now_usec >= need->retry_usec)
                start_tries(need);

        if (is_met(need, facts))
                return end(need, NEED_MET);
        if (ask_one(need, facts, false, &action))
                return action;
        if (any_in_state(facts, NEED_SOURCE_ASKED)) {
                action.until_usec = earliest_usec(need, facts);
                return action;
        }
        if (!need->got_credit && !is_pausing(need, facts) && ask_one(need, facts, true, &action))
                return action;
        return settle(need, facts);
}
