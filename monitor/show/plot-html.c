/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/show/markup.h"
#include "monitor/show/plot-html.h"
#include "monitor/show/verdict.h"

/* plot-page.html, embedded by the build. */
extern const char plot_page[];

#define STYLE_PLACE  "@STYLE@"
#define PANELS_PLACE "@PANELS@"

static int put_panel(const Recording *recording, FILE *stream) {
        char title[TITLE_MAX], verdict[VERDICT_MAX];
        Analysis analysis;
        int r;

        analysis_make(recording, &analysis);
        (void)verdict_of(recording, &analysis, verdict);
        title_of(recording, title);
        (void)fputs("<section>\n<h1>", stream);
        markup_put(stream, title);
        (void)fputs("</h1>\n<p class=\"sub\">", stream);
        markup_put(stream, verdict);
        (void)fputs("</p>\n", stream);
        r = plot_svg_for_page(recording, stream);
        (void)fputs("</section>\n", stream);
        return r;
}

int plot_html(const Recording *recordings, size_t n_recordings, PlotTheme theme, FILE *stream) {
        const char *style = strstr(plot_page, STYLE_PLACE),
                   *panels = strstr(plot_page, PANELS_PLACE);
        int r;

        if (!style || !panels)
                return -EINVAL;
        (void)fwrite(plot_page, 1, (size_t)(style - plot_page), stream);
        plot_style(theme, stream);
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
