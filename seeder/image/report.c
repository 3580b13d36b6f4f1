/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "seeder/image/report.h"

#define ID_FORMAT "%-25s" /* the longest has 23 */

static const char *const outcome_names[] = {
        [IMAGE_OUTCOME_NONE] = "none",
        [IMAGE_OUTCOME_PLANNED] = "planned",
        [IMAGE_OUTCOME_DONE] = "done",
        [IMAGE_OUTCOME_FAILED] = "failed",
};

const char *image_error_to_string(int error) {
        switch (-error) {
        case EXDEV:
                return "belongs to the running system";
        case ESTALE:
                return "changed while it was looked at";
        case EPERM:
                return "not permitted (is it immutable? see chattr(1))";
        case ELOOP:
                return "lies behind a symbolic link that is not followed";
        case E2BIG:
                return "too many names in a directory";
        case EBADMSG:
                return "is damaged, or cut off";
        case EFBIG:
                return "too large to look into";
        case EAGAIN:
                return "is renamed all the time";
        case EOPNOTSUPP:
                return "no /proc is mounted here";
        default:
                return strerror(-error);
        }
}

const char *image_item_error(const ImageItem *item) {
        return item->error_text ? item->error_text : image_error_to_string(item->error);
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

char *image_report_format(const char *format, ...) {
        va_list args;
        char *text;

        va_start(args, format);
        text = format_escaped(format, args);
        va_end(args);
        return text;
}

static void free_texts(ImageItem *item) {
        free((char *)item->path);
        free(item->shown);
        free(item->detail);
        free(item->error_text);
}

/* Takes the item. */
static bool append(ImageReport *report, const ImageItem *item) {
        size_t n = report->n_items;

        /* Doubled at each power of two. */
        if ((n & (n - 1)) == 0) {
                ImageItem *items = reallocarray(report->items, n > 0 ? 2 * n : 1, sizeof(*items));

                if (!items)
                        return false;
                report->items = items;
        }
        report->items[report->n_items++] = *item;
        return true;
}

ImageItem image_item(ImageRuleId rule, ImageState state, const char *path) {
        return (ImageItem){
                .rule = &image_rules[rule],
                .state = state,
                .action =
                        state == IMAGE_STATE_FINDING ? image_rules[rule].action : IMAGE_ACTION_NONE,
                .path = path,
        };
}

void image_report_add(ImageReport *report, ImageItem item, const char *detail_format, ...) {
        const bool has_path = item.path;
        va_list args;

        if (report->n_items >= IMAGE_ITEMS_MAX) {
                report->overflow = true;
                return;
        }
        va_start(args, detail_format);
        item.detail = format_escaped(detail_format, args);
        va_end(args);
        if (has_path) {
                item.shown = image_report_format("/%s", item.path);
                item.path = strdup(item.path);
        }
        if (!item.detail || (has_path && (!item.shown || !item.path)) || !append(report, &item)) {
                free_texts(&item);
                report->no_memory = true;
        }
}

void image_report_add_error(ImageReport *report, ImageRuleId rule, const char *path, int error) {
        const bool setup = image_rules[rule].group == IMAGE_GROUP_SETUP;
        const ImageState state = setup ? IMAGE_STATE_UNKNOWN : IMAGE_STATE_ERROR;

        if (error == -ENOMEM)
                report->no_memory = true;
        else
                image_report_add(
                        report,
                        image_item(rule, state, path),
                        "cannot be looked at: %s",
                        image_error_to_string(error));
}

const char *image_item_advice(const ImageItem *item) {
        const bool bad = item->state == IMAGE_STATE_FINDING || item->state == IMAGE_STATE_NOTE;

        return bad && item->action == item->rule->action ? item->rule->advice : NULL;
}

void image_report_free(ImageReport *report) {
        for (size_t i = 0; i < report->n_items; i++)
                free_texts(&report->items[i]);
        free(report->items);
        *report = (ImageReport)IMAGE_REPORT_NULL;
}

size_t image_report_count(const ImageReport *report, ImageState state) {
        size_t n = state == IMAGE_STATE_ERROR && report->overflow ? 1 : 0;

        for (size_t i = 0; i < report->n_items; i++)
                n += report->items[i].state == state ? 1 : 0;
        return n;
}

size_t image_report_count_outcome(const ImageReport *report, ImageOutcome outcome) {
        size_t n = 0;

        for (size_t i = 0; i < report->n_items; i++)
                n += report->items[i].outcome == outcome ? 1 : 0;
        return n;
}

static void print_item(const ImageItem *item, FILE *stream) {
        const char *advice = image_item_advice(item);

        (void)fprintf(
                stream,
                "%-8s" ID_FORMAT "%s%s%s%s%s\n",
                image_state_to_string(item->state),
                item->rule->id,
                item->shown ? item->shown : "",
                item->shown ? ": " : "",
                item->detail,
                advice ? "; " : "",
                advice ? advice : "");
}

int image_report_print(const ImageReport *report, bool verbose, FILE *stream) {
        bool any = false;

        /* The worst first; within a state in the order of the search. */
        for (ImageState state = 0; state < _IMAGE_STATE_MAX; state++)
                for (size_t i = 0; i < report->n_items; i++) {
                        if (report->items[i].state != state ||
                            (state == IMAGE_STATE_OK && !verbose))
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
                        IMAGE_ITEMS_MAX);
        return fflush(stream) < 0 || ferror(stream) ? -EIO : 0;
}

static Json *item_object(const ImageItem *item) {
        Json *object = json_new();

        json_put_string(object, "id", item->rule->id);
        json_put_string(object, "group", image_group_to_string(item->rule->group));
        json_put_string(object, "state", image_state_to_string(item->state));
        json_put_string(object, "path", item->shown);
        json_put_string(object, "detail", item->detail);
        json_put_string(object, "advice", image_item_advice(item));
        json_put_string(object, "action", image_action_to_string(item->action));
        json_put_string(object, "outcome", outcome_names[item->outcome]);
        json_put_string(object, "error", item->error < 0 ? image_item_error(item) : NULL);
        return object;
}

static void put_counts(const ImageReport *report, Json *document) {
        Json *counts = json_new();

        for (ImageState state = 0; state < _IMAGE_STATE_MAX; state++)
                json_put_number(
                        counts,
                        image_state_to_string(state),
                        image_report_count(report, state));
        json_put(document, "counts", counts);
        json_put_bool(document, "complete", !report->overflow);
}

int image_report_print_json(const ImageReport *report, const ImageRun *run, FILE *stream) {
        _cleanup_json_ Json *document = json_new();
        _cleanup_free_ char *text = NULL, *root = image_report_format("%s", run->root);
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
