/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "monitor/show/plot-document.h"
#include "monitor/show/plot-scene.h"
#include "tests/unit/harness.h"
#include "tests/unit/monitor-sample.h"

static Recording recording;
static char *drawn;
static Scene scene; /* large */

static void load(const char *text) {
        char error[RECORDING_ERROR_MAX] = "";

        recording_free(&recording);
        CU_ASSERT_EQUAL_FATAL(recording_parse(text, strlen(text), &recording, error), 0);
        recording.path = "/tmp/a&b.json";
}

static void setup(void) {
        load(SAMPLE);
}

static void teardown(void) {
        recording_free(&recording);
        free(drawn);
        drawn = NULL;
}

static const char *draw(bool html, PlotTheme theme) {
        size_t length = 0;
        FILE *stream;
        int r;

        free(drawn);
        drawn = NULL;
        stream = open_memstream(&drawn, &length);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        r = html ? plot_html(&recording, 1, theme, stream) : plot_svg(&recording, 1, theme, stream);
        CU_ASSERT_EQUAL(r, 0);
        CU_ASSERT_EQUAL(fclose(stream), 0);
        return drawn;
}

/* No other text on the place of a label, whatever comes at one moment. */
static void test_labels(void) {
        static char events[4096] = "\"events\": [", text[8192];

        for (int i = 0; i < 30; i++)
                (void)snprintf(
                        events + strlen(events),
                        sizeof(events) - strlen(events),
                        "%s{\"at_usec\": %d, \"kind\": \"block-device\", \"text\": \"vd%d\"}",
                        i > 0 ? "," : "",
                        1000000 + i * 20000,
                        i);
        (void)snprintf(
                text,
                sizeof(text),
                SAMPLE_WITH(SAMPLE_RNG, SAMPLE_SAMPLES, SAMPLE_STARTS, SAMPLE_BLOCKED, "%s]", ""),
                events);
        load(text);
        scene_make(&recording, 8, &scene);
        CU_ASSERT(scene.n_marks > 10);
        CU_ASSERT(scene.n_rows <= SCENE_MAX_ROWS);
        for (size_t i = 0; i < scene.n_marks; i++)
                for (size_t k = 0; k < i; k++) {
                        const Mark *a = &scene.marks[i], *b = &scene.marks[k];
                        double distance = scene_x(&scene, a->at_usec) - scene_x(&scene, b->at_usec);

                        if (a->row < 0 || a->row != b->row || a->to_the_left != b->to_the_left)
                                continue;
                        CU_ASSERT(distance >= (double)strlen(b->label) * SCENE_LABEL_WIDTH);
                }
}

/* -1: there is no such mark. */
static int class_of(const char *label) {
        for (size_t i = 0; i < scene.n_marks; i++)
                if (strcmp(scene.marks[i].label, label) == 0)
                        return (int)scene.marks[i].mark_class;
        return -1;
}

static void test_seeder_labels(void) {
        static const struct {
                const char *text, *label;
                MarkClass mark_class;
        } rows[] = {
                { "kernel RNG ready at 2.331 s; tpm 64 B +512 bits",
                  "seeder: ready at 2.331 s",
                  MARK_GOOD },
                { "kernel RNG not ready; no source", "seeder: not ready", MARK_NEUTRAL },
                { "something of another version, longer",
                  "seeder: something of another ver",
                  MARK_GOOD },
                { "", "seeder: ", MARK_GOOD },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].text);
                recording.events[0].kind = EVENT_SEEDER;
                (void)stpcpy(recording.events[0].text, rows[i].text);
                scene_make(&recording, 8, &scene);
                CU_ASSERT_EQUAL(class_of(rows[i].label), (int)rows[i].mark_class);
        }
}

/* What matters most is kept where there are more events than marks. */
static void test_too_many_events(void) {
        Event *events = calloc(SCENE_MAX_MARKS + 100, sizeof(Event));
        size_t n = 0;

        CU_ASSERT_PTR_NOT_NULL_FATAL(events);
        for (; n < SCENE_MAX_MARKS + 99; n++) {
                events[n] = (Event){ .at_usec = 1000000 + n, .kind = EVENT_SEEDER };
                (void)snprintf(events[n].text, sizeof(events[n].text), "run %zu", n);
        }
        events[n++] = (Event){ .at_usec = 1900000, .kind = EVENT_READY };
        free(recording.events);
        recording.events = events;
        recording.n_events = n;
        scene_make(&recording, 8, &scene);
        CU_ASSERT_EQUAL(scene.n_marks, SCENE_MAX_MARKS);
        CU_ASSERT_EQUAL(class_of("ready"), MARK_GOOD);
        CU_ASSERT_STRING_EQUAL(scene.marks[0].label, "ready");
        CU_ASSERT_EQUAL(scene.marks[0].row, 0);
}

static void test_scene(void) {
        scene_make(&recording, 8, &scene);
        /* The kernel ran /init, and the monitor came later. */
        CU_ASSERT_EQUAL(scene.n_phases, 3);
        CU_ASSERT_EQUAL(scene.phases[0].kind, PHASE_KERNEL);
        CU_ASSERT_EQUAL(scene.phases[1].kind, PHASE_INITRAMFS);
        CU_ASSERT_EQUAL(scene.phases[1].span.from_usec, 900000);
        CU_ASSERT_EQUAL(scene.phases[1].span.to_usec, recording.started_usec);
        CU_ASSERT_EQUAL(scene.n_lanes, 1);
        CU_ASSERT_EQUAL(scene.top_bits, 4096);
        CU_ASSERT_DOUBLE_EQUAL(scene_x(&scene, scene.from_usec), 0, 0.01);
        CU_ASSERT_DOUBLE_EQUAL(scene_x(&scene, UINT64_MAX), SCENE_WIDTH, 0.01);
        CU_ASSERT_EQUAL(scene_time_step(&scene, 10), 500000);

        for (size_t i = 0; i < recording.n_events; i++)
                if (recording.events[i].kind == EVENT_INIT_STARTED)
                        (void)stpcpy(recording.events[i].text, "/usr/bin/entropy-monitor");
        scene_make(&recording, 8, &scene);
        CU_ASSERT_EQUAL(scene.n_phases, 2);
        CU_ASSERT_EQUAL(scene.phases[1].kind, PHASE_USERSPACE);
}

static void test_svg(void) {
        const char *svg = draw(false, PLOT_THEME_LIGHT);

        CU_ASSERT_EQUAL(strncmp(svg, "<svg ", 5), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "</svg>"));
        /* Names are others' data. */
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "&#60;ssh&#38;d&#62; waited 500.0 ms"));
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "a&#38;b.json"));
        CU_ASSERT_PTR_NULL(strstr(svg, "<ssh"));
        CU_ASSERT_PTR_NULL(strstr(svg, "</script>"));
        CU_ASSERT_PTR_NULL(strstr(svg, "nan"));
        CU_ASSERT_PTR_NULL(strstr(svg, "$"));
        CU_ASSERT_PTR_NULL(strstr(svg, "@media"));
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "threshold 896"));
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "not ready: getrandom() waits"));
        CU_ASSERT_PTR_NOT_NULL(strstr(draw(false, PLOT_THEME_AUTO), "@media"));
        CU_ASSERT_PTR_NOT_NULL(strstr(draw(false, PLOT_THEME_DARK), "#12161d"));
}

/* Nothing sampled, nothing started, an instant long: still a picture. */
static void test_empty(void) {
        const char *svg;

        load(SAMPLE_WITH(
                "\"rng\": {\"pool_bits\": 0, \"threshold_bits\": 0, \"ready_at_start\": true, "
                "\"ready_usec\": null, \"hwrng\": null}",
                "\"samples\": {\"interval_usec\": 1, \"thinnings\": 0, \"at_usec\": [], "
                "\"minimum_bits\": [], \"maximum_bits\": []}",
                "\"starts\": {\"from_usec\": 0, \"interval_usec\": 1, \"source\": \"none\", "
                "\"execs\": [], \"forks\": []}",
                "\"blocked\": []",
                "\"events\": []",
                ""));
        recording.ended_usec = recording.started_usec;
        svg = draw(false, PLOT_THEME_LIGHT);
        CU_ASSERT_PTR_NOT_NULL(strstr(svg, "the level was not recorded"));
        CU_ASSERT_PTR_NULL(strstr(svg, "nan"));
        CU_ASSERT_PTR_NULL(strstr(svg, "inf"));
}

static size_t count(const char *text, const char *word) {
        size_t n = 0;

        for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
                n++;
        return n;
}

static void test_html(void) {
        const char *html = draw(true, PLOT_THEME_AUTO);

        CU_ASSERT_EQUAL(strncmp(html, "<!doctype html>", 15), 0);
        CU_ASSERT_PTR_NULL(strstr(html, "@STYLE@"));
        CU_ASSERT_PTR_NULL(strstr(html, "@PANELS@"));
        /* Names are others' data: they end nothing, and begin nothing. */
        CU_ASSERT_EQUAL(count(html, "</script>"), 1);
        CU_ASSERT_EQUAL(count(html, "<svg"), 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(html, "&#60;ssh&#38;d&#62; waited 500.0 ms"));
        CU_ASSERT_PTR_NULL(strstr(html, "<ssh"));
        /* What the picture says, the page says. */
        CU_ASSERT_PTR_NOT_NULL(strstr(html, ">ready<"));
        CU_ASSERT_PTR_NOT_NULL(strstr(html, "level (bits)"));
        CU_ASSERT_PTR_NOT_NULL(strstr(html, "threshold 896"));
        CU_ASSERT_PTR_NOT_NULL(strstr(html, "not ready: getrandom() waits"));
        /* Nothing is loaded. */
        CU_ASSERT_EQUAL(count(html, "http://") + count(html, "https://"), 0);
        CU_ASSERT_EQUAL(count(html, "src="), 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_scene),         HARNESS_TEST(test_labels),
        HARNESS_TEST(test_seeder_labels), HARNESS_TEST(test_too_many_events),
        HARNESS_TEST(test_svg),           HARNESS_TEST(test_empty),
        HARNESS_TEST(test_html),          CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("plot", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
