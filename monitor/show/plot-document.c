/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "monitor/show/markup.h"
#include "monitor/show/plot-document.h"
#include "monitor/show/plot-panel.h"
#include "monitor/show/plot-shapes.h"
#include "monitor/show/verdict.h"

#define WIDTH     (PLOT_LEFT + SCENE_WIDTH + PLOT_RIGHT)
#define MAX_LANES 8U

#define STYLE_PLACE  "@STYLE@"
#define PANELS_PLACE "@PANELS@"

/* plot.css and plot-page.html, embedded by the build. */
extern const char plot_style_light[];
extern const char plot_style_dark[];
extern const char plot_page[];

static void put_style(PlotTheme theme, FILE *stream) {
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
                scene_make(&recordings[i], MAX_LANES, &scenes[i]);
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
        put_style(theme, stream);
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

/* Without a style and a title, which the page has, and with the detail that is needed to zoom in. */
static int put_panel(const Recording *recording, FILE *stream) {
        _cleanup_free_ Scene *scene = malloc(sizeof(*scene));
        char title[TITLE_MAX], verdict[VERDICT_MAX];

        if (!scene)
                return -ENOMEM;
        scene_make(recording, SCENE_MAX_LANES, scene);
        title_of(recording, title);
        (void)verdict_of(recording, &scene->analysis, verdict);
        (void)fputs("<section>\n<h1>", stream);
        markup_put(stream, title);
        (void)fputs("</h1>\n<p class=\"sub\">", stream);
        markup_put(stream, verdict);
        (void)fprintf(
                stream,
                "</p>\n<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" data-from=\"%" PRIu64
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
        (void)fputs("</svg>\n</section>\n", stream);
        return 0;
}

int plot_html(const Recording *recordings, size_t n_recordings, PlotTheme theme, FILE *stream) {
        const char *style = strstr(plot_page, STYLE_PLACE),
                   *panels = strstr(plot_page, PANELS_PLACE);
        int r;

        if (!style || !panels)
                return -EINVAL;
        (void)fwrite(plot_page, 1, (size_t)(style - plot_page), stream);
        put_style(theme, stream);
        style += strlen(STYLE_PLACE);
        (void)fwrite(style, 1, (size_t)(panels - style), stream);
        for (size_t i = 0; i < n_recordings; i++) {
                r = put_panel(&recordings[i], stream);
                if (r < 0)
                        return r;
        }
        (void)fputs(panels + strlen(PANELS_PLACE), stream);
        return ferror(stream) ? -EIO : 0;
}
