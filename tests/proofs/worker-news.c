/* SPDX-License-Identifier: MIT */
#include "lib/feed/worker-news.c"
#include "tests/proofs/proof.h"

/* Any place in a line: what holds there holds in all of it. */
static size_t any_at;

static bool is_sound(const Lines *lines) {
        char c = lines->line[any_at];

        return lines->length < WORKER_NEWS_LINE_MAX && lines->n_said <= WORKER_NEWS_LINES_MAX &&
               (any_at >= lines->length || (c >= ' ' && c < 0x7f));
}

/* The text is a line, and what it ends with is set by end_line(). */
void say_contract(WorkerNews *news, SourceId source, const char *text) {
        (void)news;
        (void)source;
        PROVE(__CPROVER_r_ok(text, WORKER_NEWS_LINE_MAX));
}

/*
 * Anything that a worker writes to its standard error, wherever the line before it stopped.
 *
 * bound: 2 bytes at a time
 * unwind: 3
 * replace: say:say_contract
 * mutant: lib/feed/worker-news.c
 *   - if (lines->length < sizeof(lines->line) - 1)
 *   + if (lines->length < sizeof(lines->line))
 * mutant: lib/feed/worker-news.c
 *   - text_is_plain(bytes[i]) ? bytes[i] : '?';
 *   + bytes[i];
 */
void prove_take(void) {
        Lines lines;
        size_t n = nondet_size_up_to(2);

        any_at = nondet_size_up_to(WORKER_NEWS_LINE_MAX - 1);
        lines.n_left_out = nondet_u8();
        ASSUME(is_sound(&lines));
        take(&lines, nondet_bytes(n), n);
        PROVE(is_sound(&lines));
}
