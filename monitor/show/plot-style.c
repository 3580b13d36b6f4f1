/* SPDX-License-Identifier: MIT */
#include "monitor/show/plot-style.h"
#include "lib/base/cleanup.h"

/* Letters of the style below that stand for a colour. librsvg knows no CSS variables. */
typedef struct Palette {
        char letter;
        const char *light;
        const char *dark;
} Palette;

static const Palette palette[] = {
        { 'b', "#ffffff", "#12161d" }, /* background */
        { 'f', "#1c2330", "#e7ebf2" }, /* text */
        { 's', "#5d6778", "#9aa5b5" }, /* text that matters less */
        { 'g', "#e3e7ee", "#262d38" }, /* grid */
        { 'r', "#b9c1cd", "#465063" }, /* axes */
        { 'l', "#1261c4", "#63a9ff" }, /* level */
        { 't', "#b45309", "#f0a04b" }, /* threshold */
        { 'v', "#fdecea", "#33191c" }, /* not ready */
        { 'o', "#15803d", "#4cc779" }, /* good */
        { 'x', "#c81e1e", "#ff7b72" }, /* bad */
        { 'm', "#6b7686", "#8d98a9" }, /* marks */
        { 'a', "#8aa0bd", "#5b7391" }, /* bars */
        { 'j', "#7c3aed", "#b794f6" }, /* jitter loop */
        { 'k', "#dfe5ee", "#2a3342" }, /* phases: kernel, initramfs, userspace */
        { 'i', "#fbe7c6", "#4a3a1c" }, { 'u', "#d5ecd9", "#1f3d29" },
};

/* A file that is looked at has to stand alone: no other style sheet, no font that is fetched. */
static const char style[] =
        "text{font-family:Inter,'DejaVu Sans',system-ui,sans-serif;font-size:12.5px;fill:$f}"
        ".title{font-size:18px;font-weight:600}.sub,.tick{fill:$s}"
        ".tick{font-size:11.5px}.name{font-size:11.5px;paint-order:stroke;stroke:$b;stroke-width:3px;"
        "stroke-linejoin:round}.bg{fill:$b}"
        ".grid{stroke:$g;fill:none}.frame{stroke:$r;fill:none}"
        ".level{stroke:$l;stroke-width:1.8;fill:none;stroke-linejoin:round}"
        ".area{fill:$l;opacity:.13}.starved{fill:$v}"
        ".threshold{stroke:$t;stroke-width:1.4;stroke-dasharray:7 4;fill:none}.tt{fill:$t}"
        ".m0{stroke:$m;stroke-width:1;stroke-dasharray:2 3}"
        ".m1{stroke:$o;stroke-width:1.8}.m2{stroke:$x;stroke-width:1.4}"
        ".t0{fill:$s}.t1{fill:$o;font-weight:600}.t2{fill:$x;font-weight:600}"
        ".bar{fill:$a}.b0{fill:$x}.b1{fill:$j}.p0{fill:$k}.p1{fill:$i}.p2{fill:$u}";

static void put_colours(bool dark, FILE *stream) {
        for (const char *p = style; *p; p++) {
                if (*p != '$') {
                        (void)fputc(*p, stream);
                        continue;
                }
                p++;
                for (size_t i = 0; i < ELEMENTSOF(palette); i++)
                        if (palette[i].letter == *p)
                                (void)fputs(dark ? palette[i].dark : palette[i].light, stream);
        }
}

void plot_style(PlotTheme theme, FILE *stream) {
        (void)fputs("<style>", stream);
        put_colours(theme == PLOT_THEME_DARK, stream);
        if (theme == PLOT_THEME_AUTO) {
                (void)fputs("@media(prefers-color-scheme:dark){", stream);
                put_colours(true, stream);
                (void)fputc('}', stream);
        }
        (void)fputs("</style>\n", stream);
}
