/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "monitor/show/input.h"
#include "monitor/show/plot-document.h"
#include "monitor/show/verbs.h"

#define MAX_RECORDINGS 16
#define PNG_CONVERTER  "rsvg-convert"

typedef struct PlotOptions {
        const char *output;
        PlotTheme theme;
        bool html;
} PlotOptions;

static bool has_suffix(const char *path, const char *suffix) {
        size_t n = strlen(path), n_suffix = strlen(suffix);

        return n >= n_suffix && strcmp(path + n - n_suffix, suffix) == 0;
}

static int parse_theme(const char *name, PlotTheme *ret_theme) {
        static const char *const names[] = {
                [PLOT_THEME_AUTO] = "auto",
                [PLOT_THEME_LIGHT] = "light",
                [PLOT_THEME_DARK] = "dark",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcmp(names[i], name) == 0) {
                        *ret_theme = (PlotTheme)i;
                        return 0;
                }
        log_error("--theme=%s is none of auto, light and dark", name);
        return -EINVAL;
}

static int parse_arguments(int argc, char *argv[], PlotOptions *options) {
        static const struct option long_options[] = {
                { "output", required_argument, NULL, 'o' },
                { "theme", required_argument, NULL, 't' },
                { "html", no_argument, NULL, 'H' },
                {},
        };
        int letter;

        *options = (PlotOptions){ .theme = PLOT_THEME_AUTO };
        while ((letter = getopt_long(argc, argv, "o:t:H", long_options, NULL)) >= 0)
                switch (letter) {
                case 'o':
                        options->output = optarg;
                        break;
                case 't':
                        if (parse_theme(optarg, &options->theme) < 0)
                                return EX_USAGE;
                        break;
                case 'H':
                        options->html = true;
                        break;
                default:
                        return EX_USAGE;
                }
        if (argc - optind > MAX_RECORDINGS) {
                log_error("At most %d recordings fit into one picture", MAX_RECORDINGS);
                return EX_USAGE;
        }
        if (options->output && has_suffix(options->output, ".html"))
                options->html = true;
        return 0;
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
        size_t n_recordings = 0;
        PlotOptions options;
        int r;

        r = parse_arguments(argc, argv, &options);
        if (r != 0)
                return r;
        recordings = calloc(MAX_RECORDINGS, sizeof(*recordings));
        if (!recordings)
                return EX_OSERR;
        do {
                const char *path = input_path(argc, argv, optind + (int)n_recordings);

                r = input_read(path, &recordings[n_recordings]);
                if (r != 0)
                        break;
                n_recordings++;
        } while (optind + (int)n_recordings < argc);

        if (r == 0)
                r = draw(&options, recordings, n_recordings);
        for (size_t i = 0; i < n_recordings; i++)
                recording_free(&recordings[i]);
        return r;
}
