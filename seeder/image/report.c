/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "seeder/image/report.h"

#define ID_FORMAT "%-25s" /* the longest has 23 */

static const char *const outcome_names[] = {
        [OUTCOME_NONE] = "none",
        [OUTCOME_PLANNED] = "planned",
        [OUTCOME_DONE] = "done",
        [OUTCOME_FAILED] = "failed",
};

static const char *error_to_string(int error) {
        static const struct {
                int error;
                const char *text;
        } texts[] = {
                { -EXDEV, "belongs to the running system" },
                { -ESTALE, "changed while it was looked at" },
                { -EPERM, "not permitted (is it immutable? see chattr(1))" },
                { -ELOOP, "lies behind a symbolic link that is not followed" },
                { -E2BIG, "too many names in a directory" },
                { -EBADMSG, "is damaged, or cut off" },
                { -EFBIG, "too large to look into" },
                { -EAGAIN, "is renamed all the time" },
                { -EOPNOTSUPP, "no /proc is mounted here" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i].error == error)
                        return texts[i].text;
        return strerror(-error);
}

const char *item_error(const Item *item) {
        return item->error_text ? item->error_text : error_to_string(item->error);
}

static char *_printf_(1, 0) format_escaped(const char *format, va_list args) {
        _cleanup_free_ char *text = NULL;
        char *escaped;
        size_t size;

        if (vasprintf(&text, format, args) < 0) {
                text = NULL; /* vasprintf(3) leaves it undefined */
                return NULL;
        }
        size = TEXT_ESCAPED_SIZE(strlen(text));
        escaped = malloc(size);
        return escaped ? (char *)text_escape(text, escaped, size) : NULL;
}

char *report_format(const char *format, ...) {
        va_list args;
        char *text;

        va_start(args, format);
        text = format_escaped(format, args);
        va_end(args);
        return text;
}

static void free_texts(Item *item) {
        free((char *)item->path);
        free(item->shown);
        free(item->detail);
        free(item->error_text);
}

/* Takes the item. */
static bool append(Report *report, const Item *item) {
        size_t n = report->n_items;

        /* Doubled at each power of two. */
        if ((n & (n - 1)) == 0) {
                Item *items = reallocarray(report->items, n > 0 ? 2 * n : 1, sizeof(*items));

                if (!items)
                        return false;
                report->items = items;
        }
        report->items[report->n_items++] = *item;
        return true;
}

Item item_of(RuleId rule, State state, const char *path) {
        return (Item){
                .rule = &image_rules[rule],
                .state = state,
                .action = state == STATE_FINDING ? image_rules[rule].action : ACTION_NONE,
                .path = path,
        };
}

void report_add(Report *report, Item item, const char *detail_format, ...) {
        const bool has_path = item.path;
        va_list args;

        if (report->n_items >= REPORT_ITEMS_MAX) {
                report->overflow = true;
                return;
        }
        va_start(args, detail_format);
        item.detail = format_escaped(detail_format, args);
        va_end(args);
        if (has_path) {
                item.shown = report_format("/%s", item.path);
                item.path = strdup(item.path);
        }
        if (!item.detail || (has_path && (!item.shown || !item.path)) || !append(report, &item)) {
                free_texts(&item);
                report->no_memory = true;
        }
}

void report_add_error(Report *report, RuleId rule, const char *path, int error) {
        const bool setup = image_rules[rule].group == GROUP_SETUP;
        const State state = setup ? STATE_UNKNOWN : STATE_ERROR;

        if (error == -ENOMEM)
                report->no_memory = true;
        else
                report_add(
                        report,
                        item_of(rule, state, path),
                        "cannot be looked at: %s",
                        error_to_string(error));
}

const char *item_advice(const Item *item) {
        const bool bad = item->state == STATE_FINDING || item->state == STATE_NOTE;

        return bad && item->action == item->rule->action ? item->rule->advice : NULL;
}

void report_free(Report *report) {
        for (size_t i = 0; i < report->n_items; i++)
                free_texts(&report->items[i]);
        free(report->items);
        *report = (Report)REPORT_NULL;
}

size_t report_count(const Report *report, State state) {
        size_t n = state == STATE_ERROR && report->overflow ? 1 : 0;

        for (size_t i = 0; i < report->n_items; i++)
                n += report->items[i].state == state ? 1 : 0;
        return n;
}

size_t report_count_outcome(const Report *report, Outcome outcome) {
        size_t n = 0;

        for (size_t i = 0; i < report->n_items; i++)
                n += report->items[i].outcome == outcome ? 1 : 0;
        return n;
}

static void print_item(const Item *item, FILE *stream) {
        const char *advice = item_advice(item);

        (void)fprintf(
                stream,
                "%-8s" ID_FORMAT "%s%s%s%s%s\n",
                state_to_string(item->state),
                item->rule->id,
                item->shown ? item->shown : "",
                item->shown ? ": " : "",
                item->detail,
                advice ? "; " : "",
                advice ? advice : "");
}

int report_print(const Report *report, bool verbose, FILE *stream) {
        bool any = false;

        /* The worst first; within a state in the order of the search. */
        for (State state = 0; state < _STATE_MAX; state++)
                for (size_t i = 0; i < report->n_items; i++) {
                        if (report->items[i].state != state || (state == STATE_OK && !verbose))
                                continue;
                        if (!any)
                                (void)fprintf(
                                        stream,
                                        "%-8s" ID_FORMAT "%s\n",
                                        "STATE",
                                        "RULE",
                                        "WHERE");
                        any = true;
                        print_item(&report->items[i], stream);
                }
        if (report->overflow)
                (void)fprintf(
                        stream,
                        "%-8s" ID_FORMAT "more than %u items: not all are here\n",
                        "error",
                        "too-many",
                        REPORT_ITEMS_MAX);
        return fflush(stream) < 0 || ferror(stream) ? -EIO : 0;
}

static Json *item_object(const Item *item) {
        Json *object = json_new();

        json_put_string(object, "id", item->rule->id);
        json_put_string(object, "group", group_to_string(item->rule->group));
        json_put_string(object, "state", state_to_string(item->state));
        json_put_string(object, "path", item->shown);
        json_put_string(object, "detail", item->detail);
        json_put_string(object, "advice", item_advice(item));
        json_put_string(object, "action", action_to_string(item->action));
        json_put_string(object, "outcome", outcome_names[item->outcome]);
        json_put_string(object, "error", item->error < 0 ? item_error(item) : NULL);
        return object;
}

static void put_counts(const Report *report, Json *document) {
        Json *counts = json_new();

        for (State state = 0; state < _STATE_MAX; state++)
                json_put_number(counts, state_to_string(state), report_count(report, state));
        json_put(document, "counts", counts);
        json_put_bool(document, "complete", !report->overflow);
}

int report_print_json(const Report *report, const Run *run, FILE *stream) {
        _cleanup_json_ Json *document = json_new();
        _cleanup_free_ char *text = NULL, *root = report_format("%s", run->root);
        Json *items = json_object_new_array();
        int r;

        if (!root || !document || !items) {
                (void)json_object_put(items);
                return -ENOMEM;
        }
        json_put_string(document, "version", PACKAGE_VERSION);
        json_put_string(document, "verb", run->verb);
        json_put_string(document, "root", root);
        json_put_bool(document, "dry_run", run->dry_run);
        for (size_t i = 0; i < report->n_items; i++)
                (void)json_object_array_add(items, item_object(&report->items[i]));
        json_put(document, "items", items);
        put_counts(report, document);

        r = json_to_text(document, &text);
        if (r < 0)
                return r;
        (void)fputs(text, stream);
        return fflush(stream) < 0 || ferror(stream) ? -EIO : 0;
}
