/* SPDX-License-Identifier: MIT */
/* Any text as guest-entropy.conf. What is accepted must be within the documented limits; what is
 * refused must come with a line that names the file. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy/credit.h"
#include "lib/sources/source.h"
#include "rngd/settings/options.h"

static void check(bool right) {
        if (!right)
                abort();
}

static void check_accepted(const Settings *settings) {
        uint32_t step_bytes = settings->random_step_bytes;

        check(step_bytes == 0 ||
              (step_bytes >= SETTINGS_MIN_STEP_BYTES && step_bytes <= SETTINGS_MAX_STEP_BYTES));
        check(settings->reseed_interval_usec <= SETTINGS_MAX_RESEED_USEC);
        check(settings->watermark.value <= WATERMARK_MAX_BITS);
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                const SourceSettings *source = &settings->sources[id];

                check(source->credit_override_per_1024 <= CREDIT_PER_1024_MAX ||
                      source->credit_override_per_1024 == CREDIT_OVERRIDE_NONE);
                check(source->timeout_usec <= VALUES_MAX_TIMEOUT_USEC);
                check(!source->path || *source->path == '/');
                check(!source->argv || *source->argv[0] == '/');
        }
}

static void check_refused(const Messages *errors) {
        check(errors->n_lines > 0);
        for (size_t i = 0; i < errors->n_lines; i++)
                check(strncmp(errors->lines[i], "fuzz:", 5) == 0 &&
                      !strpbrk(errors->lines[i], "\n\x1b"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 };
        ConfigSections sections;
        int r;

        check(settings_init(&settings) == 0);
        sections = options_sections(&settings);
        r = config_read_text("fuzz", (const char *)data, size, &sections, &errors);
        if (r == 0)
                check_accepted(&settings);
        else
                check_refused(&errors);
        return 0;
}
