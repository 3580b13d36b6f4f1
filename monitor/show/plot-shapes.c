/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "monitor/show/markup.h"
#include "monitor/show/plot-shapes.h"

double shape_x(const Panel *panel, uint64_t at_usec) {
        return PLOT_LEFT + scene_x(panel->scene, at_usec);
}

void shape_bar(
        const Panel *panel,
        const char *class,
        Span span,
        double y,
        double height,
        double least_width) {
        double x = shape_x(panel, span.from_usec), width = shape_x(panel, span.to_usec) - x;

        (void)fprintf(
                panel->stream,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\" "
                "data-at=\"%" PRIu64 "\" data-to=\"%" PRIu64 "\"/>\n",
                x,
                y,
                MAX(width, least_width),
                height,
                class,
                span.from_usec,
                span.to_usec);
}

void shape_line(
        const Panel *panel,
        const char *class,
        Span span,
        double from_y,
        double to_y,
        const char *title) {
        (void)fprintf(
                panel->stream,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\" "
                "data-at=\"%" PRIu64 "\" data-to=\"%" PRIu64 "\"%s><title>",
                shape_x(panel, span.from_usec),
                shape_x(panel, span.to_usec),
                from_y,
                to_y,
                class,
                span.from_usec,
                span.to_usec,
                span.to_usec < panel->scene->from_usec ? " display=\"none\"" : "");
        markup_put(panel->stream, title);
        (void)fputs("</title></line>\n", panel->stream);
}

void shape_rule(const Panel *panel, const char *class, double y) {
        (void)fprintf(
                panel->stream,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s wide\"/>\n",
                PLOT_LEFT,
                PLOT_LEFT + SCENE_WIDTH,
                y,
                y,
                class);
}

void shape_text(const Panel *panel, double x, double y, const char *attributes, const char *text) {
        (void)fprintf(panel->stream, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
        markup_put(panel->stream, text);
        (void)fputs("</text>\n", panel->stream);
}

void shape_word(const Panel *panel, const char *class, Span span, double y, const char *word) {
        double x = shape_x(panel, span.from_usec), width = shape_x(panel, span.to_usec) - x;
        char attributes[128];

        (void)snprintf(
                attributes,
                sizeof(attributes),
                "class=\"word %s\" data-at=\"%" PRIu64 "\" data-to=\"%" PRIu64 "\"%s",
                class,
                span.from_usec,
                span.to_usec,
                width > (double)strlen(word) * SCENE_LABEL_WIDTH + 8 ? "" : " display=\"none\"");
        shape_text(panel, x + 7, y, attributes, word);
}
