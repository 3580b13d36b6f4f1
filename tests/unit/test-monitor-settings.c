/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/settings.h"
#include "tests/unit/harness.h"

static MonitorSettings from(const char *command_line) {
        _cleanup_free_ char *text = strdup(command_line);
        MonitorSettings settings;

        settings_defaults(&settings);
        settings_take_command_line(&settings, text);
        return settings;
}

static void test_command_line(void) {
        MonitorSettings settings;

        settings = from("quiet entropy.init=/bin/x ro\n");
        CU_ASSERT_STRING_EQUAL(settings.init, "/bin/x");
        CU_ASSERT_STRING_EQUAL(settings.output, SETTINGS_OUTPUT);
        CU_ASSERT(!settings.off);
        CU_ASSERT_EQUAL(settings.until, UNTIL_BOOT);

        settings = from(
                "entropy.monitor=interval=1ms,duration=5min,until=ready+2s,output=/run/x.json");
        CU_ASSERT_EQUAL(settings.interval_usec, 1000);
        CU_ASSERT_EQUAL(settings.duration_usec, 300000000);
        CU_ASSERT_EQUAL(settings.until, UNTIL_READY);
        CU_ASSERT_EQUAL(settings.until_extra_usec, 2000000);
        CU_ASSERT_STRING_EQUAL(settings.output, "/run/x.json");
        CU_ASSERT(from("a entropy.monitor=off b").off);
}

/* A boot must not depend on a typing error: what is wrong has no effect, the rest has. */
static void test_wrong_words(void) {
        static const char *const lines[] = {
                "",
                "   ",
                "entropy.init=",
                "entropy.monitor=",
                "entropy.monitor=,,,=,=x",
                "entropy.monitor=interval=1us",
                "entropy.monitor=interval=11s,duration=13h,until=never,until=readyx,output=rel",
                "xentropy.init=/bin/x entropy.initx=/bin/x",
                "entropy.monitor=interval",
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                MonitorSettings settings = from(lines[i]), defaults;

                settings_defaults(&defaults);
                harness_row("%s", lines[i]);
                CU_ASSERT_EQUAL(settings.interval_usec, defaults.interval_usec);
                CU_ASSERT_EQUAL(settings.duration_usec, defaults.duration_usec);
                CU_ASSERT_EQUAL(settings.until, defaults.until);
                CU_ASSERT_STRING_EQUAL(settings.output, defaults.output);
                CU_ASSERT_STRING_EQUAL(settings.init, "");
                CU_ASSERT(!settings.off);
        }
        CU_ASSERT_EQUAL(from("entropy.monitor=what,interval=1ms").interval_usec, 1000);
}

static void test_long_words(void) {
        char line[2000] = "entropy.init=/";

        memset(line + strlen(line), 'x', 1500);
        CU_ASSERT_STRING_EQUAL(from(line).init, "");
        memcpy(line, "entropy.monitor=output=/", 24);
        CU_ASSERT_STRING_EQUAL(from(line).output, SETTINGS_OUTPUT);
        line[24 + 300] = '\0';
        CU_ASSERT_STRING_EQUAL(from(line).output, SETTINGS_OUTPUT);
}

static void test_set(void) {
        MonitorSettings settings;

        settings_defaults(&settings);
        CU_ASSERT_EQUAL(settings_set(&settings, "interval", "100us"), 0);
        CU_ASSERT_EQUAL(settings.interval_usec, SETTINGS_MIN_INTERVAL);
        CU_ASSERT_EQUAL(settings_set(&settings, "interval", "99us"), -ERANGE);
        CU_ASSERT_EQUAL(settings_set(&settings, "interval", "10s"), 0);
        CU_ASSERT_EQUAL(settings_set(&settings, "interval", "x"), -EINVAL);
        CU_ASSERT_EQUAL(settings_set(&settings, "until", "ready"), 0);
        CU_ASSERT_EQUAL(settings.until_extra_usec, 0);
        CU_ASSERT_EQUAL(settings_set(&settings, "until", "ready+"), -EINVAL);
        CU_ASSERT_EQUAL(settings_set(&settings, "output", ""), -EINVAL);
        CU_ASSERT_EQUAL(settings_set(&settings, "nothing", "1"), -EINVAL);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_command_line),
        HARNESS_TEST(test_wrong_words),
        HARNESS_TEST(test_long_words),
        HARNESS_TEST(test_set),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("monitor-settings", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
