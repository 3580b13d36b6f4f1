/* SPDX-License-Identifier: MIT */
/* No memory, or a file that cannot be opened, at any point of reading the configuration: the error
 * arrives, nothing leaks (ASan watches), nothing is half applied and called good. */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "lib/sources/source.h"
#include "rngd/settings/options.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static void *fault_malloc(size_t size) {
        return FAULT(NULL, malloc(size));
}

static void *fault_calloc(size_t n, size_t size) {
        return FAULT(NULL, calloc(n, size));
}

static char *fault_strdup(const char *text) {
        return FAULT(NULL, strdup(text));
}

static int fault_vasprintf(char **ret_text, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

static int fault_vasprintf(char **ret_text, const char *format, va_list args) {
        return FAULT(-1, vasprintf(ret_text, format, args));
}

static int fault_open(const char *path, int flags) {
        return FAULT(-1, open(path, flags));
}

static int fault_fstat(int fd, struct stat *ret_stat) {
        return FAULT(-1, fstat(fd, ret_stat));
}

#define malloc    fault_malloc
#define calloc    fault_calloc
#define strdup    fault_strdup
#define vasprintf fault_vasprintf
#define open      fault_open
#define fstat     fault_fstat
#include "lib/config/file.c"
#include "lib/config/messages.c"
#include "lib/config/setting.c"
#include "lib/config/source-settings.c"
#include "lib/config/values.c"
#include "rngd/settings/settings.c"
#include "rngd/watermark.c"
#undef malloc
#undef calloc
#undef strdup
#undef vasprintf
#undef open
#undef fstat

static char path[64];

static void setup_file(void) {
        (void)snprintf(path, sizeof(path), "/tmp/fault-config.XXXXXX");
        CU_ASSERT_FATAL(close(mkstemp(path)) == 0);
}

static void teardown_file(void) {
        (void)unlink(path);
}

static void write_file(const char *text) {
        FILE *stream = fopen(path, "we");

        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT(fputs(text, stream) >= 0);
        CU_ASSERT_EQUAL(fclose(stream), 0);
}

static int load(Settings *settings, Messages *errors) {
        ConfigSections sections;
        int r;

        r = settings_init(settings);
        if (r < 0)
                return r;
        sections = options_sections(settings);
        r = config_read_file(path, true, &sections, errors);
        if (r != 0)
                return r;
        return settings_finish(settings, errors);
}

static void test_good_file(void) {
        unsigned rounds = 0;

        write_file("[rngd]\nuser = 0:0\nwatermark = 90%\n[hwrng]\npath = /x\n"
                   "[exec]\ncommand = /a 'b c' d\nuser = root\n");
        FAULT_EACH(error, ENOMEM) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                int r;

                rounds++;
                r = load(&settings, &errors);
                if (!fault_hit()) {
                        CU_ASSERT_EQUAL(r, 0);
                        CU_ASSERT_STRING_EQUAL(settings.sources[SOURCE_EXEC].argv[1], "b c");
                        CU_ASSERT_STRING_EQUAL(settings.sources[SOURCE_HWRNG].path, "/x");
                } else {
                        CU_ASSERT(r == -ENOMEM || r == CONFIG_E_FILE);
                        CU_ASSERT_EQUAL(r == CONFIG_E_FILE, errors.n_lines + errors.n_dropped > 0);
                }
        }
        /* The defaults, open, fstat, the text, and each value that is kept. */
        CU_ASSERT(rounds > 10);
}

/* The line that tells the error may itself find no memory: still an error. */
static void test_bad_file(void) {
        write_file("[rngd]\nnope = 1\n[exec]\ncommand = x\n");
        FAULT_EACH(error, ENOMEM) {
                _cleanup_settings_ Settings settings = { 0 };
                _cleanup_messages_ Messages errors = { 0 };
                int r;

                r = load(&settings, &errors);
                CU_ASSERT(r == -ENOMEM || r == CONFIG_E_FILE);
                CU_ASSERT(r == -ENOMEM || errors.n_lines + errors.n_dropped > 0);
                if (!fault_hit())
                        CU_ASSERT_EQUAL(errors.n_lines, 2);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_good_file),
        HARNESS_TEST(test_bad_file),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("config", setup_file, teardown_file, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
