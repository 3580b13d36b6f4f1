/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/show/plot-html.h"
#include "monitor/show/verdict.h"

/* plot-page.html, as the build made it a string. */
extern const char plot_page[];

#define DATA_MARK "@DATA@"

/* Inside <script>, no text may look like a tag: '<' occurs in strings only, where this means it. */
static void put_json(const char *json, FILE *stream) {
        for (; *json; json++)
                if (*json == '<')
                        (void)fputs("\\u003c", stream);
                else
                        (void)fputc(*json, stream);
}

static int put_recording(const Recording *recording, FILE *stream) {
        const char *name = strrchr(recording->path ? recording->path : "", '/');
        _cleanup_json_ Json *object = NULL;
        char verdict[VERDICT_MAX];
        Analysis analysis;
        int r;

        analysis_make(recording, &analysis);
        (void)verdict_of(recording, &analysis, verdict);
        object = json_object_new_object();
        if (!object)
                return -ENOMEM;
        name = name ? name + 1 : recording->path ? recording->path : "recording";
        r = json_object_object_add(object, "name", json_object_new_string(name));
        r |= json_object_object_add(object, "verdict", json_object_new_string(verdict));
        r |= json_object_object_add(
                object,
                "model",
                json_object_new_string(refill_model_to_string(recording->model)));
        r |= json_object_object_add(object, "recording", json_object_get(recording->document));
        if (r < 0)
                return -ENOMEM;
        put_json(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), stream);
        return 0;
}

int plot_html(const Recording *recordings, size_t n_recordings, FILE *stream) {
        const char *mark = strstr(plot_page, DATA_MARK);
        int r;

        if (!mark)
                return -EINVAL;
        (void)fwrite(plot_page, 1, (size_t)(mark - plot_page), stream);
        (void)fputc('[', stream);
        for (size_t i = 0; i < n_recordings; i++) {
                if (i > 0)
                        (void)fputc(',', stream);
                r = put_recording(&recordings[i], stream);
                if (r < 0)
                        return r;
        }
        (void)fputc(']', stream);
        (void)fputs(mark + strlen(DATA_MARK), stream);
        return ferror(stream) ? -EIO : 0;
}
