/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/feed/worker.h"
#include "lib/sources/config-drive-disks.h"
#include "lib/sources/seed.h"
#include "lib/sources/source-list.h"
#include "lib/sources/volume-label.h"
#include "tests/unit/harness.h"

#define SEED_32   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define DOCUMENT  "{\"random_seed\": \"" SEED_32 "\"}"
#define DIRECTORY "var/lib/cloud/seed/config_drive/openstack/"

static char root[64];

/* A shell line with the root as $R. */
static int shell(const char *line) {
        char command[1024];

        (void)snprintf(
                command,
                sizeof(command),
                "R=%s; set -e; { %s; } >/dev/null 2>&1",
                root,
                line);
        return system(command);
}

static void setup_root(void) {
        (void)snprintf(root, sizeof(root), "/tmp/test-config-drive.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
}

static void teardown_root(void) {
        CU_ASSERT_EQUAL(shell("rm -rf $R"), 0);
}

static void write_document(const char *version, const char *text) {
        char path[256];
        FILE *stream;

        (void)snprintf(path, sizeof(path), "mkdir -p $R/" DIRECTORY "%s", version);
        CU_ASSERT_EQUAL(shell(path), 0);
        (void)snprintf(path, sizeof(path), "%s/" DIRECTORY "%s/meta_data.json", root, version);
        stream = fopen(path, "we");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT(fputs(text, stream) >= 0);
        CU_ASSERT_EQUAL(fclose(stream), 0);
}

/* ---- labels ---- */

static int label_of(const char *name, VolumeLabel *ret_label) {
        char path[128];
        int fd, r;

        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        CU_ASSERT(fd >= 0);
        r = volume_label_read(fd, ret_label);
        (void)close(fd);
        return r;
}

static void test_iso_label(void) {
        VolumeLabel label = { .filesystem = "" };

        if (shell("command -v genisoimage") != 0)
                HARNESS_SKIP("no genisoimage");
        CU_ASSERT_EQUAL(
                shell("mkdir $R/d; genisoimage -J -r -ldots -allow-lowercase -allow-multidot -l "
                      "-V config-2 -o $R/iso $R/d"),
                0);
        CU_ASSERT_EQUAL(label_of("iso", &label), 0);
        CU_ASSERT_STRING_EQUAL(label.filesystem, "iso9660");
        CU_ASSERT_STRING_EQUAL(label.label, "config-2");
        CU_ASSERT(config_drive_is_label(label.label));
}

static void test_fat_labels(void) {
        static const struct {
                const char *make, *label;
        } rows[] = {
                { "truncate -s 1M $R/fat; mkfs.vfat -F 12 -n config-2 $R/fat", "config-2" },
                { "truncate -s 64M $R/fat; mkfs.vfat -F 16 -n CONFIG-2 $R/fat", "CONFIG-2" },
                { "truncate -s 64M $R/fat; mkfs.vfat -F 32 -n config-2 $R/fat", "config-2" },
                { "truncate -s 64M $R/fat; mkfs.vfat -F 16 -S 2048 -n CONFIG-2 $R/fat",
                  "CONFIG-2" },
                { "truncate -s 1M $R/fat; mkfs.vfat -n other $R/fat", "other" },
                /* The label in the root directory counts, as for blkid. */
                { "truncate -s 1M $R/fat; mkfs.vfat -F 12 -n config-2 $R/fat; "
                  "printf OTHER | dd of=$R/fat bs=1 seek=43 conv=notrunc",
                  "config-2" },
        };

        if (shell("command -v mkfs.vfat") != 0)
                HARNESS_SKIP("no mkfs.vfat");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                VolumeLabel label = { .filesystem = "" };

                harness_row("%s", rows[i].make);
                CU_ASSERT_EQUAL(shell(rows[i].make), 0);
                CU_ASSERT_EQUAL(label_of("fat", &label), 0);
                CU_ASSERT_STRING_EQUAL(label.filesystem, "vfat");
                CU_ASSERT_STRING_EQUAL(label.label, rows[i].label);
                CU_ASSERT_EQUAL(shell("rm $R/fat"), 0);
        }
}

/* Known by its label, and not mounted. */
static void test_ext_label(void) {
        VolumeLabel label = { .filesystem = "" };

        if (shell("command -v mke2fs") != 0)
                HARNESS_SKIP("no mke2fs");
        CU_ASSERT_EQUAL(shell("truncate -s 1M $R/ext; mke2fs -q -t ext4 -L config-2 -F $R/ext"), 0);
        CU_ASSERT_EQUAL(label_of("ext", &label), 0);
        CU_ASSERT_STRING_EQUAL(label.filesystem, "ext4");
        CU_ASSERT_STRING_EQUAL(label.label, "config-2");
}

static void test_other_disks(void) {
        static const char *const rows[] = {
                ": > $R/disk",
                "truncate -s 511 $R/disk",
                "truncate -s 1M $R/disk",
                "truncate -s 1M $R/disk; printf '\\125\\252' | dd of=$R/disk bs=1 seek=510 conv=notrunc",
                "head -c 40000 /dev/zero | tr '\\0' '\\377' > $R/disk",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                VolumeLabel label = {};

                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(shell(rows[i]), 0);
                CU_ASSERT_EQUAL(label_of("disk", &label), -ENODATA);
                CU_ASSERT_PTR_NULL(label.filesystem);
        }
}

/* ---- disks ---- */

static void find(char text[static 256]) {
        ConfigDriveDisks disks;
        RootDir dir;

        CU_ASSERT_EQUAL(rootdir_open(root, &dir), 0);
        config_drive_find_disks(&dir, &disks);
        rootdir_close(&dir);
        text[0] = '\0';
        for (size_t i = 0; i < disks.n; i++)
                (void)snprintf(
                        text + strlen(text),
                        256 - strlen(text),
                        "%s%s",
                        i > 0 ? " " : "",
                        disks.disks[i].name);
}

static void test_find_disks(void) {
        char text[256];

        find(text);
        CU_ASSERT_STRING_EQUAL(text, "");

        /* Not the floppy, no drive without a medium, no part of a disk, nothing mapped. */
        CU_ASSERT_EQUAL(
                shell("cd $R; mkdir -p sys/class/block; cd sys/class/block; "
                      "for d in vda vda2 fd0 sr0 loop0 dm-0 zram0; do mkdir $d; echo 2048 > $d/size; "
                      "done; for d in vda fd0 sr0; do mkdir $d/device; done; mkdir vda2/device; "
                      "echo 2 > vda2/partition; echo 254:0 > vda/dev; echo 0 > sr0/size"),
                0);
        find(text);
        CU_ASSERT_STRING_EQUAL(text, "vda");

        /* udev looked at it and found no such label, or found one. */
        CU_ASSERT_EQUAL(
                shell("mkdir -p $R/run/udev/data; cd $R/run/udev/data; "
                      "printf 'I:1\\nE:ID_FS_LABEL=config-22\\nE:ID_FS_TYPE=vfat\\n' > b254:0"),
                0);
        find(text);
        CU_ASSERT_STRING_EQUAL(text, "");
        CU_ASSERT_EQUAL(shell("echo E:ID_FS_LABEL=config-2 >> $R/run/udev/data/b254:0"), 0);
        find(text);
        CU_ASSERT_STRING_EQUAL(text, "vda");
}

/* ---- documents ---- */

static int compare_lines(const void *a, const void *b) {
        return strcmp(a, b);
}

/* All labels with their lengths or errors, sorted: "directory:a 32\ndirectory:b -74\n". */
static void read_all(char text[static 4096]) {
        Source source = { .ops = &source_config_drive, .config = { .root = root }, .fd = -1 };
        uint8_t buffer[SOURCE_READ_MAX_BYTES];
        static char lines[80][64];
        unsigned n_lines = 0;
        int opened;

        text[0] = '\0';
        opened = source.ops->open(&source);
        if (opened < 0) {
                CU_ASSERT_EQUAL(opened, -ENOENT);
                CU_ASSERT_PTR_NULL(source.state);
                return;
        }
        for (; n_lines < ELEMENTSOF(lines); n_lines++) {
                size_t n = 0;
                int r = source.ops->read(&source, buffer, sizeof(buffer), &n);

                if (r == -ENODATA)
                        break;
                (void)snprintf(
                        lines[n_lines],
                        sizeof(lines[n_lines]),
                        "%s %d\n",
                        source.label,
                        r < 0 ? r : (int)n);
        }
        source.ops->close(&source);
        qsort(lines, n_lines, sizeof(lines[0]), compare_lines);
        for (unsigned i = 0; i < n_lines; i++)
                (void)strcat(text, lines[i]);
}

static void test_no_drive(void) {
        char text[4096];

        read_all(text);
        CU_ASSERT_STRING_EQUAL(text, "");
}

static void test_versions(void) {
        char text[4096];

        write_document("2012-08-10", "{}");
        write_document("2013-04-04", DOCUMENT);
        write_document("2018-08-27", "{\"meta\": {\"random_seed\": \"" SEED_32 "\"}}");
        write_document("2020-10-14", "{\"random_seed\": \"AAAA\"}");
        write_document("2025-04-04", "{\"random_seed\": ");
        write_document("latest", DOCUMENT);
        CU_ASSERT_EQUAL(shell("mkdir $R/" DIRECTORY "empty; : > $R/" DIRECTORY "file"), 0);
        read_all(text);
        CU_ASSERT_STRING_EQUAL(
                text,
                "directory:2013-04-04 32\ndirectory:2020-10-14 -34\ndirectory:2025-04-04 -74\n"
                "directory:latest 32\n");
}

/* None of these is opened, and nothing waits. */
static void test_what_is_not_on_the_drive(void) {
        char text[4096];

        write_document("good", DOCUMENT);
        CU_ASSERT_EQUAL(
                shell("cd $R/" DIRECTORY "; cp good/meta_data.json $R/outside; "
                      "mkdir a b c; ln -s $R/outside a/meta_data.json; "
                      "ln -s ../good/meta_data.json b/meta_data.json; mkfifo c/meta_data.json; "
                      "ln -s good d; mkdir -p e/meta_data.json; mkdir $R/x; "
                      "cp good/meta_data.json $R/x/; ln -s $R/x f; mkdir .g; cp $R/outside .g/meta_data.json"),
                0);
        read_all(text);
        CU_ASSERT_STRING_EQUAL(text, "directory:good 32\n");

        CU_ASSERT_EQUAL(
                shell("cd $R/" DIRECTORY "..; mv openstack elsewhere; ln -s elsewhere openstack"),
                0);
        read_all(text);
        CU_ASSERT_STRING_EQUAL(text, "");
}

static void test_limits(void) {
        char text[4096];
        unsigned n = 0;

        write_document("huge", "");
        CU_ASSERT_EQUAL(
                shell("head -c 1048577 /dev/zero | tr '\\0' ' ' > $R/" DIRECTORY
                      "huge/meta_data.json"),
                0);
        read_all(text);
        CU_ASSERT_STRING_EQUAL(text, "directory:huge -27\n");

        write_document("huge", DOCUMENT);
        CU_ASSERT_EQUAL(
                shell("cd $R/" DIRECTORY "; for i in $(seq 70); do cp -r huge v$i; done"),
                0);
        read_all(text);
        for (const char *at = text; (at = strchr(at, '\n')); at++)
                n++;
        CU_ASSERT_EQUAL(n, 64);
}

/* ---- in a worker ---- */

static int ask(Worker *worker, Batch *batch, int *ret_error) {
        struct pollfd entry = { .fd = worker->fd, .events = POLLIN };
        int r;

        r = worker_ask(worker, SOURCE_READ_MAX_BYTES, 0);
        CU_ASSERT_EQUAL(r, 0);
        CU_ASSERT_EQUAL(poll(&entry, 1, 10000), 1);
        return worker_receive(worker, batch, ret_error);
}

static void test_worker_gives_seeds_with_labels(void) {
        const WorkerSpec spec = {
                .source = SOURCE_CONFIG_DRIVE,
                .config = { .root = root },
                .uid = 65534,
                .gid = 65534,
        };
        Worker worker = WORKER_NULL;
        Batch batch;
        int error = 0;
        pid_t pid;

        if (geteuid() != 0)
                HARNESS_SKIP("a source that mounts needs root");
        write_document("2013-04-04", DOCUMENT);
        write_document("a\001b", "[]");
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        CU_ASSERT_EQUAL(worker_start(&worker, &spec), 0);
        for (unsigned i = 0; i < 2; i++) {
                int r = ask(&worker, &batch, &error);

                if (strcmp(batch.label, "directory:2013-04-04") == 0) {
                        CU_ASSERT_EQUAL(r, 0);
                        CU_ASSERT_EQUAL(batch.length, 32);
                        for (size_t j = 0; j < batch.length; j++)
                                CU_ASSERT_EQUAL(batch.secret->bytes[j], j);
                } else {
                        CU_ASSERT_STRING_EQUAL(batch.label, "directory:a?b");
                        CU_ASSERT_EQUAL(r, WORKER_E_SOURCE);
                        CU_ASSERT_EQUAL(error, -EBADMSG);
                }
        }
        for (unsigned i = 0; i < 2; i++) {
                CU_ASSERT_EQUAL(ask(&worker, &batch, &error), WORKER_E_SOURCE);
                CU_ASSERT_EQUAL(error, -ENODATA);
                CU_ASSERT_STRING_EQUAL(batch.label, "");
        }

        /* Fewer bytes than a seed may have: not a part of one. */
        CU_ASSERT_EQUAL(worker_ask(&worker, 64, 0), 0);
        CU_ASSERT_EQUAL(poll(&(struct pollfd){ .fd = worker.fd, .events = POLLIN }, 1, 10000), 1);
        CU_ASSERT_EQUAL(worker_receive(&worker, &batch, &error), WORKER_E_SOURCE);
        CU_ASSERT_EQUAL(error, -EINVAL);

        pid = worker_stop(&worker);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        batch_deinit(&batch);
}

static CU_TestInfo label_tests[] = {
        HARNESS_TEST(test_iso_label),
        HARNESS_TEST(test_fat_labels),
        HARNESS_TEST(test_ext_label),
        HARNESS_TEST(test_other_disks),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo disk_tests[] = {
        HARNESS_TEST(test_find_disks),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo document_tests[] = {
        HARNESS_TEST(test_no_drive),
        HARNESS_TEST(test_versions),
        HARNESS_TEST(test_what_is_not_on_the_drive),
        HARNESS_TEST(test_limits),
        HARNESS_TEST(test_worker_gives_seeds_with_labels),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("volume label", setup_root, teardown_root, label_tests),
        HARNESS_SUITE_WITH("disks", setup_root, teardown_root, disk_tests),
        HARNESS_SUITE_WITH("documents", setup_root, teardown_root, document_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
