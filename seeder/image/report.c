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

static int grow(ImageReport *report) {
        size_t n = report->n_items;
        ImageItem *items;

        /* Doubled at each power of two. */
        if (n > 0 && (n & (n - 1)) != 0)
                return 0;
        items = reallocarray(report->items, n > 0 ? 2 * n : 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        report->items = items;
        return 0;
}

static int _printf_(3, 0)
        add(ImageReport *report, const ImageItem *item, const char *detail_format, va_list args) {
        _cleanup_free_ char *detail = NULL, *path = NULL;
        int r;

        if (report->n_items >= IMAGE_ITEMS_MAX) {
                report->overflow = true;
                return 0;
        }
        if (vasprintf(&detail, detail_format, args) < 0) {
                detail = NULL; /* vasprintf(3) leaves it undefined */
                return -ENOMEM;
        }
        if (item->path) {
                path = strdup(item->path);
                if (!path)
                        return -ENOMEM;
        }
        r = grow(report);
        if (r < 0)
                return r;

        report->items[report->n_items] = *item;
        report->items[report->n_items].detail = TAKE_PTR(detail);
        report->items[report->n_items].path = TAKE_PTR(path);
        report->n_items++;
        return 0;
}

int image_report_add_item(
        ImageReport *report,
        const ImageItem *item,
        const char *detail_format,
        ...) {
        va_list args;
        int r;

        va_start(args, detail_format);
        r = add(report, item, detail_format, args);
        va_end(args);
        return r;
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

int image_report_add(
        ImageReport *report,
        ImageRuleId rule,
        ImageState state,
        const char *path,
        const char *detail_format,
        ...) {
        const ImageItem item = image_item(rule, state, path);
        va_list args;
        int r;

        va_start(args, detail_format);
        r = add(report, &item, detail_format, args);
        va_end(args);
        return r;
}

int image_report_add_error(ImageReport *report, ImageRuleId rule, const char *path, int error) {
        const bool setup = image_rules[rule].group == IMAGE_GROUP_SETUP;

        if (error == -ENOMEM)
                return error;
        return image_report_add(
                report,
                rule,
                setup ? IMAGE_STATE_UNKNOWN : IMAGE_STATE_ERROR,
                path,
                "cannot be looked at: %s",
                image_error_to_string(error));
}

const char *image_item_advice(const ImageItem *item) {
        const bool bad = item->state == IMAGE_STATE_FINDING || item->state == IMAGE_STATE_NOTE;

        return bad && item->action == item->rule->action ? item->rule->advice : NULL;
}

void image_report_free(ImageReport *report) {
        for (size_t i = 0; i < report->n_items; i++) {
                free(report->items[i].detail);
                free(report->items[i].error_text);
                free((char *)report->items[i].path);
        }
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

char *image_report_escape(const char *text) {
        const size_t size = TEXT_ESCAPED_SIZE(strlen(text));
        char *escaped = malloc(size);

        return escaped ? (char *)text_escape(text, escaped, size) : NULL;
}

static int print_item(const ImageItem *item, FILE *stream) {
        _cleanup_free_ char *path = NULL, *detail = NULL;
        const char *advice = image_item_advice(item);

        detail = image_report_escape(item->detail);
        path = image_report_escape(item->path ? item->path : "");
        if (!detail || !path)
                return -ENOMEM;
        (void)fprintf(
                stream,
                "%-8s" ID_FORMAT "%s%s%s%s%s%s\n",
                image_state_to_string(item->state),
                item->rule->id,
                item->path ? "/" : "",
                path,
                item->path ? ": " : "",
                detail,
                advice ? "; " : "",
                advice ? advice : "");
        return 0;
}

int image_report_print(const ImageReport *report, bool verbose, FILE *stream) {
        bool any = false;
        int r;

        /* The worst first; within a state in the order of the search. */
        for (ImageState state = 0; state < _IMAGE_STATE_MAX; state++)
                for (size_t i = 0; i < report->n_items; i++) {
                        if (report->items[i].state != state)
                                continue;
                        if (state == IMAGE_STATE_OK && !verbose)
                                continue;
                        if (!any)
                                (void)fprintf(
                                        stream,
                                        "%-8s" ID_FORMAT "%s\n",
                                        "STATE",
                                        "RULE",
                                        "WHERE");
                        any = true;
                        r = print_item(&report->items[i], stream);
                        if (r < 0)
                                return r;
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

static void put_escaped(Json *object, const char *key, const char *prefix, const char *text) {
        _cleanup_free_ char *escaped = image_report_escape(text);
        _cleanup_free_ char *whole = NULL;

        if (!escaped || asprintf(&whole, "%s%s", prefix, escaped) < 0) {
                whole = NULL;
                return;
        }
        json_put_string(object, key, whole);
}

static Json *item_object(const ImageItem *item) {
        Json *object = json_new();

        json_put_string(object, "id", item->rule->id);
        json_put_string(object, "group", image_group_to_string(item->rule->group));
        json_put_string(object, "state", image_state_to_string(item->state));
        if (item->path)
                put_escaped(object, "path", "/", item->path);
        else
                json_put(object, "path", NULL);
        put_escaped(object, "detail", "", item->detail);
        json_put_string(object, "advice", image_item_advice(item));
        json_put_string(object, "action", image_action_to_string(item->action));
        json_put_string(object, "outcome", outcome_names[item->outcome]);
        if (item->error < 0)
                put_escaped(object, "error", "", image_item_error(item));
        else
                json_put(object, "error", NULL);
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
        _cleanup_free_ char *text = NULL;
        Json *items = json_object_new_array();
        int r;

        if (!document || !items) {
                (void)json_object_put(items);
                return -ENOMEM;
        }
        json_put_string(document, "version", PACKAGE_VERSION);
        json_put_string(document, "verb", run->verb);
        put_escaped(document, "root", "", run->root);
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
