/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lifetimes/events.h"
#include "tests/lifetimes/life.h"

Chance life_bytes, life_chance;

/* ---- making one ---- */

/* LIFE_WITHOUT="seed clone": while a hole is open, what else there is. */
static uint32_t weight_of(const EventKind *event) {
        const char *without = getenv("LIFE_WITHOUT");
        size_t n = strlen(event->name);

        for (const char *at = without; at && *at; at += strspn(at, " ")) {
                size_t word = strcspn(at, " ");

                if (word == n && strncmp(at, event->name, n) == 0)
                        return 0;
                at += word;
        }
        return event->weight;
}

/* Each life does without about half of what there is, so that it has more of the rest. */
static uint32_t choose_weights(Chance *chance, uint32_t weights[static EVENT_KINDS_MAX]) {
        uint32_t all = 0;

        for (size_t i = 0; i < events_n; i++) {
                weights[i] = i == 0 || chance_below(chance, 2) == 0 ? weight_of(&events[i]) : 0;
                all += weights[i];
        }
        return all;
}

static uint8_t choose_event(
        Chance *chance,
        const uint32_t weights[static EVENT_KINDS_MAX],
        uint32_t all) {
        uint32_t at = chance_below(chance, all);

        for (uint8_t i = 0;; i++) {
                if (at < weights[i])
                        return i;
                at -= weights[i];
        }
}

void life_make(Life *life, uint64_t seed) {
        Chance chance = { .state = chance_mix(seed) };
        uint32_t weights[EVENT_KINDS_MAX];
        const uint32_t all = choose_weights(&chance, weights);

        *life = (Life){ .seed = seed, .n_events = 4 + chance_below(&chance, 16) };
        for (size_t i = 0; i < life->n_events; i++) {
                Event *event = &life->events[i];

                event->kind = choose_event(&chance, weights, all);
                for (size_t j = 0; j < events[event->kind].n_arguments; j++)
                        event->arguments[j] =
                                (uint8_t)chance_below(&chance, events[event->kind].limits[j]);
                /* Most of it happens to the first machine. */
                if (chance_below(&chance, 2) == 0)
                        event->arguments[0] = 0;
        }
}

/* ---- running it ---- */

Promise life_run(const Life *life) {
        life_bytes = (Chance){ .state = chance_mix(life->seed ^ 1) };
        life_chance = (Chance){ .state = chance_mix(life->seed ^ 2) };
        arena_reset();
        witness_begin();
        events_begin();
        for (size_t i = 0; i < life->n_events && witness_broken() == PROMISE_NONE; i++)
                events[life->events[i].kind].happen(life->events[i].arguments);
        if (witness_broken() == PROMISE_NONE)
                events_end();
        return witness_broken();
}

/* ---- making it shorter ---- */

static bool still_fails(const Life *life, Promise promise) {
        return life_run(life) == promise;
}

static void cut_out(const Life *life, size_t at, size_t n, Life *ret_life) {
        *ret_life = *life;
        memmove(ret_life->events + at,
                ret_life->events + at + n,
                (life->n_events - at - n) * sizeof(Event));
        ret_life->n_events -= n;
}

static bool drop_some(Life *life, size_t n, Promise promise) {
        bool any = false;
        Life shorter;

        for (size_t at = 0; at + n <= life->n_events;) {
                cut_out(life, at, n, &shorter);
                if (still_fails(&shorter, promise)) {
                        *life = shorter;
                        any = true;
                } else
                        at++;
        }
        return any;
}

/* The least of its arguments, too. */
static void lower(Life *life, Promise promise) {
        for (size_t i = 0; i < life->n_events; i++)
                for (size_t j = 0; j < LIFE_ARGUMENTS; j++)
                        for (uint8_t value = 0; value < life->events[i].arguments[j]; value++) {
                                Life lower = *life;

                                lower.events[i].arguments[j] = value;
                                if (still_fails(&lower, promise))
                                        *life = lower;
                        }
}

void life_shrink(Life *life) {
        Promise promise = life_run(life);
        bool again = promise != PROMISE_NONE;

        while (again) {
                again = false;
                for (size_t n = life->n_events / 2; n >= 1; n /= 2)
                        again = drop_some(life, n, promise) || again;
        }
        if (promise != PROMISE_NONE)
                lower(life, promise);
        (void)life_run(life);
}

/* ---- its text ---- */

void life_print(const Life *life, char text[static LIFE_TEXT_BYTES]) {
        size_t n = 0;

        text[0] = '\0';
        for (size_t i = 0; i < life->n_events && n < LIFE_TEXT_BYTES - 80; i++) {
                const Event *event = &life->events[i];

                n += (size_t)snprintf(
                        text + n,
                        LIFE_TEXT_BYTES - n,
                        "%s%s",
                        i > 0 ? "; " : "",
                        events[event->kind].name);
                for (size_t j = 0; j < events[event->kind].n_arguments; j++)
                        n += (size_t)
                                snprintf(text + n, LIFE_TEXT_BYTES - n, " %u", event->arguments[j]);
        }
}

static int find_event(const char *word, size_t n) {
        for (size_t i = 0; i < events_n; i++)
                if (strlen(events[i].name) == n && strncmp(events[i].name, word, n) == 0)
                        return (int)i;
        return -EINVAL;
}

static const char *skip(const char *text) {
        while (*text && (isspace((unsigned char)*text) || *text == ';' || *text == '#')) {
                if (*text == '#')
                        text += strcspn(text, "\n");
                else
                        text++;
        }
        return text;
}

static const char *parse_arguments(const char *text, Event *event) {
        for (size_t i = 0; i < events[event->kind].n_arguments; i++) {
                char *end;

                text += strspn(text, " \t");
                if (!isdigit((unsigned char)*text))
                        break;
                event->arguments[i] = (uint8_t)strtoul(text, &end, 10);
                text = end;
        }
        return text;
}

int life_parse(const char *text, Life *ret_life, const char **ret_word) {
        Life life = { .seed = 1 };

        for (text = skip(text); *text; text = skip(text)) {
                Event *event = &life.events[life.n_events];
                size_t n = strcspn(text, " \t\r\n;#");
                int kind = find_event(text, n);

                *ret_word = text;
                if (kind < 0 || life.n_events == LIFE_EVENTS_MAX)
                        return -EINVAL;
                event->kind = (uint8_t)kind;
                text = parse_arguments(text + n, event);
                life.n_events++;
        }
        *ret_life = life;
        return 0;
}
