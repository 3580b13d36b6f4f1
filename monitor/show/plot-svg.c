/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "monitor/show/plot-scene.h"
#include "monitor/show/plot-style.h"
#include "monitor/show/plot-svg.h"
#include "monitor/show/verdict.h"

#define WIDTH         1200.0
#define LEFT          74.0
#define RIGHT         26.0
#define PLOT_WIDTH    (WIDTH - LEFT - RIGHT)
#define TITLE_HEIGHT  64.0
#define PHASE_HEIGHT  22.0
#define ROW_HEIGHT    19.0
#define LEVEL_HEIGHT  210.0
#define STARTS_HEIGHT 68.0
#define STARTS_LABEL  16.0
#define LANE_HEIGHT   20.0
#define AXIS_HEIGHT   44.0
#define GAP           14.0
#define N_BARS        220U
#define BAR_WIDTH     (PLOT_WIDTH / N_BARS)
#define LABEL_WIDTH   7.0 /* of one character of a mark's label, generously */

typedef struct Panel {
        const Scene *scene;
        FILE *stream;
        double y; /* of the next part */
        double level_y, bottom_y;
} Panel;

static void put_text(FILE *stream, const char *text) {
        for (; *text; text++)
                switch (*text) {
                case '<':
                        (void)fputs("&lt;", stream);
                        break;
                case '>':
                        (void)fputs("&gt;", stream);
                        break;
                case '&':
                        (void)fputs("&amp;", stream);
                        break;
                case '"':
                        (void)fputs("&quot;", stream);
                        break;
                default:
                        (void)fputc(*text, stream);
                }
}

static void label(FILE *stream, double x, double y, const char *attributes, const char *text) {
        (void)fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
        put_text(stream, text);
        (void)fputs("</text>\n", stream);
}

static double x_of(const Panel *panel, uint64_t at_usec) {
        return LEFT + scene_x(panel->scene, at_usec, PLOT_WIDTH);
}

static double y_of(const Panel *panel, uint32_t bits) {
        /* A little air above a full pool. */
        double top = (double)panel->scene->top_bits * 1.06;

        return panel->level_y + LEVEL_HEIGHT - (double)bits / top * LEVEL_HEIGHT;
}

static void draw_title(Panel *panel) {
        const Recording *recording = panel->scene->recording;
        char text[320], verdict[VERDICT_MAX];
        const char *name = strrchr(recording->path ? recording->path : "", '/');

        name = name ? name + 1 : recording->path ? recording->path : "recording";
        (void)snprintf(
                text,
                sizeof(text),
                "%s: Linux %s, %s RNG, %s",
                name,
                recording->kernel,
                refill_model_to_string(recording->model),
                recording->hwrng[0] ? recording->hwrng : "no hardware RNG");
        label(panel->stream, LEFT, panel->y + 26, "class=\"title\"", text);
        (void)verdict_of(recording, &panel->scene->analysis, verdict);
        label(panel->stream, LEFT, panel->y + 48, "class=\"sub\"", verdict);
        panel->y += TITLE_HEIGHT;
}

static void draw_phases(Panel *panel) {
        static const char *const names[] = { "kernel", "initramfs", "userspace" };
        const Scene *scene = panel->scene;

        for (size_t i = 0; i < scene->n_phases; i++) {
                const Phase *phase = &scene->phases[i];
                double x = x_of(panel, phase->from_usec);
                double width = x_of(panel, phase->to_usec) - x;
                size_t class = 2;

                for (size_t k = 0; k < ELEMENTSOF(names); k++)
                        if (strcmp(names[k], phase->name) == 0)
                                class = k;
                (void)fprintf(
                        panel->stream,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                        "class=\"p%zu\"/>\n",
                        x,
                        panel->y,
                        width,
                        PHASE_HEIGHT,
                        class);
                if (width > (double)strlen(phase->name) * LABEL_WIDTH + 8)
                        label(panel->stream, x + 7, panel->y + 15.5, "", phase->name);
        }
        panel->y += PHASE_HEIGHT + 4;
}

/* Lines first, labels later: no line crosses a word. */
static void draw_mark_lines(const Panel *panel, double rows_y) {
        const Scene *scene = panel->scene;

        for (size_t i = 0; i < scene->n_marks; i++) {
                const Mark *mark = &scene->marks[i];
                double x = x_of(panel, mark->at_usec);
                double y = mark->row < 0 ? panel->level_y : rows_y + ROW_HEIGHT * mark->row;

                (void)fprintf(
                        panel->stream,
                        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"m%d\">"
                        "<title>%.3f s ",
                        x,
                        x,
                        y + 3,
                        panel->bottom_y,
                        (int)mark->mark_class,
                        (double)(mark->at_usec - scene->zero_usec) / 1e6);
                put_text(panel->stream, mark->label);
                (void)fputs("</title></line>\n", panel->stream);
        }
}

static void draw_mark_labels(const Panel *panel, double rows_y) {
        const Scene *scene = panel->scene;
        char attributes[64];

        for (size_t i = 0; i < scene->n_marks; i++) {
                const Mark *mark = &scene->marks[i];
                double x = x_of(panel, mark->at_usec);

                if (mark->row < 0)
                        continue;
                (void)snprintf(
                        attributes,
                        sizeof(attributes),
                        "class=\"name t%d\"%s",
                        (int)mark->mark_class,
                        mark->to_the_left ? " text-anchor=\"end\"" : "");
                label(panel->stream,
                      mark->to_the_left ? x - 4 : x + 4,
                      rows_y + ROW_HEIGHT * mark->row + 13,
                      attributes,
                      mark->label);
        }
}

static void draw_level_axis(const Panel *panel) {
        uint32_t step = panel->scene->top_bits > 1024 ? 1024 : 64;
        char text[16];

        for (uint32_t bits = 0; bits <= panel->scene->top_bits; bits += step) {
                double y = y_of(panel, bits);

                (void)fprintf(
                        panel->stream,
                        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
                        LEFT,
                        LEFT + PLOT_WIDTH,
                        y,
                        y);
                (void)snprintf(text, sizeof(text), "%u", bits);
                label(panel->stream, LEFT - 8, y + 4, "class=\"tick\" text-anchor=\"end\"", text);
        }
        (void)fprintf(
                panel->stream,
                "<text transform=\"translate(20,%.1f) rotate(-90)\" text-anchor=\"middle\" "
                "class=\"sub\">level (bits)</text>\n",
                panel->level_y + LEVEL_HEIGHT / 2);
}

/* Until when a getrandom() would have waited; 0: it is not known, or never. */
static uint64_t starved_until(const Panel *panel) {
        const Analysis *analysis = &panel->scene->analysis;
        uint64_t until_usec = analysis->ready ? analysis->ready_usec : panel->scene->to_usec;

        if (panel->scene->recording->ready_at_start && !analysis->ready_time_known)
                return 0;
        return until_usec > panel->scene->from_usec ? until_usec : 0;
}

static void draw_starved(const Panel *panel) {
        uint64_t until_usec = starved_until(panel);
        double x = x_of(panel, panel->scene->from_usec);

        if (until_usec > 0)
                (void)fprintf(
                        panel->stream,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                        "class=\"starved\"/>\n",
                        x,
                        panel->level_y,
                        x_of(panel, until_usec) - x,
                        LEVEL_HEIGHT);
}

static void draw_starved_label(const Panel *panel) {
        double x = x_of(panel, panel->scene->from_usec);

        if (x_of(panel, starved_until(panel)) - x > 200)
                label(panel->stream,
                      x + 8,
                      panel->level_y + 34,
                      "class=\"name t2\"",
                      "not ready: getrandom() waits");
}

/* One point per pixel at most: the extremes of the samples that fall on it. */
static void put_level_points(const Panel *panel, bool closed) {
        const Recording *recording = panel->scene->recording;
        double last_x = x_of(panel, recording->at_usec[0]);
        uint32_t level = recording->minimum_bits[0];
        size_t i = 0;

        (void)fprintf(panel->stream, "%.1f,%.1f", last_x, y_of(panel, closed ? 0 : level));
        if (closed)
                (void)fprintf(panel->stream, " %.1f,%.1f", last_x, y_of(panel, level));
        while (i < recording->n_samples) {
                double x = floor(x_of(panel, recording->at_usec[i]) * 2) / 2;
                uint32_t low = recording->minimum_bits[i], high = recording->maximum_bits[i];
                uint32_t before = level;

                for (; i < recording->n_samples && x_of(panel, recording->at_usec[i]) < x + 0.5;
                     i++) {
                        low = MIN(low, recording->minimum_bits[i]);
                        high = MAX(high, recording->maximum_bits[i]);
                        level = recording->minimum_bits[i];
                }
                if (low == before && high == before)
                        continue;
                (void)fprintf(panel->stream, " %.1f,%.1f", x, y_of(panel, before));
                if (high != before && high != level)
                        (void)fprintf(panel->stream, " %.1f,%.1f", x, y_of(panel, high));
                if (low != before && low != level)
                        (void)fprintf(panel->stream, " %.1f,%.1f", x, y_of(panel, low));
                (void)fprintf(panel->stream, " %.1f,%.1f", x, y_of(panel, level));
        }
        last_x = x_of(panel, recording->ended_usec);
        (void)fprintf(panel->stream, " %.1f,%.1f", last_x, y_of(panel, level));
        if (closed)
                (void)fprintf(panel->stream, " %.1f,%.1f", last_x, y_of(panel, 0));
}

static void draw_level(const Panel *panel) {
        if (panel->scene->recording->n_samples == 0) {
                label(panel->stream,
                      LEFT + 8,
                      panel->level_y + LEVEL_HEIGHT / 2,
                      "class=\"sub\"",
                      "the level was not recorded");
                return;
        }
        (void)fputs("<polygon class=\"area\" points=\"", panel->stream);
        put_level_points(panel, true);
        (void)fputs("\"/>\n<polyline class=\"level\" points=\"", panel->stream);
        put_level_points(panel, false);
        (void)fputs("\"/>\n", panel->stream);
}

static void threshold_segment(
        const Panel *panel,
        uint64_t from_usec,
        uint64_t to_usec,
        uint32_t bits) {
        double y = y_of(panel, bits);

        (void)fprintf(
                panel->stream,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"threshold\"/>\n",
                x_of(panel, from_usec),
                x_of(panel, to_usec),
                y,
                y);
}

/* It moves when a daemon sets it. On a latching kernel it means nothing but "ready". */
static void draw_threshold(const Panel *panel) {
        const Recording *recording = panel->scene->recording;
        uint64_t from_usec = panel->scene->from_usec;
        uint32_t bits = recording->threshold_bits;
        char text[64];

        if (bits == 0 || bits > panel->scene->top_bits)
                return;
        for (size_t i = 0; i < recording->n_events; i++) {
                const Event *event = &recording->events[i];

                if (event->kind != EVENT_THRESHOLD)
                        continue;
                threshold_segment(panel, from_usec, event->at_usec, bits);
                from_usec = event->at_usec;
                bits = (uint32_t)strtoul(event->text, NULL, 10);
        }
        threshold_segment(panel, from_usec, panel->scene->to_usec, bits);
        (void)snprintf(
                text,
                sizeof(text),
                recording->model == RANDOM_MODEL_COUNTING ? "threshold %u" : "ready at %u",
                bits);
        label(panel->stream,
              LEFT + PLOT_WIDTH - 6,
              y_of(panel, bits) + (recording->model == RANDOM_MODEL_COUNTING ? -5 : 15),
              "class=\"name tt\" text-anchor=\"end\"",
              text);
}

static uint64_t starts_in(const Recording *recording, uint64_t from_usec, uint64_t to_usec) {
        const uint32_t *starts = analysis_starts(recording);
        uint64_t interval = MAX(recording->starts_interval_usec, UINT64_C(1)), n = 0, first, last;

        if (to_usec <= recording->starts_from_usec)
                return 0;
        first = from_usec > recording->starts_from_usec
                        ? (from_usec - recording->starts_from_usec + interval - 1) / interval
                        : 0;
        last = (to_usec - recording->starts_from_usec + interval - 1) / interval;
        for (uint64_t i = first; i < last && i < recording->n_starts; i++)
                n += starts[i];
        return n;
}

static void draw_starts(Panel *panel) {
        const Scene *scene = panel->scene;
        uint64_t range = scene->to_usec - scene->from_usec, most = 1;
        char text[96], window[FORMAT_USEC_MAX];

        for (size_t i = 0; i < N_BARS; i++)
                most =
                        MAX(most,
                            starts_in(
                                    scene->recording,
                                    scene->from_usec + range * i / N_BARS,
                                    scene->from_usec + range * (i + 1) / N_BARS));
        for (size_t i = 0; i < N_BARS; i++) {
                uint64_t n = starts_in(
                        scene->recording,
                        scene->from_usec + range * i / N_BARS,
                        scene->from_usec + range * (i + 1) / N_BARS);
                double height = (double)n / (double)most * (STARTS_HEIGHT - STARTS_LABEL);

                if (n > 0)
                        (void)fprintf(
                                panel->stream,
                                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                                "class=\"bar\"/>\n",
                                LEFT + BAR_WIDTH * (double)i,
                                panel->y + STARTS_HEIGHT - height,
                                BAR_WIDTH - 1,
                                height);
        }
        (void)fprintf(
                panel->stream,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"frame\"/>\n",
                LEFT,
                LEFT + PLOT_WIDTH,
                panel->y + STARTS_HEIGHT,
                panel->y + STARTS_HEIGHT);
        format_usec(range / N_BARS, window);
        (void)snprintf(
                text,
                sizeof(text),
                "process starts, tallest bar: %" PRIu64 " in %s",
                most,
                window);
        label(panel->stream, LEFT + 4, panel->y + 9, "class=\"name sub\"", text);
        panel->y += STARTS_HEIGHT + GAP;
}

static void draw_lanes(Panel *panel) {
        const Scene *scene = panel->scene;
        char text[96], length[FORMAT_USEC_MAX];

        for (size_t i = 0; i < scene->n_lanes; i++) {
                const BlockedSpan *span = scene->lanes[i].span;
                double x = x_of(panel, span->from_usec);
                double width = MAX(x_of(panel, span->to_usec) - x, 3.0);
                double y = panel->y + LANE_HEIGHT * (double)scene->lanes[i].row;
                bool to_the_left = x + width > LEFT + PLOT_WIDTH * 0.66;

                (void)fprintf(
                        panel->stream,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" "
                        "class=\"b%d\"/>\n",
                        x,
                        y + 3,
                        width,
                        LANE_HEIGHT - 7,
                        span->jitter ? 1 : 0);
                format_usec(blocked_usec(span), length);
                (void)snprintf(
                        text,
                        sizeof(text),
                        "%s waited %s%s",
                        span->name,
                        length,
                        span->jitter ? ", in the jitter loop" : "");
                label(panel->stream,
                      to_the_left ? x - 6 : x + width + 6,
                      y + 14,
                      to_the_left ? "class=\"name\" text-anchor=\"end\"" : "class=\"name\"",
                      text);
        }
        if (scene->n_hidden > 0) {
                (void)snprintf(text, sizeof(text), "and %zu more that waited", scene->n_hidden);
                label(panel->stream,
                      LEFT + 4,
                      panel->y + LANE_HEIGHT * (double)scene->n_lane_rows + 12,
                      "class=\"name t2\"",
                      text);
                panel->y += LANE_HEIGHT;
        }
        panel->y += LANE_HEIGHT * (double)scene->n_lane_rows;
}

static void draw_time_axis(Panel *panel) {
        const Scene *scene = panel->scene;
        uint64_t step = scene_time_step(scene, 12);
        uint64_t first = (scene->from_usec - scene->zero_usec + step - 1) / step * step;
        char text[32];

        for (uint64_t at = first; scene->zero_usec + at <= scene->to_usec; at += step) {
                double x = x_of(panel, scene->zero_usec + at);

                (void)fprintf(
                        panel->stream,
                        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"frame\"/>\n",
                        x,
                        x,
                        panel->y,
                        panel->y + 5);
                (void)snprintf(text, sizeof(text), "%.6g", (double)at / 1e6);
                label(panel->stream,
                      x,
                      panel->y + 19,
                      "class=\"tick\" text-anchor=\"middle\"",
                      text);
        }
        (void)fprintf(
                panel->stream,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"frame\"/>\n",
                LEFT,
                LEFT + PLOT_WIDTH,
                panel->y,
                panel->y);
        label(panel->stream,
              LEFT + PLOT_WIDTH,
              panel->y + 36,
              "class=\"sub\" text-anchor=\"end\"",
              scene->recording->first_process ? "seconds since the kernel started"
                                              : "seconds since the recording began");
        panel->y += AXIS_HEIGHT;
}

static double lanes_height(const Scene *scene) {
        return LANE_HEIGHT * (double)(scene->n_lane_rows + (scene->n_hidden > 0 ? 1 : 0));
}

static double panel_height(const Scene *scene) {
        return TITLE_HEIGHT + PHASE_HEIGHT + 4 + ROW_HEIGHT * (double)scene->n_rows + LEVEL_HEIGHT +
               GAP + STARTS_HEIGHT + GAP + lanes_height(scene) + AXIS_HEIGHT;
}

static void draw_panel(const Scene *scene, double y, FILE *stream) {
        Panel panel = { .scene = scene, .stream = stream, .y = y };
        double rows_y;

        draw_title(&panel);
        draw_phases(&panel);
        rows_y = panel.y;
        panel.level_y = rows_y + ROW_HEIGHT * (double)scene->n_rows;
        panel.bottom_y =
                panel.level_y + LEVEL_HEIGHT + GAP + STARTS_HEIGHT + GAP + lanes_height(scene);
        draw_starved(&panel);
        draw_level_axis(&panel);
        draw_mark_lines(&panel, rows_y);
        draw_level(&panel);
        draw_threshold(&panel);
        draw_mark_labels(&panel, rows_y);
        draw_starved_label(&panel);
        panel.y = panel.level_y + LEVEL_HEIGHT + GAP;
        draw_starts(&panel);
        draw_lanes(&panel);
        draw_time_axis(&panel);
}

int plot_svg(const Recording *recordings, size_t n_recordings, PlotTheme theme, FILE *stream) {
        _cleanup_free_ Scene *scenes = NULL;
        double height = 8, y = 0;

        scenes = calloc(n_recordings, sizeof(*scenes));
        if (!scenes)
                return -ENOMEM;
        for (size_t i = 0; i < n_recordings; i++) {
                scene_make(&recordings[i], PLOT_WIDTH, LABEL_WIDTH, &scenes[i]);
                height += panel_height(&scenes[i]);
        }
        (void)fprintf(
                stream,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>Entropy of a boot</title>\n",
                WIDTH,
                height,
                WIDTH,
                height);
        plot_style(theme, stream);
        (void)fprintf(
                stream,
                "<rect width=\"%.0f\" height=\"%.0f\" class=\"bg\"/>\n",
                WIDTH,
                height);
        for (size_t i = 0; i < n_recordings; i++) {
                draw_panel(&scenes[i], y, stream);
                y += panel_height(&scenes[i]);
        }
        (void)fputs("</svg>\n", stream);
        return ferror(stream) ? -EIO : 0;
}
