/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "monitor/show/plot-panel.h"
#include "monitor/show/plot-shapes.h"
#include "monitor/show/plot-svg.h"

#define WIDTH     (PLOT_LEFT + PLOT_WIDTH + PLOT_RIGHT)
#define MAX_LANES 8U

/* plot.css, embedded by the build. */
extern const char plot_style_light[];
extern const char plot_style_dark[];

void plot_style(PlotTheme theme, FILE *stream) {
        (void)fprintf(
                stream,
                theme == PLOT_THEME_AUTO
                        ? "<style>\n%s@media (prefers-color-scheme: dark) {\n%s}\n</style>\n"
                        : "<style>\n%s</style>\n",
                theme == PLOT_THEME_DARK ? plot_style_dark : plot_style_light,
                plot_style_dark);
}

int plot_svg(const Recording *recordings, size_t n_recordings, PlotTheme theme, FILE *stream) {
        _cleanup_free_ Scene *scenes = NULL;
        double height = 8, y = 0;

        scenes = calloc(n_recordings, sizeof(*scenes));
        if (!scenes)
                return -ENOMEM;
        for (size_t i = 0; i < n_recordings; i++) {
                scene_make(&recordings[i], PLOT_WIDTH, PLOT_LABEL_WIDTH, MAX_LANES, &scenes[i]);
                height += panel_height(&scenes[i], false);
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
                panel_draw(&scenes[i], false, y, stream);
                y += panel_height(&scenes[i], false);
        }
        (void)fputs("</svg>\n", stream);
        return ferror(stream) ? -EIO : 0;
}

int plot_svg_for_page(const Recording *recording, FILE *stream) {
        _cleanup_free_ Scene *scene = malloc(sizeof(*scene));

        if (!scene)
                return -ENOMEM;
        scene_make(recording, PLOT_WIDTH, PLOT_LABEL_WIDTH, SCENE_MAX_LANES, scene);
        (void)fprintf(
                stream,
                "<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" data-from=\"%" PRIu64
                "\" data-to=\"%" PRIu64 "\" data-zero=\"%" PRIu64
                "\" data-rows=\"%zu\" data-top=\"%.2f\">\n",
                WIDTH,
                panel_height(scene, true),
                scene->from_usec,
                scene->to_usec,
                scene->zero_usec,
                panel_rows(scene, true),
                panel_top_bits(scene));
        panel_draw(scene, true, 0, stream);
        (void)fputs("</svg>\n", stream);
        return ferror(stream) ? -EIO : 0;
}
