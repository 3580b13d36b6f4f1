/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "rngd/request.h"

/* Those that answer later are asked first, so that they work while the others are read. */
static const SourceId order[] = {
        SOURCE_METADATA, SOURCE_HWRNG, SOURCE_TPM, SOURCE_EGD,
        SOURCE_FILE,     SOURCE_EXEC,  SOURCE_CPU, SOURCE_JITTER,
};
static_assert(ELEMENTSOF(order) == _SOURCE_LIVE_MAX, "every source has its turn");

const char *trigger_to_string(Trigger trigger) {
        static const char *const names[_TRIGGER_MAX] = {
                [TRIGGER_START] = "start", [TRIGGER_LEVEL] = "level",   [TRIGGER_FORK] = "fork",
                [TRIGGER_PLUG] = "plug",   [TRIGGER_RESUME] = "resume", [TRIGGER_CLOCK] = "clock",
                [TRIGGER_TIMER] = "timer", [TRIGGER_SIGNAL] = "signal", [TRIGGER_GAP] = "gap",
        };

        return (unsigned)trigger < ELEMENTSOF(names) ? names[trigger] : "unknown";
}

static void start_tries(Request *request) {
        request->got_credit = false;
        request->retry_usec = 0;
        memset(request->rounds, 0, sizeof(request->rounds));
        memset(request->pause_usec, 0, sizeof(request->pause_usec));
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

bool request_add(Request *request, Trigger trigger, uint64_t now_usec) {
        bool begins = !request->active || trigger_is_copy(trigger);

        if (begins) {
                request->active = true;
                request->began_usec = now_usec;
                request->got_bits = 0;
                request->reseeded = false;
                start_tries(request);
        }
        if (trigger_is_copy(trigger))
                request->copied_usec = now_usec;
        request->triggers |= TRIGGER_BIT(trigger);
        return begins;
}

bool request_is_older_than_copy(const Request *request, uint64_t asked_usec) {
        return asked_usec < request->copied_usec;
}

void request_count(Request *request, SourceId source, uint32_t credited_bits, bool reseeded) {
        request->rounds[source]++;
        request->pause_usec[source] = 0;
        request->got_bits += MIN(credited_bits, UINT32_MAX - request->got_bits);
        request->got_credit |= credited_bits > 0;
        request->reseeded |= reseeded;
}

static RequestAction end(Request *request, RequestStep step) {
        request->active = false;
        request->triggers = 0;
        request->retry_usec = 0;
        if (step == REQUEST_MET)
                backoff_reset(&request->backoff);
        return (RequestAction){ .step = step };
}

/* From when on kernel modules are loaded. What may be a copy, and a hand, call for all that there is. */
static uint64_t load_from_usec(const Request *request, const RequestFacts *facts) {
        const uint32_t boot = TRIGGER_BIT(TRIGGER_START) | TRIGGER_BIT(TRIGGER_PLUG);
        const uint32_t level = TRIGGER_BIT(TRIGGER_LEVEL);

        if (!facts->kernel_jitter || (request->triggers & ~(boot | level)) != 0)
                return 0;
        if (!facts->ready)
                return request->began_usec + REQUEST_UNREADY_RETRY_USEC;
        return request->triggers & level ? 0 : UINT64_MAX;
}

bool request_spares_modules(const Request *request, const RequestFacts *facts) {
        return facts->now_usec < load_from_usec(request, facts);
}

/* It could be asked, but for the modules. */
static bool is_spared(const Request *request, const RequestFacts *facts, SourceId id) {
        return facts->sources[id].must_load && facts->sources[id].state == REQUEST_SOURCE_IDLE &&
               request_spares_modules(request, facts);
}

static bool may_be_asked(const Request *request, const RequestFacts *facts, SourceId id) {
        if (is_spared(request, facts, id))
                return false;
        return facts->sources[id].state == REQUEST_SOURCE_IDLE ||
               (facts->sources[id].state == REQUEST_SOURCE_WAITING &&
                facts->now_usec >= facts->sources[id].retry_usec);
}

static RefillPlan plan_for(const Request *request, const RequestFacts *facts, SourceId id) {
        const RefillState state = {
                .model = facts->model,
                .ready = facts->ready,
                .pool_bits = facts->pool_bits,
                .level_bits = facts->level_bits,
                .triggers = request->triggers,
                .rounds_done = request->rounds[id],
                .credited_bits = request->got_bits,
                .source_per_1024 = facts->sources[id].per_1024,
                .batch_max_bytes = facts->batch_max_bytes,
        };

        return refill_plan(&state);
}

/* The pause that the plan wants begins when it is first seen, and is over once it was waited for. */
static bool must_pause(
        Request *request,
        const RequestFacts *facts,
        SourceId id,
        uint64_t plan_usec) {
        if (plan_usec == 0)
                return false;
        if (request->pause_usec[id] == 0)
                request->pause_usec[id] = facts->now_usec + plan_usec;
        return facts->now_usec < request->pause_usec[id];
}

/* Whether nothing is missing any more. Any source will do to ask the policy. */
static bool is_met(const Request *request, const RequestFacts *facts) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state != REQUEST_SOURCE_NONE &&
                    plan_for(request, facts, (SourceId)i).action == REFILL_DONE)
                        return true;
        return false;
}

/* One source's turn: true if *action is the answer. */
static bool consider(
        Request *request,
        const RequestFacts *facts,
        SourceId id,
        RequestAction *action) {
        RefillPlan plan;

        if (!may_be_asked(request, facts, id))
                return false;
        plan = plan_for(request, facts, id);
        if (plan.action != REFILL_ASK || must_pause(request, facts, id, plan.pause_usec))
                return false;
        *action = (RequestAction){
                .step = REQUEST_ASK,
                .source = id,
                .length_bytes = plan.length_bytes,
                .reseed = plan.reseed,
        };
        return true;
}

static bool any_in_state(const RequestFacts *facts, RequestSourceState state) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state == state)
                        return true;
        return false;
}

/*
 * Those that cost the guest its own time are left out until every other source has answered, failed
 * or is not there, and nothing that came could be credited.
 */
static bool ask_one(
        Request *request,
        const RequestFacts *facts,
        bool last_resort,
        RequestAction *action) {
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (facts->sources[order[i]].last_resort == last_resort &&
                    consider(request, facts, order[i], action))
                        return true;
        return false;
}

/* When the first of those that failed, or that pause, may be asked. */
static uint64_t earliest_usec(const Request *request, const RequestFacts *facts) {
        uint64_t earliest = UINT64_MAX;

        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++) {
                if (is_spared(request, facts, (SourceId)i))
                        earliest = MIN(earliest, load_from_usec(request, facts));
                if (facts->sources[i].state == REQUEST_SOURCE_WAITING &&
                    facts->sources[i].retry_usec > facts->now_usec)
                        earliest = MIN(earliest, facts->sources[i].retry_usec);
                if (facts->sources[i].state == REQUEST_SOURCE_IDLE &&
                    request->pause_usec[i] > facts->now_usec)
                        earliest = MIN(earliest, request->pause_usec[i]);
        }
        return earliest;
}

/* Whether the kernel still waits for bits: what could not be credited is then tried again. */
static bool kernel_waits(const Request *request, const RequestFacts *facts) {
        return !facts->ready ||
               ((request->triggers & TRIGGER_BIT(TRIGGER_LEVEL)) != 0 && facts->kernel_asks);
}

static bool is_pausing(const Request *request, const RequestFacts *facts) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if (facts->sources[i].state == REQUEST_SOURCE_IDLE &&
                    request->pause_usec[i] > facts->now_usec)
                        return true;
        return false;
}

/* A source may become worth something without any event (a hand in rng_quality, a server that is back):
 * a kernel that is not ready must not wait minutes for that to be noticed. */
static uint64_t next_delay_usec(Request *request, const RequestFacts *facts) {
        uint64_t delay_usec = backoff_next_usec(&request->backoff);

        return facts->ready ? delay_usec : MIN(delay_usec, REQUEST_UNREADY_RETRY_USEC);
}

/* Whether there is a source that may answer otherwise when it is asked again. */
static bool any_to_retry(const Request *request, const RequestFacts *facts) {
        for (size_t i = 0; i < _SOURCE_LIVE_MAX; i++)
                if ((facts->sources[i].state == REQUEST_SOURCE_IDLE ||
                     facts->sources[i].state == REQUEST_SOURCE_WAITING) &&
                    !is_spared(request, facts, (SourceId)i))
                        return true;
        return false;
}

/* Nobody owes an answer, nobody can be asked, and the request is not met. */
static RequestAction settle(Request *request, const RequestFacts *facts) {
        RequestAction action = { .step = REQUEST_WAIT,
                                 .until_usec = earliest_usec(request, facts) };

        if (is_pausing(request, facts))
                return action;
        if (!any_in_state(facts, REQUEST_SOURCE_IDLE) &&
            !any_in_state(facts, REQUEST_SOURCE_WAITING))
                return end(request, REQUEST_NO_SOURCE);

        action.settled = true;
        if (kernel_waits(request, facts) && any_to_retry(request, facts)) {
                if (request->retry_usec == 0)
                        request->retry_usec = facts->now_usec + next_delay_usec(request, facts);
                action.until_usec = MIN(action.until_usec, request->retry_usec);
        } else if (action.until_usec == UINT64_MAX)
                return end(request, REQUEST_GIVEN_UP);
        return action;
}

RequestAction request_next(Request *request, const RequestFacts *facts) {
        RequestAction action = { .step = REQUEST_WAIT, .until_usec = UINT64_MAX };

        if (!request->active)
                return action;
        if (request->retry_usec > 0 && facts->now_usec >= request->retry_usec)
                start_tries(request);

        if (is_met(request, facts))
                return end(request, REQUEST_MET);
        if (ask_one(request, facts, false, &action))
                return action;
        if (any_in_state(facts, REQUEST_SOURCE_ASKED)) {
                action.until_usec = earliest_usec(request, facts);
                return action;
        }
        if (!request->got_credit && !is_pausing(request, facts) &&
            ask_one(request, facts, true, &action))
                return action;
        return settle(request, facts);
}
