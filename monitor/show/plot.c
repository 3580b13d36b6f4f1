/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "monitor/options.h"
#include "monitor/settings.h"
#include "monitor/show/input.h"
#include "monitor/show/plot-document.h"
#include "monitor/show/verbs.h"

#define PNG_CONVERTER "rsvg-convert"

typedef struct PlotOptions {
        const char *output;
        PlotTheme theme;
        bool html;
        SettingArguments recordings;
} PlotOptions;

static const SettingWord themes[] = {
        { "auto", PLOT_THEME_AUTO },
        { "light", PLOT_THEME_LIGHT },
        { "dark", PLOT_THEME_DARK },
        {},
};

#define AT(_type, _field) SETTING_AT(_type, PlotOptions, _field)

static const Setting rows[] = {
        { "-o, --output=FILE",
          "write to FILE: .svg, .png or .html (standard output)",
          AT(ARGUMENT, output) },
        { "-t, --theme=THEME", "auto, light or dark", AT(WORD, theme), .words = themes },
        { "-H, --html", "a page with zoom and hover", AT(BOOL, html) },
        OPTIONS_HELP,
        INPUT_RECORDINGS(
                PlotOptions,
                recordings,
                SETTING_ARGUMENTS_MAX,
                "at most 16 recordings in one plot"),
};

static const ConfigOptions table = { rows, ELEMENTSOF(rows) };

static bool has_suffix(const char *path, const char *suffix) {
        size_t n = strlen(path), n_suffix = strlen(suffix);

        return n >= n_suffix && strcmp(path + n - n_suffix, suffix) == 0;
}

static int run_converter(int svg_fd, const char *path) {
        char *argv[] = { (char *)PNG_CONVERTER, (char *)"-o", (char *)path, NULL };
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r, status;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_adddup2(&actions, svg_fd, STDIN_FILENO);
        if (r == 0)
                r = posix_spawnp(&pid, PNG_CONVERTER, &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return -r;
        if (waitpid(pid, &status, 0) < 0)
                return negative_errno();
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int write_png(const char *path, const char *svg, size_t length) {
        _cleanup_close_ int fd = memfd_create("plot.svg", MFD_CLOEXEC);
        int r;

        if (fd < 0)
                return negative_errno();
        r = io_write_full(fd, svg, length);
        if (r < 0)
                return r;
        return lseek(fd, 0, SEEK_SET) < 0 ? negative_errno() : run_converter(fd, path);
}

static int write_picture(const char *path, const char *text, size_t length) {
        bool is_png = path && has_suffix(path, ".png");
        int r;

        if (!path || strcmp(path, "-") == 0)
                r = io_write_full(STDOUT_FILENO, text, length);
        else if (is_png)
                r = write_png(path, text, length);
        else
                r = io_write_atomic_at(AT_FDCWD, path, 0644, text, length);
        if (r == -ENOENT && is_png) {
                log_error("PNG needs %s (librsvg); SVG and HTML do not", PNG_CONVERTER);
                return EX_UNAVAILABLE;
        }
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot write %s", path ? path : "the picture");
                return EX_CANTCREAT;
        }
        return EXIT_SUCCESS;
}

static int draw(const PlotOptions *options, const Recording *recordings, size_t n_recordings) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        FILE *stream;
        int r;

        stream = open_memstream(&text, &length);
        if (!stream)
                return EX_OSERR;
        r = options->html ? plot_html(recordings, n_recordings, options->theme, stream)
                          : plot_svg(recordings, n_recordings, options->theme, stream);
        if (fclose(stream) != 0 && r >= 0)
                r = -ENOMEM;
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot draw");
                return EX_OSERR;
        }
        return write_picture(options->output, text, length);
}

int plot_main(int argc, char *argv[]) {
        _cleanup_free_ Recording *recordings = NULL;
        PlotOptions options = { .theme = PLOT_THEME_AUTO };
        SettingArguments *paths = &options.recordings;
        size_t n_recordings = 0;
        int r;

        if (!options_read(&table, "plot [OPTION...] [RECORDING...]", argc, argv, &options, &r))
                return r;
        if (options.output && has_suffix(options.output, ".html"))
                options.html = true;
        if (paths->n == 0)
                paths->list[paths->n++] = SETTINGS_OUTPUT;

        recordings = calloc(paths->n, sizeof(*recordings));
        if (!recordings)
                return EX_OSERR;
        for (r = 0; r == 0 && n_recordings < paths->n;) {
                r = input_read(paths->list[n_recordings], &recordings[n_recordings]);
                if (r == 0)
                        n_recordings++;
        }

        if (r == 0)
                r = draw(&options, recordings, n_recordings);
        for (size_t i = 0; i < n_recordings; i++)
                recording_free(&recordings[i]);
        return r;
}
