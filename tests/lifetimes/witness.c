/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/lifetimes/witness.h"

/* Bytes are found again by eight of them at each sixteenth: any 32 that are equal hold such eight. */
#define STEP_BYTES   16U
#define KEY_BYTES    8U
#define WINDOW_BYTES 32U
#define SLOTS        (1U << 16)
#define RECORDS_MAX  16384U

typedef struct Record {
        const uint8_t *bytes;
        size_t n;
        uint64_t at; /* by witness_now() */
        bool is_credit;
        Made made;

        /* The machine that made or credited it, as it was. */
        uint64_t machine_id, product_uuid;
        uint64_t boot_id[2];
        uint64_t generation[2];
        bool had_generation;
        bool memory_lasts;   /* /var is on a disk */
        bool kernel_is_copy; /* its kernel was copied, could have noticed, and was not told */
} Record;

typedef struct Slot {
        uint64_t key;
        uint32_t life, record, offset;
} Slot;

static struct {
        Record records[RECORDS_MAX];
        size_t n_records, n_slots;
        Slot slots[SLOTS];
        uint32_t life;
        uint64_t now;
        Promise broken;
        char message[256];
        uint64_t outside[_OUTSIDE_MAX];
        uint64_t credits;
} witness;

void witness_begin(void) {
        witness.life++;
        witness.n_records = witness.n_slots = 0;
        witness.now = 0;
        witness.broken = PROMISE_NONE;
        witness.message[0] = '\0';
}

Promise witness_broken(void) {
        return witness.broken;
}

const char *witness_message(void) {
        return witness.message;
}

uint64_t witness_outside(Outside kind) {
        return witness.outside[kind];
}

uint64_t witness_credits(void) {
        return witness.credits;
}

const char *outside_to_string(Outside kind) {
        static const char *const names[_OUTSIDE_MAX] = {
                [OUTSIDE_SAVED_COPY] =
                        "a saved seed whose disk or kernel was copied without a sign",
                [OUTSIDE_SEED_ROLLBACK] = "a seed of the platform after a rollback without a sign",
                [OUTSIDE_UNREADY_COPY] = "bytes from before a copy, in a kernel that was not ready",
                [OUTSIDE_IN_FLIGHT] =
                        "an answer that was on its way when a copy was made without a sign",
                [OUTSIDE_SERVER] = "what a server repeats, where no memory lasts",
        };

        return names[kind];
}

void witness_break(Promise promise, const char *format, ...) {
        va_list args;

        if (witness.broken != PROMISE_NONE)
                return;
        witness.broken = promise;
        va_start(args, format);
        (void)vsnprintf(witness.message, sizeof(witness.message), format, args);
        va_end(args);
}

uint64_t witness_now(void) {
        return ++witness.now;
}

/* ---- the index ---- */

static uint64_t key_at(const uint8_t *bytes) {
        uint64_t key;

        memcpy(&key, bytes, sizeof(key));
        return key;
}

static Slot *slot_of(uint64_t key, uint32_t *at) {
        *at = *at == UINT32_MAX ? (uint32_t)chance_mix(key) % SLOTS : (*at + 1) % SLOTS;
        return &witness.slots[*at];
}

static void add_to_index(uint32_t record, uint32_t offset) {
        uint64_t key = key_at(witness.records[record].bytes + offset);
        uint32_t at = UINT32_MAX;
        Slot *slot;

        if (++witness.n_slots > SLOTS / 2) {
                witness_break(
                        PROMISE_NO_WAIT,
                        "more bytes than any life needs: a loop without end");
                return;
        }
        do
                slot = slot_of(key, &at);
        while (slot->life == witness.life);
        *slot = (Slot){ key, witness.life, record, offset };
}

static bool memory_lasts(const Machine *machine) {
        return machine->image.var_kind == VAR_DISK;
}

static void add_record(Record record, const uint8_t *bytes, size_t n) {
        const Machine *machine = machine_now;

        if (witness.n_records == RECORDS_MAX || n < KEY_BYTES)
                return;
        record.bytes = arena_copy(bytes, n);
        record.n = n;
        record.at = witness_now();
        if (machine) {
                const Platform *platform = &machine->platform;

                record.machine_id = machine->image.machine_id;
                record.memory_lasts = memory_lasts(machine);
                record.product_uuid = platform->product_uuid;
                memcpy(record.boot_id, machine->kernel.boot_id, sizeof(record.boot_id));
                record.had_generation = platform->has_generation;
                memcpy(record.generation, platform->generation, sizeof(record.generation));
                record.kernel_is_copy = platform->has_generation && !machine->kernel.forked &&
                                        memcmp(machine->boot_generation,
                                               platform->generation,
                                               sizeof(record.generation)) != 0;
        }
        witness.records[witness.n_records] = record;
        for (size_t offset = 0; offset + KEY_BYTES <= n; offset += STEP_BYTES)
                add_to_index((uint32_t)witness.n_records, (uint32_t)offset);
        witness.n_records++;
}

void witness_made(const uint8_t *bytes, size_t n, Made made) {
        add_record((Record){ .made = made }, bytes, n);
}

/* How many bytes around these eight are the same. */
static size_t common(
        const Record *record,
        size_t offset,
        const uint8_t *bytes,
        size_t n,
        size_t at) {
        size_t before = 0, after = 0;

        while (before < offset && before < at &&
               record->bytes[offset - before - 1] == bytes[at - before - 1])
                before++;
        while (offset + after < record->n && at + after < n &&
               record->bytes[offset + after] == bytes[at + after])
                after++;
        return before + after;
}

typedef struct Matches {
        uint32_t records[64];
        size_t n;
} Matches;

static void add_match(Matches *matches, uint32_t record) {
        for (size_t i = 0; i < matches->n; i++)
                if (matches->records[i] == record)
                        return;
        if (matches->n < sizeof(matches->records) / sizeof(matches->records[0]))
                matches->records[matches->n++] = record;
}

static void find(const uint8_t *bytes, size_t n, Matches *matches) {
        matches->n = 0;
        for (size_t i = 0; i + KEY_BYTES <= n; i++) {
                uint64_t key = key_at(bytes + i);
                uint32_t at = UINT32_MAX;
                const Slot *slot;

                while ((slot = slot_of(key, &at))->life == witness.life) {
                        const Record *record = &witness.records[slot->record];

                        if (slot->key == key &&
                            common(record, slot->offset, bytes, n, i) >= WINDOW_BYTES)
                                add_match(matches, slot->record);
                }
        }
}

bool witness_was_credited(const uint8_t *bytes, size_t n) {
        Matches matches;

        find(bytes, n, &matches);
        for (size_t i = 0; i < matches.n; i++)
                if (witness.records[matches.records[i]].is_credit)
                        return true;
        return false;
}

/* ---- the promises ---- */

static bool is_in_past(const Machine *machine, const Record *credit) {
        for (const Past *past = machine->image.past; past; past = past->before)
                if (past->credit == credit)
                        return true;
        return false;
}

static bool other_generation(const Machine *machine, const uint64_t generation[static 2]) {
        return memcmp(machine->platform.generation, generation, 2 * sizeof(uint64_t)) != 0;
}

/* Whether anything could tell this machine that a seed is not its own any more. */
static bool sign_of_saved(const Machine *machine, const Record *made) {
        const Platform *platform = &machine->platform;

        return made->machine_id != machine->image.machine_id ||
               made->product_uuid != platform->product_uuid ||
               (platform->has_generation && made->had_generation &&
                other_generation(machine, made->generation));
}

static bool sign_of_rollback(const Machine *machine) {
        const Image *image = &machine->image;

        return image->seen_exists && image->seen_generation_known &&
               machine->platform.has_generation && machine->platform.readable &&
               other_generation(machine, image->seen_generation);
}

static void judge_secret(const Machine *machine, const Record *made) {
        const bool confidential = machine->platform.confidential;

        if (made->made.known)
                witness_break(PROMISE_SECRET, "credited, but known: %s", made->made.what);
        if (confidential && (made->made.host_made || made->made.by != MADE_LIVE))
                witness_break(
                        PROMISE_SECRET,
                        "credited in a confidential guest, but the host's to see: %s",
                        made->made.what);
        if (made->made.by == MADE_KERNEL &&
            memcmp(made->boot_id, machine->kernel.boot_id, sizeof(made->boot_id)) == 0)
                witness_break(PROMISE_SECRET, "this kernel's own: %s", made->made.what);
}

/* Two clones may have made the same: one of them must have been this machine, as it is now. */
static void judge_whose(const Machine *machine, const Matches *matches) {
        const Record *foreign = NULL;

        for (size_t i = 0; i < matches->n; i++) {
                const Record *record = &witness.records[matches->records[i]];

                if (record->is_credit || record->made.by != MADE_KERNEL)
                        continue;
                if (!sign_of_saved(machine, record))
                        return;
                foreign = record;
        }
        if (foreign)
                witness_break(
                        PROMISE_SECRET,
                        "another machine's, or its copy's: %s",
                        foreign->made.what);
}

static void judge_amount(const Record *made, size_t n, uint32_t bits) {
        uint64_t per_1024 = made->made.per_1024 > 0 ? made->made.per_1024 : 1024;

        if (bits > 8 * n * per_1024 / 1024)
                witness_break(
                        PROMISE_SECRET,
                        "%u bits for %zu bytes are more than it can hold: %s",
                        bits,
                        n,
                        made->made.what);
}

/* Nothing tells that it came before the copy and not after it. */
static bool is_in_flight(const Machine *machine, const Record *made) {
        return machine->in_flight > 0 && made->at > machine->in_flight && !machine->told &&
               !machine->slept;
}

static void judge_fresh(const Machine *machine, const Record *made) {
        if (made->made.by != MADE_LIVE || made->at > machine->copied_at)
                return;
        if (is_in_flight(machine, made)) {
                witness.outside[OUTSIDE_IN_FLIGHT]++;
                return;
        }
        if (machine->kernel.ready || machine->told)
                witness_break(
                        PROMISE_FRESH,
                        "from before this machine may have been copied: %s",
                        made->made.what);
}

static void judge_once(const Machine *machine, const Record *made, const Record *credit) {
        if (made->made.by_server && !(credit->memory_lasts && memory_lasts(machine))) {
                witness.outside[OUTSIDE_SERVER]++;
                return;
        }
        if (is_in_past(machine, credit)) {
                witness_break(PROMISE_ONCE, "credited a second time: %s", made->made.what);
                return;
        }
        switch (made->made.by) {
        case MADE_KERNEL:
                if (made->kernel_is_copy || sign_of_saved(machine, made))
                        witness_break(PROMISE_ONCE, "credited in a copy, too: %s", made->made.what);
                else
                        witness.outside[OUTSIDE_SAVED_COPY]++;
                return;
        case MADE_STATIC:
                if (sign_of_rollback(machine))
                        witness_break(
                                PROMISE_ONCE,
                                "credited again after a rollback with a sign: %s",
                                made->made.what);
                else
                        witness.outside[OUTSIDE_SEED_ROLLBACK]++;
                return;
        case MADE_LIVE:
        default:
                if (is_in_flight(machine, made))
                        witness.outside[OUTSIDE_IN_FLIGHT]++;
                else if (machine->kernel.ready || machine->told)
                        witness_break(PROMISE_ONCE, "credited in a copy, too: %s", made->made.what);
                else
                        witness.outside[OUTSIDE_UNREADY_COPY]++;
                return;
        }
}

static const Record *made_of(const Matches *matches) {
        const Record *made = NULL;

        /* The latest: two clones may have made the same. */
        for (size_t i = 0; i < matches->n; i++)
                if (!witness.records[matches->records[i]].is_credit)
                        made = &witness.records[matches->records[i]];
        return made;
}

static void remember(Machine *machine, const uint8_t *bytes, size_t n) {
        Past *past = arena_new(sizeof(*past));

        add_record((Record){ .is_credit = true }, bytes, n);
        *past = (Past){ machine->image.past, &witness.records[witness.n_records - 1] };
        machine->image.past = past;
        witness.credits++;
}

void witness_credited(Machine *machine, const uint8_t *bytes, size_t n, uint32_t bits) {
        const Record *made;
        Matches matches;

        find(bytes, n, &matches);
        made = made_of(&matches);
        if (!made) {
                witness_break(PROMISE_SECRET, "%zu bytes of unknown origin are credited", n);
                return;
        }
        judge_whose(machine, &matches);
        for (size_t i = 0; i < matches.n; i++) {
                const Record *record = &witness.records[matches.records[i]];

                if (record->is_credit)
                        judge_once(machine, made, record);
                else {
                        judge_secret(machine, record);
                        judge_fresh(machine, record);
                        judge_amount(record, n, bits);
                }
        }
        remember(machine, bytes, n);
}
