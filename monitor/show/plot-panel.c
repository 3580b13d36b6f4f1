/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "monitor/show/plot-panel.h"
#include "monitor/show/plot-shapes.h"
#include "monitor/show/verdict.h"

#define TITLE_HEIGHT  64.0
#define PHASE_HEIGHT  22.0
#define ROW_HEIGHT    19.0
#define LEVEL_HEIGHT  210.0
#define STARTS_HEIGHT 68.0
#define STARTS_LABEL  16.0
#define LANE_HEIGHT   20.0
#define LANE_WIDTH    3.0
#define AXIS_HEIGHT   44.0
#define GAP           14.0
#define N_BARS        220U
/* Points of the level per pixel. A page can be zoomed, so it has nearly all of them. */
#define RESOLUTION      2.0
#define RESOLUTION_PAGE 64.0

static void begin_group(const Panel *panel, const char *class) {
        (void)fprintf(panel->stream, "<g class=\"%s\">\n", class);
}

static void end_group(const Panel *panel) {
        (void)fputs("</g>\n", panel->stream);
}

static void draw_title(Panel *panel) {
        const Recording *recording = panel->scene->recording;
        char text[TITLE_MAX];

        title_of(recording, text);
        shape_text(panel, PLOT_LEFT, panel->y + 26, "class=\"title\"", text);
        (void)verdict_of(recording, &panel->scene->analysis, text);
        shape_text(panel, PLOT_LEFT, panel->y + 48, "class=\"sub\"", text);
        panel->y += TITLE_HEIGHT;
}

static void draw_phases(Panel *panel) {
        static const char *const classes[_PHASE_MAX] = {
                [PHASE_KERNEL] = "p0",
                [PHASE_INITRAMFS] = "p1",
                [PHASE_USERSPACE] = "p2",
                [PHASE_RUNNING_SYSTEM] = "p2",
        };

        for (size_t i = 0; i < panel->scene->n_phases; i++) {
                const Phase *phase = &panel->scene->phases[i];
                const char *name = phase_to_string(phase->kind);

                shape_bar(panel, classes[phase->kind], phase->span, panel->y, PHASE_HEIGHT, 0);
                shape_word(panel, "", phase->span, panel->y + 15.5, name);
        }
        panel->y += PHASE_HEIGHT + 4;
}

/* Lines first, labels later: no line crosses a word. */
static void draw_mark_lines(const Panel *panel) {
        const Scene *scene = panel->scene;
        char title[SCENE_LABEL_MAX + 32];

        begin_group(panel, "marks lines");
        for (size_t i = 0; i < scene->n_marks; i++) {
                const Mark *mark = &scene->marks[i];
                double y = mark->row < 0 ? panel->level_y : panel->rows_y + ROW_HEIGHT * mark->row;
                const Span moment = { mark->at_usec, mark->at_usec };
                char class[] = { 'm', (char)('0' + mark->mark_class), '\0' };

                (void)snprintf(
                        title,
                        sizeof(title),
                        "%.3f s %s",
                        (double)(mark->at_usec - scene->zero_usec) / 1e6,
                        mark->label);
                shape_line(panel, class, moment, y + 3, panel->bottom_y, title);
        }
        end_group(panel);
}

static void draw_mark_labels(const Panel *panel) {
        const Scene *scene = panel->scene;
        char attributes[96];

        begin_group(panel, "marks labels");
        for (size_t i = 0; i < scene->n_marks; i++) {
                const Mark *mark = &scene->marks[i];
                double x = shape_x(panel, mark->at_usec) + (mark->to_the_left ? -4 : 4);
                double y = panel->rows_y + ROW_HEIGHT * MAX(mark->row, 0) + 13;

                (void)snprintf(
                        attributes,
                        sizeof(attributes),
                        "class=\"name t%d\"%s%s",
                        (int)mark->mark_class,
                        mark->to_the_left ? " text-anchor=\"end\"" : "",
                        mark->row < 0 ? " display=\"none\"" : "");
                shape_text(panel, x, y, attributes, mark->label);
        }
        end_group(panel);
}

double panel_top_bits(const Scene *scene) {
        return (double)scene->top_bits * 1.06;
}

/* Relative to the top of the level's part. */
static double level_y(const Panel *panel, uint64_t bits) {
        return LEVEL_HEIGHT - (double)bits / panel_top_bits(panel->scene) * LEVEL_HEIGHT;
}

static void draw_level_axis(const Panel *panel) {
        uint64_t step = panel->scene->top_bits > 1024 ? 1024 : 64;
        char text[16];

        for (uint64_t bits = 0; bits <= panel->scene->top_bits; bits += step) {
                double y = panel->level_y + level_y(panel, bits);

                shape_rule(panel, "grid", y);
                (void)snprintf(text, sizeof(text), "%" PRIu64, bits);
                shape_text(panel, PLOT_LEFT - 8, y + 4, "class=\"tick\" text-anchor=\"end\"", text);
        }
        (void)fprintf(
                panel->stream,
                "<text transform=\"translate(20,%.1f) rotate(-90)\" text-anchor=\"middle\" "
                "class=\"sub\">level (bits)</text>\n",
                panel->level_y + LEVEL_HEIGHT / 2);
}

/* Until when getrandom() would have blocked; 0: never, or unknown. */
static uint64_t not_ready_until(const Panel *panel) {
        const Analysis *analysis = &panel->scene->analysis;
        uint64_t until_usec = analysis->ready ? analysis->ready_usec : panel->scene->to_usec;

        if (panel->scene->recording->ready_at_start && !analysis->ready_time_known)
                return 0;
        return until_usec > panel->scene->from_usec ? until_usec : 0;
}

static void put_point(const Panel *panel, double x, uint64_t bits) {
        (void)fprintf(
                panel->stream,
                panel->in_page ? " %.3f,%.2f" : " %.1f,%.1f",
                x,
                level_y(panel, bits));
}

/* The samples of one point become: the level before, the highest, the lowest, the level after. */
static void put_level_points(const Panel *panel, bool closed) {
        const Recording *recording = panel->scene->recording;
        double resolution = panel->in_page ? RESOLUTION_PAGE : RESOLUTION;
        double first_x = scene_x(panel->scene, recording->at_usec[0]);
        double last_x = scene_x(panel->scene, recording->ended_usec);
        uint64_t level = recording->minimum_bits[0];

        if (closed)
                put_point(panel, first_x, 0);
        put_point(panel, first_x, level);
        for (size_t i = 0; i < recording->n_samples;) {
                uint64_t low = recording->minimum_bits[i], high = recording->maximum_bits[i];
                uint64_t before = level;
                double at = scene_x(panel->scene, recording->at_usec[i]);
                double x = floor(at * resolution) / resolution;

                while (at < x + 1 / resolution) {
                        low = MIN(low, recording->minimum_bits[i]);
                        high = MAX(high, recording->maximum_bits[i]);
                        level = recording->minimum_bits[i];
                        if (++i == recording->n_samples)
                                break;
                        at = scene_x(panel->scene, recording->at_usec[i]);
                }
                if (low == before && high == before)
                        continue;
                put_point(panel, x, before);
                if (high != level)
                        put_point(panel, x, high);
                if (low != level)
                        put_point(panel, x, low);
                put_point(panel, x, level);
        }
        put_point(panel, last_x, level);
        if (closed)
                put_point(panel, last_x, 0);
}

/* In an SVG of its own, whose viewBox the script of the page zooms. */
static void draw_level(const Panel *panel) {
        if (panel->scene->recording->n_samples == 0) {
                shape_text(
                        panel,
                        PLOT_LEFT + 8,
                        panel->level_y + LEVEL_HEIGHT / 2,
                        "class=\"sub\"",
                        "the level was not recorded");
                return;
        }
        (void)fprintf(
                panel->stream,
                "<svg class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "viewBox=\"0 0 %.1f %.1f\" preserveAspectRatio=\"none\">\n"
                "<polygon class=\"area\" points=\"",
                PLOT_LEFT,
                panel->level_y,
                SCENE_WIDTH,
                LEVEL_HEIGHT,
                SCENE_WIDTH,
                LEVEL_HEIGHT);
        put_level_points(panel, true);
        (void)fputs("\"/>\n<polyline class=\"level\" points=\"", panel->stream);
        put_level_points(panel, false);
        (void)fputs("\"/>\n</svg>\n", panel->stream);
}

/* On a latching kernel it only means "ready". */
static void draw_threshold_label(const Panel *panel, uint64_t bits) {
        bool counting = panel->scene->recording->model == RANDOM_MODEL_COUNTING;
        double y = panel->level_y + level_y(panel, bits) + (counting ? -5 : 15);
        char text[32];

        (void)snprintf(
                text,
                sizeof(text),
                "%s %" PRIu64,
                counting ? "threshold" : "ready at",
                bits);
        shape_text(
                panel,
                PLOT_LEFT + SCENE_WIDTH - 6,
                y,
                "class=\"name tt right\" text-anchor=\"end\"",
                text);
}

/* It changes when a daemon sets it. */
static void draw_threshold(const Panel *panel) {
        const Recording *recording = panel->scene->recording;
        Span span = { .from_usec = panel->scene->zero_usec };
        uint64_t bits = recording->threshold_bits;

        if (bits == 0 || bits > panel->scene->top_bits)
                return;
        begin_group(panel, "thresholds");
        for (size_t i = 0; i <= recording->n_events; i++) {
                const Event *event = i < recording->n_events ? &recording->events[i] : NULL;
                double y = panel->level_y + level_y(panel, bits);

                if (event && event->kind != EVENT_THRESHOLD)
                        continue;
                span.to_usec = event ? event->at_usec : panel->scene->to_usec;
                shape_line(panel, "threshold", span, y, y, "");
                span.from_usec = span.to_usec;
                if (event)
                        bits = strtoul(event->text, NULL, 10);
        }
        draw_threshold_label(panel, bits);
        end_group(panel);
}

/* The counts, from which the script of the page makes new bars when zoomed. */
static void put_start_counts(const Panel *panel) {
        const Recording *recording = panel->scene->recording;
        const uint64_t *starts = analysis_starts(recording);

        (void)fprintf(
                panel->stream,
                "<g class=\"bars\" data-from=\"%" PRIu64 "\" data-interval=\"%" PRIu64
                "\" data-counts=\"",
                recording->starts_from_usec,
                recording->starts_interval_usec);
        for (size_t i = 0; panel->in_page && i < recording->n_starts; i++)
                (void)fprintf(panel->stream, "%" PRIu64 " ", starts[i]);
        (void)fputs("\">\n", panel->stream);
}

static void draw_starts(Panel *panel) {
        const Scene *scene = panel->scene;
        uint64_t range = scene->to_usec - scene->from_usec, most = 1, counts[N_BARS];
        char text[96];

        for (size_t i = 0; i < N_BARS; i++) {
                counts[i] = analysis_starts_between(
                        scene->recording,
                        scene->from_usec + range * i / N_BARS,
                        scene->from_usec + range * (i + 1) / N_BARS);
                most = MAX(most, counts[i]);
        }
        begin_group(panel, "starts");
        put_start_counts(panel);
        for (size_t i = 0; i < N_BARS; i++) {
                double height = (double)counts[i] / (double)most * (STARTS_HEIGHT - STARTS_LABEL);
                uint64_t from_usec = scene->from_usec + range * i / N_BARS;
                const Span span = { from_usec, from_usec + range / N_BARS * 4 / 5 };
                double y = panel->y + STARTS_HEIGHT - height;

                if (counts[i] > 0)
                        shape_bar(panel, "bar", span, y, height, 1);
        }
        end_group(panel);
        shape_rule(panel, "frame", panel->y + STARTS_HEIGHT);
        (void)snprintf(
                text,
                sizeof(text),
                "process starts, tallest bar: %" PRIu64 " in %s",
                most,
                FORMAT_USEC(range / N_BARS));
        shape_text(panel, PLOT_LEFT + 4, panel->y + 9, "class=\"name sub\"", text);
        end_group(panel);
        panel->y += STARTS_HEIGHT + GAP;
}

static void draw_lane(const Panel *panel, const Lane *lane) {
        const BlockedSpan *blocked = lane->span;
        const Span span = { blocked->from_usec, blocked->to_usec };
        double from_x = shape_x(panel, span.from_usec);
        double to_x = MAX(shape_x(panel, span.to_usec), from_x + LANE_WIDTH);
        double y = panel->y + LANE_HEIGHT * (double)lane->row;
        bool to_the_left = to_x > PLOT_LEFT + SCENE_WIDTH * 0.66;
        const char *class = blocked->jitter ? "b1" : "b0";
        char text[96];

        (void)fprintf(panel->stream, "<g data-pid=\"%d\">\n", (int)blocked->pid);
        shape_bar(panel, class, span, y + 3, LANE_HEIGHT - 7, LANE_WIDTH);
        (void)snprintf(
                text,
                sizeof(text),
                "%s waited %s%s",
                blocked->name,
                FORMAT_USEC(blocked_usec(blocked)),
                blocked->jitter ? ", in the jitter loop" : "");
        shape_text(
                panel,
                to_the_left ? from_x - 6 : to_x + 6,
                y + 14,
                to_the_left ? "class=\"name\" text-anchor=\"end\"" : "class=\"name\"",
                text);
        end_group(panel);
}

static void draw_lanes(Panel *panel) {
        const Scene *scene = panel->scene;
        char text[96];

        begin_group(panel, "lanes");
        for (size_t i = 0; i < scene->n_lanes; i++)
                draw_lane(panel, &scene->lanes[i]);
        panel->y += LANE_HEIGHT * (double)scene->n_lane_rows;
        if (scene->n_hidden > 0) {
                (void)snprintf(text, sizeof(text), "and %zu more that waited", scene->n_hidden);
                shape_text(panel, PLOT_LEFT + 4, panel->y + 12, "class=\"name t2\"", text);
                panel->y += LANE_HEIGHT;
        }
        end_group(panel);
}

static void draw_time_axis(const Panel *panel) {
        const Scene *scene = panel->scene;
        uint64_t step = scene_time_step(scene, 12);
        uint64_t first = (scene->from_usec - scene->zero_usec + step - 1) / step * step;
        double y = panel->y;
        char text[32];

        (void)fprintf(panel->stream, "<g class=\"ticks\" data-y=\"%.1f\">\n", y);
        for (uint64_t at = first; scene->zero_usec + at <= scene->to_usec; at += step) {
                double x = shape_x(panel, scene->zero_usec + at);

                (void)fprintf(panel->stream, "<path d=\"M%.1f %.1fv5\" class=\"frame\"/>\n", x, y);
                (void)snprintf(text, sizeof(text), "%.6g", (double)at / 1e6);
                shape_text(panel, x, y + 19, "class=\"tick\" text-anchor=\"middle\"", text);
        }
        end_group(panel);
        shape_rule(panel, "frame", y);
        shape_text(
                panel,
                PLOT_LEFT + SCENE_WIDTH,
                y + 36,
                "class=\"sub right\" text-anchor=\"end\"",
                scene->recording->first_process ? "seconds since the kernel started"
                                                : "seconds since the recording began");
}

/* A narrow page needs more rows. */
size_t panel_rows(const Scene *scene, bool in_page) {
        return in_page ? MIN(scene->n_marks, SCENE_MAX_ROWS) : scene->n_rows;
}

/* The height between the level and the time axis. */
static double lower_height(const Scene *scene) {
        return GAP + STARTS_HEIGHT + GAP +
               LANE_HEIGHT * (double)(scene->n_lane_rows + (scene->n_hidden > 0 ? 1 : 0));
}

double panel_height(const Scene *scene, bool in_page) {
        return (in_page ? 0 : TITLE_HEIGHT) + PHASE_HEIGHT + 4 +
               ROW_HEIGHT * (double)panel_rows(scene, in_page) + LEVEL_HEIGHT +
               lower_height(scene) + AXIS_HEIGHT;
}

void panel_draw(const Scene *scene, bool in_page, double y, FILE *stream) {
        Panel panel = { .scene = scene, .stream = stream, .in_page = in_page, .y = y };
        const Span not_ready = { scene->zero_usec, not_ready_until(&panel) };

        if (!in_page)
                draw_title(&panel);
        draw_phases(&panel);
        panel.rows_y = panel.y;
        panel.level_y = panel.rows_y + ROW_HEIGHT * (double)panel_rows(scene, in_page);
        panel.bottom_y = panel.level_y + LEVEL_HEIGHT + lower_height(scene);
        y = panel.level_y;
        if (not_ready.to_usec > 0)
                shape_bar(&panel, "starved", not_ready, y, LEVEL_HEIGHT, 0);
        draw_level_axis(&panel);
        draw_mark_lines(&panel);
        draw_level(&panel);
        draw_threshold(&panel);
        draw_mark_labels(&panel);
        if (not_ready.to_usec > 0)
                shape_word(&panel, "name t2", not_ready, y + 34, "not ready: getrandom() waits");
        panel.y = y + LEVEL_HEIGHT + GAP;
        draw_starts(&panel);
        draw_lanes(&panel);
        draw_time_axis(&panel);
}
