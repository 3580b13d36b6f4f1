/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/image-text.h"

typedef struct Span {
        const char *start;
        size_t length;
} Span;

static bool span_is(Span span, const char *text) {
        return span.length == strlen(text) && memcmp(span.start, text, span.length) == 0;
}

static bool span_starts(Span span, const char *prefix) {
        size_t n = strlen(prefix);

        return span.length >= n && memcmp(span.start, prefix, n) == 0;
}

static bool span_ends(Span span, const char *suffix) {
        size_t n = strlen(suffix);

        return span.length >= n && memcmp(span.start + span.length - n, suffix, n) == 0;
}

/* The next line without its newline; false at the end. */
static bool next_line(Span *text, Span *ret_line) {
        const char *newline;

        if (text->length == 0)
                return false;
        newline = memchr(text->start, '\n', text->length);
        ret_line->start = text->start;
        ret_line->length = newline ? (size_t)(newline - text->start) : text->length;
        text->start += ret_line->length + (newline ? 1 : 0);
        text->length -= ret_line->length + (newline ? 1 : 0);
        return true;
}

ImageKernelOption image_text_kernel_option(const char *text, size_t length, const char *name) {
        ImageKernelOption option = IMAGE_KERNEL_OPTION_UNNAMED;
        Span rest = { text, length }, line;
        size_t n = strlen(name);

        while (next_line(&rest, &line)) {
                if (span_starts(line, "# ") && line.length > 2 + n &&
                    memcmp(line.start + 2, name, n) == 0 &&
                    span_is((Span){ line.start + 2 + n, line.length - 2 - n }, " is not set"))
                        option = IMAGE_KERNEL_OPTION_OFF;
                if (!span_starts(line, name) || line.length != n + 2 || line.start[n] != '=')
                        continue;
                switch (line.start[n + 1]) {
                case 'y':
                        option = IMAGE_KERNEL_OPTION_BUILTIN;
                        break;
                case 'm':
                        option = IMAGE_KERNEL_OPTION_MODULE;
                        break;
                case 'n':
                        option = IMAGE_KERNEL_OPTION_OFF;
                        break;
                default:
                        break;
                }
        }
        return option;
}

/* The words of a line; '=' and quotes separate, too, so that A="-r x" and --a=x are alike. */
static bool next_word(Span *line, Span *ret_word) {
        static const char separators[] = " \t\r\"'=";
        size_t n = 0;

        while (line->length > 0 && memchr(separators, *line->start, sizeof(separators) - 1)) {
                line->start++;
                line->length--;
        }
        while (n < line->length && !memchr(separators, line->start[n], sizeof(separators) - 1))
                n++;
        *ret_word = (Span){ line->start, n };
        line->start += n;
        line->length -= n;
        return n > 0;
}

static bool is_kernel_output(Span word) {
        /* //dev/urandom is the same file. */
        while (word.length > 1 && word.start[0] == '/' && word.start[1] == '/') {
                word.start++;
                word.length--;
        }
        return span_is(word, "/dev/random") || span_is(word, "/dev/urandom");
}

/* Options that take the source: -r, also at the end of a bundle (-fr), and each abbreviation of
 * --rng-device that getopt_long(3) takes. */
static bool names_source(Span word) {
        static const char *const names[] = { "HRNGDEVICE",
                                             "DEVICE",
                                             "RNGDEVICE",
                                             "RNG_DEVICE",
                                             "path" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (span_is(word, names[i]))
                        return true;
        if (span_starts(word, "--"))
                return word.length >= strlen("--rng-d") && word.length <= strlen("--rng-device") &&
                       memcmp(word.start, "--rng-device", word.length) == 0;
        return word.length >= 2 && word.start[0] == '-' && word.start[word.length - 1] == 'r' &&
               !memchr(word.start, '/', word.length);
}

/* -r/dev/urandom */
static bool is_joined_option(Span word) {
        return word.length > 2 && span_starts(word, "-r") &&
               is_kernel_output((Span){ word.start + 2, word.length - 2 });
}

unsigned image_text_feeds_itself(const char *text, size_t length) {
        Span rest = { text, length }, line, previous = {};
        unsigned number = 0;

        while (next_line(&rest, &line)) {
                Span word, words = line;

                number++;
                for (bool first = true; next_word(&words, &word); first = false) {
                        if (*word.start == '#' || (first && *word.start == ';'))
                                break;
                        if (is_joined_option(word))
                                return number;
                        if (is_kernel_output(word) && previous.length > 0 && names_source(previous))
                                return number;
                        if (!span_is(word, "\\"))
                                previous = word;
                }
                if (!span_ends(line, "\\"))
                        previous = (Span){};
        }
        return 0;
}

unsigned image_text_has_boot_seed(const char *text, size_t length) {
        static const char key[] = "systemd.random_seed=";
        Span rest = { text, length }, line;
        unsigned number = 0;

        while (next_line(&rest, &line)) {
                const char *found;
                size_t after;

                number++;
                if (line.length > 0 && *line.start == '#')
                        continue;
                found = memmem(line.start, line.length, key, sizeof(key) - 1);
                if (!found)
                        continue;
                after = line.length - (size_t)(found - line.start) - (sizeof(key) - 1);
                if (after > 0 && !strchr(" \t\r\"'", found[sizeof(key) - 1]))
                        return number;
        }
        return 0;
}

static bool is_seed_name(Span line) {
        return span_ends(line, "/random-seed") || span_ends(line, "/seedrng/seed.credit") ||
               span_ends(line, "var/lib/guest-entropy/seed") ||
               span_ends(line, "var/lib/guest-entropy/seed.credit");
}

unsigned image_text_listing_line(const char *line, size_t length) {
        static const char module[] = "/virtio-rng.ko";
        Span span = { line, length };
        unsigned bits = 0;

        while (span.length > 0 && strchr(" \t\r", span.start[span.length - 1]))
                span.length--;

        /* lsinitrd prints headings and rulers; a file has a path. */
        if (memchr(span.start, '/', span.length) && !span_starts(span, "Image:"))
                bits |= IMAGE_LISTING_NAMES;
        if (memmem(span.start, span.length, module, sizeof(module) - 1))
                bits |= IMAGE_LISTING_VIRTIO_RNG;
        if (span_ends(span, "/entropy-seeder"))
                bits |= IMAGE_LISTING_SEEDER;
        if (is_seed_name(span))
                bits |= IMAGE_LISTING_SEED;
        if (span_ends(span, "squash-root.img") || span_ends(span, "squashfs-root.img") ||
            span_ends(span, "erofs-root.img") || span_ends(span, "squash/root.img"))
                bits |= IMAGE_LISTING_SQUASHED;
        return bits;
}
