/* SPDX-License-Identifier: MIT */
/* No memory, no descriptor, a file that cannot be opened, at any point of collecting seeds: what is
 * found is whole, what is not found is missing, nothing is left open. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/base/base64.h"
#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/rootdir.h"
#include "lib/base/secret.h"
#include "lib/sources/config-drive-disks.h"
#include "lib/sources/platform-seed.h"
#include "lib/sources/seed.h"
#include "lib/sources/source-list.h"
#include "lib/sources/volume-label.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static void *fault_calloc(size_t n, size_t size) {
        return FAULT(NULL, calloc(n, size));
}

static int fault_open(const char *name, int flags) {
        return FAULT(-1, open(name, flags));
}

static int fault_openat(int directory, const char *name, int flags) {
        return FAULT(-1, openat(directory, name, flags));
}

static int fault_fstat(int fd, struct stat *ret_stat) {
        return FAULT(-1, fstat(fd, ret_stat));
}

static DIR *fault_fdopendir(int fd) {
        return FAULT(NULL, fdopendir(fd));
}

static int fault_rootdir_open(const char *path, RootDir *ret_root) {
        return FAULT(-ENOMEM, rootdir_open(path, ret_root));
}

static int fault_rootdir_open_file(const RootDir *root, const char *path, int flags) {
        return FAULT(-ENOMEM, rootdir_open_file(root, path, flags));
}

static int fault_secret_new(size_t size_bytes, Secret **ret_secret) {
        return FAULT(-ENOMEM, secret_new(size_bytes, ret_secret));
}

static int fault_io_read_full(int fd, void *buffer, size_t size, size_t *ret_length) {
        return FAULT(-EIO, io_read_full(fd, buffer, size, ret_length));
}

/* With arguments, so that the members of SourceOps keep their names. */
#define calloc(...)            fault_calloc(__VA_ARGS__)
#define open(...)              fault_open(__VA_ARGS__)
#define openat(...)            fault_openat(__VA_ARGS__)
#define fstat(...)             fault_fstat(__VA_ARGS__)
#define fdopendir(...)         fault_fdopendir(__VA_ARGS__)
#define rootdir_open(...)      fault_rootdir_open(__VA_ARGS__)
#define rootdir_open_file(...) fault_rootdir_open_file(__VA_ARGS__)
#define secret_new(...)        fault_secret_new(__VA_ARGS__)
#define io_read_full(...)      fault_io_read_full(__VA_ARGS__)
#include "lib/sources/config-drive-disks.c"
#include "lib/sources/source-config-drive.c"
#include "lib/sources/source-platform.c"
#undef calloc
#undef open
#undef openat
#undef fstat
#undef fdopendir
#undef rootdir_open
#undef rootdir_open_file
#undef secret_new
#undef io_read_full

#define SEED_32  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define DOCUMENT "{\\\"random_seed\\\": \\\"" SEED_32 "\\\"}"

static char root[64];

static void shell(const char *line) {
        char command[1024];

        (void)snprintf(command, sizeof(command), "R=%s; set -e; { %s; }", root, line);
        CU_ASSERT_EQUAL(system(command), 0);
}

static void setup_root(void) {
        (void)snprintf(root, sizeof(root), "/tmp/fault-static-seeds.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
        shell("mkdir -p $R/var/lib/cloud/seed/config_drive/openstack/a "
              "$R/var/lib/cloud/seed/config_drive/openstack/b $R/sys/class/block/vda; "
              "echo 8 > $R/sys/class/block/vda/size; "
              "for v in a b; do echo \"" DOCUMENT "\" > "
              "$R/var/lib/cloud/seed/config_drive/openstack/$v/meta_data.json; done");
        shell("mkdir -p $R/credentials $R/sys/firmware/dmi/entries/11-0 "
              "$R/sys/firmware/qemu_fw_cfg/by_name/opt/guest-entropy/seed; "
              "for f in credentials/entropy.seed "
              "sys/firmware/qemu_fw_cfg/by_name/opt/guest-entropy/seed/raw; do "
              "printf %032d 1 > $R/$f; done; "
              "printf '\\013\\005\\000\\000\\001io.systemd.credential:entropy.seed=%032d\\000\\000' 1 "
              "> $R/sys/firmware/dmi/entries/11-0/raw");
}

static void teardown_root(void) {
        shell("rm -rf $R");
}

static int lowest_free_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)close(fd);
        return fd;
}

/* How many seeds there are; each must be whole. */
static unsigned count_seeds(const SourceOps *ops) {
        char credentials[96];
        Source source = {
                .ops = ops,
                .config = { .root = root, .credentials = credentials },
                .fd = -1,
        };
        uint8_t buffer[SOURCE_READ_MAX_BYTES];
        unsigned n_seeds = 0;
        int r;

        (void)snprintf(credentials, sizeof(credentials), "%s/credentials", root);
        r = ops->open(&source);
        if (r < 0) {
                CU_ASSERT_PTR_NULL(source.state);
                return 0;
        }
        for (unsigned i = 0; i < 8; i++) {
                size_t n = 0;

                r = ops->read(&source, buffer, sizeof(buffer), &n);
                if (r == -ENODATA)
                        break;
                CU_ASSERT_EQUAL(n, r == 0 ? 32 : 0);
                n_seeds += r == 0;
        }
        CU_ASSERT_EQUAL(r, -ENODATA);
        ops->close(&source);
        return n_seeds;
}

static void fail_each_call(const SourceOps *ops, unsigned n_expected) {
        unsigned rounds = 0;

        FAULT_EACH(error, EMFILE) {
                int free_fd = lowest_free_fd();
                unsigned n_seeds = count_seeds(ops);

                rounds++;
                CU_ASSERT(n_seeds <= n_expected);
                CU_ASSERT(fault_hit() || n_seeds == n_expected);
                CU_ASSERT_EQUAL(lowest_free_fd(), free_fd);
        }
        CU_ASSERT(rounds > 10);
}

static void test_config_drive(void) {
        fail_each_call(&source_config_drive, 2);
}

static void test_platform(void) {
        fail_each_call(&source_platform, 3);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_config_drive),
        HARNESS_TEST(test_platform),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("static seeds", setup_root, teardown_root, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
