/* SPDX-License-Identifier: MIT */
#include "lib/policy/credit.h"
#include "lib/base/cleanup.h"

static const char *const class_names[_SOURCE_CLASS_MAX] = {
        [SOURCE_CLASS_CPU] = "cpu",
        [SOURCE_CLASS_LOCAL_HARDWARE] = "local-hardware",
        [SOURCE_CLASS_LIVE_HOST] = "live-host",
        [SOURCE_CLASS_LIVE_NETWORK] = "live-network",
        [SOURCE_CLASS_STATIC_HOST] = "static-host",
        [SOURCE_CLASS_SAVED] = "saved",
        [SOURCE_CLASS_LOCAL_SOFTWARE] = "local-software",
        [SOURCE_CLASS_CONFIGURED] = "configured",
};

static const char *const reasons[_CREDIT_REASON_MAX] = {
        [CREDIT_GRANTED] = "credited",
        [CREDIT_NO_CLASS] = "unknown kind of source",
        [CREDIT_NO_HEALTH] = "failed the health tests, or too short for them",
        [CREDIT_NO_CONFIDENTIAL] = "not credited in a confidential guest",
        [CREDIT_NO_REPLAY] = "not made for this request",
        [CREDIT_NO_STALE] = "may have been read before this machine was last copied",
        [CREDIT_NO_REPEATED] = "the same bytes came before",
        [CREDIT_NO_NOT_ENABLED] = "not enabled by the administrator",
        [CREDIT_NO_TRUST] = "trust=never",
        [CREDIT_NO_ORIGIN] = "nothing shows that this platform hands out seeds",
        [CREDIT_NO_IMAGE] = "part of the image, so every clone has it",
        [CREDIT_NO_PUBLIC] = "every user can read it on the kernel command line",
        [CREDIT_NO_TEXT] = "a text, no random bytes",
        [CREDIT_NO_USE_UNKNOWN] = "first use cannot be known",
        [CREDIT_NO_USED] = "used before",
        [CREDIT_NO_MARK] = "not marked creditable",
        [CREDIT_NO_FIRST_BOOT] = "first boot of this machine",
        [CREDIT_NO_QUALITY] = "its driver states a quality of 0",
        [CREDIT_NO_OVERRIDE] = "credit set to 0",
        [CREDIT_NO_STATEMENT] = "no credit set for it",
        [CREDIT_NO_LENGTH] = "too few bytes for one bit",
};

/* It must have been made for the request that read it, and be no repetition. */
static CreditReason doubt_of_live(const CreditInput *input) {
        if (!input->fresh)
                return CREDIT_NO_REPLAY;
        if (input->maybe_stale)
                return CREDIT_NO_STALE;
        return input->repeated ? CREDIT_NO_REPEATED : CREDIT_GRANTED;
}

static CreditReason doubt_of_origin(const CreditInput *input) {
        switch (input->origin) {
        case SEED_ORIGIN_PLATFORM:
                return CREDIT_GRANTED;
        case SEED_ORIGIN_UNKNOWN:
                return input->trust == CREDIT_TRUST_ALWAYS ? CREDIT_GRANTED : CREDIT_NO_ORIGIN;
        case SEED_ORIGIN_IMAGE:
                return CREDIT_NO_IMAGE;
        case SEED_ORIGIN_PUBLIC:
                return CREDIT_NO_PUBLIC;
        case _SEED_ORIGIN_MAX:
        default:
                return CREDIT_NO_CLASS;
        }
}

/* Who says that it is another one at each boot is believed, until the memory shows otherwise. */
static CreditReason doubt_of_use(const CreditInput *input) {
        switch (input->use) {
        case SEED_USE_FIRST:
                return CREDIT_GRANTED;
        case SEED_USE_UNKNOWN:
                return input->trust == CREDIT_TRUST_ALWAYS ? CREDIT_GRANTED : CREDIT_NO_USE_UNKNOWN;
        case SEED_USE_AGAIN:
                return CREDIT_NO_USED;
        case _SEED_USE_MAX:
        default:
                return CREDIT_NO_CLASS;
        }
}

static CreditReason doubt_of_static(const CreditInput *input) {
        CreditReason reason;

        if (input->trust == CREDIT_TRUST_NEVER)
                return CREDIT_NO_TRUST;
        reason = doubt_of_origin(input);
        if (reason != CREDIT_GRANTED)
                return reason;
        return input->text ? CREDIT_NO_TEXT : doubt_of_use(input);
}

static CreditReason doubt_of_saved(const CreditInput *input) {
        if (input->trust == CREDIT_TRUST_NEVER)
                return CREDIT_NO_TRUST;
        if (!input->marked_creditable)
                return CREDIT_NO_MARK;
        return input->first_boot ? CREDIT_NO_FIRST_BOOT : CREDIT_GRANTED;
}

/* The zeros of the table: no override and no quality lifts them. */
static CreditReason find_doubt(const CreditInput *input) {
        if (input->confidential_guest && input->source_class != SOURCE_CLASS_CPU)
                return CREDIT_NO_CONFIDENTIAL;

        switch (input->source_class) {
        case SOURCE_CLASS_LIVE_NETWORK:
                if (!input->enabled_by_admin)
                        return CREDIT_NO_NOT_ENABLED;
                if (input->trust == CREDIT_TRUST_NEVER)
                        return CREDIT_NO_TRUST;
                return doubt_of_live(input);
        case SOURCE_CLASS_CONFIGURED:
                if (input->trust == CREDIT_TRUST_NEVER)
                        return CREDIT_NO_TRUST;
                return doubt_of_live(input);
        case SOURCE_CLASS_CPU:
        case SOURCE_CLASS_LOCAL_HARDWARE:
        case SOURCE_CLASS_LIVE_HOST:
        case SOURCE_CLASS_LOCAL_SOFTWARE:
                return doubt_of_live(input);
        case SOURCE_CLASS_STATIC_HOST:
                return doubt_of_static(input);
        case SOURCE_CLASS_SAVED:
                return doubt_of_saved(input);
        case _SOURCE_CLASS_MAX:
        default:
                return CREDIT_NO_CLASS;
        }
}

/* How much, where nothing speaks against it. */
static uint32_t rate_per_1024(const CreditInput *input, CreditReason *ret_reason) {
        /* A file or a program is what the administrator made of it: nothing is known about it. */
        bool is_stated = input->override_per_1024 != CREDIT_OVERRIDE_NONE ||
                         input->source_class != SOURCE_CLASS_CONFIGURED;
        uint32_t per_1024 = MIN(input->override_per_1024, CREDIT_PER_1024_MAX);

        *ret_reason = !is_stated                     ? CREDIT_NO_STATEMENT
                      : per_1024 == 0                ? CREDIT_NO_OVERRIDE
                      : input->quality_per_1024 == 0 ? CREDIT_NO_QUALITY
                                                     : CREDIT_GRANTED;
        return *ret_reason == CREDIT_GRANTED ? MIN(per_1024, input->quality_per_1024) : 0;
}

uint32_t credit_per_1024(const CreditInput *input) {
        CreditInput source = *input;
        CreditReason reason;

        source.maybe_stale = source.repeated = false;
        return find_doubt(&source) == CREDIT_GRANTED ? rate_per_1024(&source, &reason) : 0;
}

CreditVerdict credit_judge(const CreditInput *input) {
        uint64_t length_bytes = MIN(input->length_bytes, (size_t)(UINT32_MAX / 8));
        CreditVerdict verdict = { .reason = find_doubt(input) };
        uint32_t per_1024;

        if (!input->healthy && verdict.reason == CREDIT_GRANTED)
                verdict.reason = CREDIT_NO_HEALTH;
        if (verdict.reason != CREDIT_GRANTED)
                return verdict;
        per_1024 = rate_per_1024(input, &verdict.reason);
        verdict.bits = (uint32_t)(8 * length_bytes * per_1024 / CREDIT_PER_1024_MAX);
        if (verdict.reason == CREDIT_GRANTED && verdict.bits == 0)
                verdict.reason = CREDIT_NO_LENGTH;
        return verdict;
}

const char *source_class_to_string(SourceClass source_class) {
        if ((unsigned)source_class >= ELEMENTSOF(class_names))
                return "unknown";
        return class_names[source_class];
}

const char *credit_reason_to_string(CreditReason reason) {
        if ((unsigned)reason >= ELEMENTSOF(reasons))
                return "unknown reason";
        return reasons[reason];
}
