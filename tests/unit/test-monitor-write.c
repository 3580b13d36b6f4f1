/* SPDX-License-Identifier: MIT */
/* What is written can be read again, and says the same. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "monitor/sample/write.h"
#include "monitor/show/recording.h"
#include "seeder/state/report-file.h"
#include "tests/unit/harness.h"

static char directory[64];
static int directory_fd = -1;
static Sampler sampler;

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-write.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT_FATAL(directory_fd >= 0);
        sampler = (Sampler)SAMPLER_NULL;
        CU_ASSERT_EQUAL_FATAL(trace_buffer_new(10000, 4096, &sampler.trace), 0);
        trace_buffer_begin(&sampler.trace, 1000000);
        sampler.views.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sampler.ended_usec = 3000000;
        sampler.pool_bits = 256;
}

static void teardown(void) {
        static const char *const names[] = {
                "r.json",
                "r.json.new",
                "seeder.json",
                "seeder-1.json",
                "seeder-2.json",
                "seeder-9.json",
                "seeder-10.json",
                "seeder-initramfs.json",
                "seeder-initramfs-9.json",
        };

        trace_buffer_free(&sampler.trace);
        if (sampler.views.proc_fd >= 0)
                (void)close(sampler.views.proc_fd);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void)unlinkat(directory_fd, names[i], 0);
        (void)close(directory_fd);
        (void)rmdir(directory);
}

static void write_and_read(Recording *recording) {
        char path[128], error[RECORDING_ERROR_MAX] = "";

        CU_ASSERT_EQUAL(
                write_recording(&sampler, RECORDING_END_SIGNAL, directory_fd, "r.json", directory),
                0);
        (void)snprintf(path, sizeof(path), "%s/r.json", directory);
        CU_ASSERT_EQUAL(recording_read(path, recording, error), 0);
        CU_ASSERT_STRING_EQUAL(error, "");
}

static void test_round_trip(void) {
        _cleanup_recording_ Recording recording = {};
        const BlockedTask task = { .pid = 7,
                                   .tid = 8,
                                   .how = BLOCKED_JITTER,
                                   .name = "\"\x01\xff\\" };

        /* A level that stays, a step, a level that stays. */
        for (uint64_t i = 0; i < 50; i++)
                trace_buffer_add_sample(&sampler.trace, 1000000 + i * 10000, i < 20 ? 3 : 256);
        trace_buffer_add_blocked(&sampler.trace, 1100000, &task);
        trace_buffer_add_event(&sampler.trace, 1200000, EVENT_SEEDER, "a \"b\"\n\xf0");
        trace_buffer_count_start(&sampler.trace, 1500000, 2, 3);
        sampler.ready = true;
        sampler.ready_usec = 1200000;
        (void)stpcpy(sampler.events.hwrng, "virtio_rng.0");

        write_and_read(&recording);
        CU_ASSERT_EQUAL(recording.model, RANDOM_MODEL_LATCHING);
        CU_ASSERT(recording.ready && recording.ready_usec == 1200000);
        CU_ASSERT_STRING_EQUAL(recording.hwrng, "virtio_rng.0");
        CU_ASSERT_STRING_EQUAL(recording.end, "signal");
        /* The first and the last of each level. */
        CU_ASSERT_EQUAL(recording.n_samples, 4);
        CU_ASSERT_EQUAL(recording.at_usec[1], 1190000);
        CU_ASSERT_EQUAL(recording.at_usec[2], 1200000);
        CU_ASSERT_EQUAL(recording.minimum_bits[2], 256);
        CU_ASSERT_EQUAL(recording.n_blocked, 1);
        CU_ASSERT(recording.blocked[0].jitter && recording.blocked[0].open);
        CU_ASSERT_EQUAL(recording.blocked[0].tid, 8);
        CU_ASSERT_EQUAL(recording.n_events, 1);
        CU_ASSERT_STRING_EQUAL(recording.events[0].text, "a \"b\"??");
        CU_ASSERT_EQUAL(recording.n_starts, 51);
        CU_ASSERT_EQUAL(recording.forks[50], 3);
}

static void test_nothing_seen(void) {
        _cleanup_recording_ Recording recording = {};

        write_and_read(&recording);
        CU_ASSERT_EQUAL(recording.n_samples, 0);
        CU_ASSERT(!recording.ready);
        CU_ASSERT_STRING_EQUAL(recording.hwrng, "");
}

/* A recording is readable by all, and the run report holds a salt and digests of seeds. */
static void test_report_without_salt(void) {
        static const char run_report[] =
                "{\"phase\": \"real\", \"salt\": \"5eed\", \"credited_seeds\": [\"d16e57\"], "
                "\"sources\": [{\"name\": \"tpm\", \"bytes\": 32, \"credited_bits\": 256}]}";
        _cleanup_recording_ Recording recording = {};
        Json *seeder;
        int fd;

        fd = openat(directory_fd, "seeder.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CU_ASSERT_EQUAL(write(fd, run_report, strlen(run_report)), (ssize_t)strlen(run_report));
        (void)close(fd);
        write_and_read(&recording);
        seeder = json_object_object_get(recording.reports, "seeder");
        CU_ASSERT_PTR_NOT_NULL(json_object_object_get(seeder, "sources"));
        CU_ASSERT_PTR_NULL(json_object_object_get(seeder, "salt"));
        CU_ASSERT_PTR_NULL(json_object_object_get(seeder, "credited_seeds"));
}

static void put_file(const char *name, const char *text) {
        int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        (void)close(fd);
}

/* Every run's, up to the last that the seeder numbers. */
static void test_reports_of_all_runs(void) {
        static const char *const names[] = { "seeder-initramfs",
                                             "seeder-initramfs-9",
                                             "seeder-2",
                                             "seeder-9" };
        _cleanup_recording_ Recording recording = {};

        _Static_assert(DOCUMENT_SEEDER_RUNS == REPORT_FILE_NUMBER_MAX, "the seeder numbers more");
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char file[64];

                (void)snprintf(file, sizeof(file), "%s.json", names[i]);
                put_file(file, "{\"sources\": []}");
        }
        put_file("seeder-10.json", "{}");
        put_file("seeder-1.json", "{}");
        write_and_read(&recording);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                CU_ASSERT_PTR_NOT_NULL(json_object_object_get(recording.reports, names[i]));
        CU_ASSERT_EQUAL((size_t)json_object_object_length(recording.reports), ELEMENTSOF(names));
}

/* A run report that is no JSON is left out and spoils nothing. */
static void test_broken_report(void) {
        _cleanup_recording_ Recording recording = {};
        int fd;

        fd = openat(directory_fd, "seeder.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CU_ASSERT_EQUAL(write(fd, "{\"sources\": [", 13), 13);
        (void)close(fd);
        write_and_read(&recording);
        CU_ASSERT_PTR_NULL(json_object_object_get(recording.reports, "seeder"));
}

/* What another left is replaced; and without /proc a file cannot be given its name later. */
static void test_again(void) {
        struct stat status;

        for (unsigned int i = 0; i < 2; i++) {
                _cleanup_recording_ Recording recording = {};
                int fd;

                fd = openat(directory_fd, "r.json.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                CU_ASSERT_EQUAL(close(fd), 0);
                write_and_read(&recording);
                CU_ASSERT(fstatat(directory_fd, "r.json.new", &status, 0) < 0);
                (void)close(sampler.views.proc_fd);
                sampler.views.proc_fd = -1;
        }
}

static void test_no_directory(void) {
        CU_ASSERT_EQUAL(
                write_recording(
                        &sampler,
                        RECORDING_END_SIGNAL,
                        directory_fd,
                        "no/r.json",
                        directory),
                -ENOENT);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_round_trip),          HARNESS_TEST(test_nothing_seen),
        HARNESS_TEST(test_report_without_salt), HARNESS_TEST(test_reports_of_all_runs),
        HARNESS_TEST(test_broken_report),       HARNESS_TEST(test_again),
        HARNESS_TEST(test_no_directory),        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("write", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
