/* SPDX-License-Identifier: MIT */
/* Any command line: words end with a newline or a zero byte. The files it names are not opened. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy/credit.h"
#include "rngd/settings/options.h"

enum {
        MAX_BYTES = 4096,
        MAX_WORDS = 64,
};

static void check(bool right) {
        if (!right)
                abort();
}

static int split(char *text, size_t length, char *argv[static MAX_WORDS + 1]) {
        char *word = text;
        int argc = 0;

        argv[argc++] = (char *)"rngd";
        for (size_t i = 0; i < length && argc < MAX_WORDS; i++) {
                if (text[i] != '\n' && text[i] != '\0')
                        continue;
                text[i] = '\0';
                argv[argc++] = word;
                word = text + i + 1;
        }
        argv[argc] = NULL;
        return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_settings_ Settings settings = { 0 };
        _cleanup_messages_ Messages errors = { 0 }, notices = { 0 };
        char text[MAX_BYTES + 1];
        char *argv[MAX_WORDS + 1];
        int argc, r;

        if (size > MAX_BYTES)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\n';
        argc = split(text, size + 1, argv);

        check(settings_init(&settings) == 0);
        r = options_parse(argc, argv, &settings, &errors, &notices);
        check(r == 0 || (r == CONFIG_E_USAGE && errors.n_lines == 1));
        for (size_t i = 0; i < errors.n_lines; i++)
                check(!strpbrk(errors.lines[i], "\n\x1b"));
        if (r == 0) {
                check(settings.option_credit_per_1024 <= CREDIT_PER_1024_MAX ||
                      settings.option_credit_per_1024 == CREDIT_OVERRIDE_NONE);
                check(settings.random_step_bytes <= SETTINGS_MAX_STEP_BYTES);
                check(settings.watermark.value <= WATERMARK_MAX_BITS);
                check(settings.timeout_usec <= VALUES_MAX_TIMEOUT_USEC);
        }
        return 0;
}
