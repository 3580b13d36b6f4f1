/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/image/text.h"

#define BLANKS " \t\r"
#define QUOTES "\"'\\"

typedef struct Span {
        const char *start;
        size_t length;
} Span;

static void skip(Span *span, size_t n) {
        span->start += n;
        span->length -= n;
}

static void skip_any(Span *span, const char *characters) {
        while (span->length > 0 && *span->start && strchr(characters, *span->start))
                skip(span, 1);
}

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

static bool take_prefix(Span *span, const char *prefix) {
        if (!span_starts(*span, prefix))
                return false;
        skip(span, strlen(prefix));
        return true;
}

/* The next line without its newline; false at the end. */
static bool next_line(Span *text, Span *ret_line) {
        const char *newline;

        if (text->length == 0)
                return false;
        newline = memchr(text->start, '\n', text->length);
        *ret_line = (Span){
                text->start,
                newline ? (size_t)(newline - text->start) : text->length,
        };
        skip(text, ret_line->length + (newline ? 1 : 0));
        return true;
}

KernelOption image_text_kernel_option(const char *text, size_t length, const char *name) {
        KernelOption option = KERNEL_OPTION_UNNAMED;
        Span rest = { text, length }, line;

        while (next_line(&rest, &line)) {
                bool comment = take_prefix(&line, "# ");

                if (!take_prefix(&line, name))
                        continue;
                if (comment ? span_is(line, " is not set") : span_is(line, "=n"))
                        option = KERNEL_OPTION_OFF;
                else if (!comment && span_is(line, "=m"))
                        option = KERNEL_OPTION_MODULE;
                else if (!comment && span_is(line, "=y"))
                        option = KERNEL_OPTION_BUILTIN;
        }
        return option;
}

/* The words of a line; '=' and quotes separate, too, so that A="-r x" and --a=x are alike. */
static bool next_word(Span *line, Span *ret_word) {
        static const char separators[] = " \t\r\"'=";
        size_t n = 0;

        skip_any(line, separators);
        while (n < line->length && !memchr(separators, line->start[n], sizeof(separators) - 1))
                n++;
        *ret_word = (Span){ line->start, n };
        skip(line, n);
        return n > 0;
}

static bool is_kernel_output(Span word) {
        /* //dev/urandom is the same file. */
        while (span_starts(word, "//"))
                skip(&word, 1);
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
        return take_prefix(&word, "-r") && is_kernel_output(word);
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

/* Takes the key from the start of the span: as proc_cmdline_key_streq() and extract_first_word()
 * of systemd would see it. */
static bool take_parameter(Span *span, const char *key) {
        for (; *key; key++) {
                skip_any(span, QUOTES);
                if (span->length == 0 ||
                    (*span->start != *key && !(*span->start == '-' && *key == '_')))
                        return false;
                skip(span, 1);
        }
        skip_any(span, QUOTES);
        return true;
}

static bool has_parameter(Span line, const char *key) {
        for (; line.length > 0; skip(&line, 1)) {
                Span value = line;

                if (*line.start == *key && take_parameter(&value, key) && value.length > 0 &&
                    !strchr(BLANKS, *value.start)) /* or a zero byte */
                        return true;
        }
        return false;
}

static bool is_comment(Span line) {
        skip_any(&line, BLANKS);
        return span_starts(line, "#");
}

static unsigned find_parameter(
        const char *text,
        size_t length,
        bool comments,
        const char *const keys[],
        size_t n_keys) {
        Span rest = { text, length }, line;

        for (unsigned number = 1; next_line(&rest, &line); number++)
                for (size_t i = 0; i < n_keys; i++)
                        if (!(comments && is_comment(line)) && has_parameter(line, keys[i]))
                                return number;
        return 0;
}

unsigned image_text_has_boot_seed(const char *text, size_t length, bool comments) {
        static const char *const keys[] = { "systemd.random_seed=" };

        return find_parameter(text, length, comments, keys, ELEMENTSOF(keys));
}

unsigned image_text_has_boot_credential(const char *text, size_t length, bool comments) {
        static const char *const keys[] = {
                "systemd.set_credential=entropy.seed:",
                "systemd.set_credential_binary=entropy.seed:",
        };

        return find_parameter(text, length, comments, keys, ELEMENTSOF(keys));
}

/* An assignment of a unit has white space wherever it likes. */
static bool sets_credential(Span line) {
        skip_any(&line, BLANKS);
        if (!take_prefix(&line, "SetCredentialEncrypted") && !take_prefix(&line, "SetCredential"))
                return false;
        skip_any(&line, BLANKS);
        if (!take_prefix(&line, "="))
                return false;
        skip_any(&line, BLANKS);
        return take_prefix(&line, "entropy.seed:") && line.length > 0;
}

unsigned image_text_has_unit_credential(const char *text, size_t length) {
        Span rest = { text, length }, line;

        for (unsigned number = 1; next_line(&rest, &line); number++)
                if (sets_credential(line))
                        return number;
        return 0;
}

/* The digits of \xXX, \uXXXX or \UXXXXXXXX; 0: no such escape. */
static size_t count_digits(char letter) {
        return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
}

static int digit_value(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* Takes one character, plain or as an escape. */
static bool take_character(Span *span, char wanted) {
        size_t n_digits =
                span->length >= 2 && *span->start == '\\' ? count_digits(span->start[1]) : 0;
        uint32_t value = 0;

        if (span->length > 0 && *span->start == wanted) {
                skip(span, 1);
                return true;
        }
        if (n_digits == 0 || span->length < 2 + n_digits)
                return false;
        for (size_t i = 0; i < n_digits; i++) {
                int digit = digit_value(span->start[2 + i]);

                if (digit < 0)
                        return false;
                value = value << 4 | (uint32_t)digit;
        }
        skip(span, 2 + n_digits);
        return value == (unsigned char)wanted;
}

bool image_text_has_key(const char *text, size_t length, const char *name) {
        for (size_t i = 0; i < length; i++) {
                Span rest = { text + i, length - i };
                const char *c = name;

                while (*c && take_character(&rest, *c))
                        c++;
                if (*c == '\0')
                        return true;
        }
        return false;
}

static bool is_seed_name(Span line) {
        return span_ends(line, "/random-seed") || span_ends(line, "/seedrng/seed.credit") ||
               span_ends(line, "var/lib/guest-entropy/seed") ||
               span_ends(line, "var/lib/guest-entropy/seed.credit") ||
               span_ends(line, "credentials/@initrd/entropy.seed");
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
