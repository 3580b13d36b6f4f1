/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "seeder/ledger-file.h"

#define FOLDER         "/run/guest-entropy"
#define FILE_MAX_BYTES 65536U

typedef struct json_object Json;

static const char *const file_names[] = {
        [PLAN_INITRAMFS] = "seeder-initramfs.json",
        [PLAN_REAL_ROOT] = "seeder.json",
};

void ledger_file_write(const Account *account) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        int r;

        (void)mkdir(FOLDER, 0755);
        fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? negative_errno() : account_to_json(account, &text);
        if (r >= 0)
                r = io_write_atomic_at(fd, file_names[account->phase], 0644, text, strlen(text));
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot write " FOLDER "/%s, ignoring",
                        file_names[account->phase]);
}

static Json *read_ledger(PlanPhase phase) {
        _cleanup_free_ char *text = malloc(FILE_MAX_BYTES);
        char path[64];

        (void)snprintf(path, sizeof(path), FOLDER "/%s", file_names[phase]);
        if (!text || io_read_text_at(AT_FDCWD, path, text, FILE_MAX_BYTES) < 0)
                return NULL;
        return json_tokener_parse(text);
}

static const char *text_of(Json *object, const char *key) {
        Json *value = json_object_object_get(object, key);

        return value ? json_object_get_string(value) : "";
}

static double seconds_of(Json *object, const char *key) {
        return (double)json_object_get_uint64(json_object_object_get(object, key)) / 1e6;
}

static void print_source(Json *source) {
        uint64_t at_usec = json_object_get_uint64(json_object_object_get(source, "at_usec"));

        (void)printf(
                "  %-32s%8s%10s",
                text_of(source, "name"),
                text_of(source, "bytes"),
                text_of(source, "credited_bits"));
        if (at_usec > 0)
                (void)printf("%10.3f", (double)at_usec / 1e6);
        else
                (void)printf("%10s", "-");
        (void)printf("  %s\n", text_of(source, "note"));
}

static void print_ledger(Json *ledger) {
        Json *sources = json_object_object_get(ledger, "sources");
        size_t n_sources = sources ? json_object_array_length(sources) : 0;

        (void)printf(
                "%s: kernel RNG %s, %s (%.3f s to %.3f s after the boot)\n",
                text_of(ledger, "phase"),
                json_object_get_boolean(json_object_object_get(ledger, "ready")) ? "ready"
                                                                                 : "not ready",
                text_of(ledger, "ended_why"),
                seconds_of(ledger, "started_usec"),
                seconds_of(ledger, "ended_usec"));
        (void)printf("  %-32s%8s%10s%10s  %s\n", "SOURCE", "BYTES", "CREDITED", "AT (s)", "NOTE");
        for (size_t i = 0; i < n_sources; i++)
                print_source(json_object_array_get_idx(sources, i));
}

static void print_json(Json *ledgers[static 2]) {
        Json *list = json_object_new_array();

        for (PlanPhase phase = PLAN_INITRAMFS; phase <= PLAN_REAL_ROOT; phase++)
                if (ledgers[phase])
                        (void)json_object_array_add(list, json_object_get(ledgers[phase]));
        (void)puts(json_object_to_json_string_ext(
                list,
                JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
        (void)json_object_put(list);
}

int ledger_file_report(bool as_json) {
        Json *ledgers[2];
        bool any;

        (void)json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
        for (PlanPhase phase = PLAN_INITRAMFS; phase <= PLAN_REAL_ROOT; phase++)
                ledgers[phase] = read_ledger(phase);
        any = ledgers[PLAN_INITRAMFS] || ledgers[PLAN_REAL_ROOT];

        if (!any)
                log_error("No run of entropy-seeder left a ledger in " FOLDER);
        else if (as_json)
                print_json(ledgers);
        for (PlanPhase phase = PLAN_INITRAMFS; phase <= PLAN_REAL_ROOT; phase++) {
                if (ledgers[phase] && !as_json)
                        print_ledger(ledgers[phase]);
                (void)json_object_put(ledgers[phase]);
        }
        return any ? EXIT_SUCCESS : EX_UNAVAILABLE;
}
