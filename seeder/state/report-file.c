/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "seeder/state/report-file.h"

#define DIRECTORY      "/run/guest-entropy"
#define FILE_MAX_BYTES 65536U
#define NAME_BYTES     40U

static const char *const file_names[] = {
        [PHASE_INITRAMFS] = "seeder-initramfs",
        [PHASE_REAL_ROOT] = "seeder",
};

static void make_name(Phase phase, unsigned number, char name[static NAME_BYTES]) {
        if (number > 1)
                (void)snprintf(name, NAME_BYTES, "%s-%u.json", file_names[phase], number);
        else
                (void)snprintf(name, NAME_BYTES, "%s.json", file_names[phase]);
}

int report_file_open_directory(void) {
        int fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? negative_errno() : fd;
}

unsigned report_file_reserve(const RunReport *run_report, bool *ret_shared) {
        _cleanup_close_ int fd = -1;
        unsigned number = 1;
        bool shared = false;

        (void)mkdir(DIRECTORY, 0755);
        fd = report_file_open_directory();
        for (; fd >= 0; number++) {
                _cleanup_close_ int report_fd = -1;
                char name[NAME_BYTES];

                make_name(run_report->phase, number, name);
                report_fd = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
                if (report_fd >= 0 || errno != EEXIST)
                        break;
                if (number == REPORT_FILE_NUMBER_MAX) {
                        shared = true;
                        break;
                }
        }
        *ret_shared = shared;
        if (report_file_write(run_report, number) < 0)
                log_debug("Cannot write the run report in /run yet");
        return number;
}

int report_file_write(const RunReport *run_report, unsigned number) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        char name[NAME_BYTES];
        int r;

        fd = report_file_open_directory();
        if (fd < 0)
                return fd;
        r = run_report_to_json(run_report, &text);
        if (r < 0)
                return r;
        make_name(run_report->phase, number, name);
        return io_write_atomic_at(fd, name, 0644, text, strlen(text));
}

void report_file_each(void (*take)(const char *text, void *userdata), void *userdata) {
        _cleanup_free_ char *text = malloc(FILE_MAX_BYTES);
        _cleanup_close_ int fd = report_file_open_directory();

        if (fd < 0 || !text)
                return;
        for (Phase phase = PHASE_INITRAMFS; phase <= PHASE_REAL_ROOT; phase++)
                for (unsigned number = 1; number <= REPORT_FILE_NUMBER_MAX; number++) {
                        char name[NAME_BYTES];

                        make_name(phase, number, name);
                        if (io_read_text_at(fd, name, text, FILE_MAX_BYTES) >= 0)
                                take(text, userdata);
                }
}

static double seconds_of(Json *object, const char *key) {
        return (double)json_number(object, key) / 1e6;
}

static void print_source(Json *source) {
        uint64_t at_usec = json_number(source, "at_usec");
        const char *note = json_string(source, "note");

        (void)printf(
                "  %-32s%8s%10s",
                json_show(source, "name"),
                json_show(source, "bytes"),
                json_show(source, "credited_bits"));
        if (at_usec > 0)
                (void)printf("%10.3f", (double)at_usec / 1e6);
        else
                (void)printf("%10s", "-");
        (void)printf("  %s\n", note ? note : "");
}

static void print_report(Json *run_report) {
        Json *sources;
        size_t n_sources = json_array(run_report, "sources", &sources);

        (void)printf(
                "%s: kernel RNG %s, %s (%.3f s to %.3f s after the boot)\n",
                json_show(run_report, "phase"),
                json_object_get_boolean(json_object_object_get(run_report, "ready")) ? "ready"
                                                                                     : "not ready",
                json_show(run_report, "ended_why"),
                seconds_of(run_report, "started_usec"),
                seconds_of(run_report, "ended_usec"));
        (void)printf("  %-32s%8s%10s%10s  %s\n", "SOURCE", "BYTES", "CREDITED", "AT (s)", "NOTE");
        for (size_t i = 0; i < n_sources; i++)
                print_source(json_object_array_get_idx(sources, i));
}

static void add_report(const char *text, void *userdata) {
        Json *list = userdata, *run_report;

        if (json_parse(text, strlen(text), &run_report) >= 0)
                (void)json_object_array_add(list, run_report);
}

int report_file_report(bool as_json) {
        _cleanup_json_ Json *list = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n;

        json_avoid_random();
        list = json_object_new_array();
        report_file_each(add_report, list);
        n = json_object_array_length(list);
        if (n == 0) {
                log_error("No run of entropy-seeder left the run report in " DIRECTORY);
                return EX_UNAVAILABLE;
        }
        if (!as_json)
                for (size_t i = 0; i < n; i++)
                        print_report(json_object_array_get_idx(list, i));
        else if (json_to_text(list, &text) >= 0)
                (void)fputs(text, stdout);
        return EXIT_SUCCESS;
}
