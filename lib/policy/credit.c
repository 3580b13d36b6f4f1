/* SPDX-License-Identifier: MIT */
#include "lib/policy/credit.h"
#include "lib/base/cleanup.h"

static const char *const class_names[_SOURCE_CLASS_MAX] = {
        [SOURCE_CLASS_LOCAL_HARDWARE] = "local-hardware",
        [SOURCE_CLASS_LIVE_HOST] = "live-host",
        [SOURCE_CLASS_LIVE_NETWORK] = "live-network",
        [SOURCE_CLASS_STATIC_HOST] = "static-host",
        [SOURCE_CLASS_SAVED] = "saved",
        [SOURCE_CLASS_LOCAL_SOFTWARE] = "local-software",
        [SOURCE_CLASS_CONFIGURED] = "configured",
};

/* A static seed can be credited once, where it is known whether this is that once. */
static bool static_is_usable(const CreditInput *input) {
        return input->always || (input->first_use && !input->in_initramfs);
}

/* The zeroes of the table: no override and no quality lifts them. */
static bool may_credit(const CreditInput *input) {
        switch (input->source_class) {
        case SOURCE_CLASS_LOCAL_HARDWARE:
        case SOURCE_CLASS_LOCAL_SOFTWARE:
        case SOURCE_CLASS_CONFIGURED:
                return input->fresh;
        case SOURCE_CLASS_LIVE_HOST:
                return input->fresh && !input->confidential_guest;
        case SOURCE_CLASS_LIVE_NETWORK:
                return input->fresh && !input->confidential_guest && input->enabled_by_admin;
        case SOURCE_CLASS_STATIC_HOST:
                return !input->confidential_guest && static_is_usable(input);
        case SOURCE_CLASS_SAVED:
                return input->marked_creditable && !input->first_boot;
        case _SOURCE_CLASS_MAX:
        default:
                return false;
        }
}

static uint32_t default_per_1024(SourceClass source_class) {
        /* A file or a program is what the administrator made of it: nothing is known about it. */
        return source_class == SOURCE_CLASS_CONFIGURED ? 0 : CREDIT_PER_1024_MAX;
}

uint32_t credit_per_1024(const CreditInput *input) {
        uint32_t per_1024;

        if (!may_credit(input))
                return 0;

        if (input->override_per_1024 == CREDIT_OVERRIDE_NONE)
                per_1024 = default_per_1024(input->source_class);
        else
                per_1024 = MIN(input->override_per_1024, CREDIT_PER_1024_MAX);

        /* 0 is what drivers that state nothing leave there, not a statement of no entropy. */
        if (input->quality_per_1024 > 0)
                per_1024 = MIN(per_1024, input->quality_per_1024);

        return per_1024;
}

uint32_t credit_bits(const CreditInput *input) {
        uint64_t length_bytes = MIN(input->length_bytes, (size_t)(UINT32_MAX / 8));

        if (!input->healthy)
                return 0;

        return (uint32_t)(8 * length_bytes * credit_per_1024(input) / CREDIT_PER_1024_MAX);
}

const char *source_class_to_string(SourceClass source_class) {
        if ((unsigned)source_class >= ELEMENTSOF(class_names))
                return "unknown";
        return class_names[source_class];
}
