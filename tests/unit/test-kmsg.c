/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/kernel/kmsg.h"
#include "tests/unit/harness.h"

/* A datagram pair stands for /dev/kmsg: one record for each read. */
static int pair[2] = { -1, -1 };

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                0);
}

static void teardown(void) {
        cleanup_close(&pair[0]);
        cleanup_close(&pair[1]);
}

static int parse(const char *text, KmsgRecord *record) {
        return kmsg_parse(text, strlen(text), record);
}

static void test_events(void) {
        static const struct {
                const char *text;
                KmsgEvent event;
                const char *detail;
        } rows[] = {
                /* as they were read on kernels of these versions */
                { "5,339,512345,-;random: crng init done\n", KMSG_EVENT_RNG_READY, "" },
                { "5,1,0,-;random: crng done (trusting CPU's manufacturer)\n",
                  KMSG_EVENT_RNG_READY,
                  "trusting CPU's manufacturer" },
                { "5,1,9,-;random: nonblocking pool is initialized\n", KMSG_EVENT_RNG_READY, "" },
                { "5,400,7,-;random: crng reseeded due to virtual machine fork\n",
                  KMSG_EVENT_VM_FORK,
                  "" },
                { "6,401,8,-;random: crng reseeded on system resumption\n", KMSG_EVENT_RESUME, "" },
                { "5,1,2,-;random: fast init done\n", KMSG_EVENT_FAST_INIT, "" },
                { "5,1,2,-;random: dd: uninitialized urandom read (512 bytes read)\n",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "dd" },
                { "6,1,2,-;Run /init as init process\n", KMSG_EVENT_INIT_STARTED, "/init" },
                { "6,1,2,c;random: crng init done\n", KMSG_EVENT_RNG_READY, "" },
                { "6,1,2,-,caller=T1;random: crng init done\n", KMSG_EVENT_RNG_READY, "" },
                { "6,1,2,-;random: crng init done", KMSG_EVENT_RNG_READY, "" },
                { "6,1,2,-;random: crng init done\n SUBSYSTEM=misc\n DEVICE=c1:8\n",
                  KMSG_EVENT_RNG_READY,
                  "" },
                { "6,1,2,-;\n", KMSG_EVENT_NONE, "" },
                { "6,1,2,-;", KMSG_EVENT_NONE, "" },
                { "5,1,2,-;random: crng init done (trusting CPU's manufacturer)\n",
                  KMSG_EVENT_RNG_READY,
                  "trusting CPU's manufacturer" },
                { "6,1,2,-; random: crng init done\n", KMSG_EVENT_NONE, "" },
                { "6,1,2,-;virtio: random: crng init done\n", KMSG_EVENT_NONE, "" },
                { "6,1,2,-;random: crng init\n", KMSG_EVENT_NONE, "" },
                { "6,1,2,-;x\n random: crng init done\n", KMSG_EVENT_NONE, "" },
                /* facility 1: a program wrote it */
                { "12,400,7,-;random: crng reseeded due to virtual machine fork\n",
                  KMSG_EVENT_NONE,
                  "" },
                { "12,1,2,-;random: crng init done\n", KMSG_EVENT_NONE, "" },
                { "13,1,2,-;entropy-seeder: fed 64\n", KMSG_EVENT_SEEDER, "fed 64" },
                { "5,1,2,-;entropy-seeder: fed 64\n", KMSG_EVENT_NONE, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                KmsgRecord record = {};

                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(parse(rows[i].text, &record), 0);
                CU_ASSERT_EQUAL(record.event, rows[i].event);
                CU_ASSERT_STRING_EQUAL(record.detail, rows[i].detail);
        }
}

/* What stands in the name of a process or a file is not the kernel's word, whatever it is. */
static void test_names(void) {
        static const struct {
                const char *text;
                KmsgEvent event;
                const char *detail;
        } rows[] = {
                { "random: crng init done: uninitialized urandom read (16 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "crng init done" },
                { "random: fast init done: uninitialized urandom read (1 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "fast init done" },
                { "random: crng done (trus: uninitialized urandom read (1 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "crng done (trus" },
                { "random: nonblocking poo urandom read with 3 bits of entropy available",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "nonblocking poo" },
                { "random: crng init done: uninitialized urandom read (12 bytes read, 25 bits of "
                  "entropy available)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "crng init done" },
                { "random: : uninitialized urandom read (16 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "" },
                { "random: \\x0a: x: uninitialized urandom read (16 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "\\x0a: x" },
                { "random: x: uninitialized urandom read", KMSG_EVENT_NONE, "" },
                { "random: x: uninitialized urandom read ( bytes read)", KMSG_EVENT_NONE, "" },
                { "random: x: uninitialized urandom read (1 bytes read) y", KMSG_EVENT_NONE, "" },
                { "random: crng init done[77]: segfault at 0 ip 0 sp 0 error 4 in x[0+1]",
                  KMSG_EVENT_NONE,
                  "" },
                { "random: x[77]: segfault at 0 in : uninitialized urandom read (1 bytes read)[0]",
                  KMSG_EVENT_NONE,
                  "" },
                { "random: crng reseeded due to virtual machine fork IN= OUT=lo SRC=127.0.0.1",
                  KMSG_EVENT_NONE,
                  "" },
                { "random: crng reseeded due to virtual machine forks", KMSG_EVENT_NONE, "" },
                { "random: crng reseeded on system resumption ", KMSG_EVENT_NONE, "" },
                { "random: crng init done ", KMSG_EVENT_NONE, "" },
                { "random: crng init done (trusting me)", KMSG_EVENT_NONE, "" },
                { "random: fast init done.", KMSG_EVENT_NONE, "" },
                { "random: nonblocking pool is initialized twice", KMSG_EVENT_NONE, "" },
                { "Run x[77]: segfault at 0 in as init process[0]", KMSG_EVENT_NONE, "" },
                { "Run /init as init process ", KMSG_EVENT_NONE, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                KmsgRecord record = {};
                char text[256];

                harness_row("%s", rows[i].text);
                (void)snprintf(text, sizeof(text), "5,1,2,-;%s\n SUBSYSTEM=misc\n", rows[i].text);
                CU_ASSERT_EQUAL(parse(text, &record), 0);
                CU_ASSERT_EQUAL(record.event, rows[i].event);
                CU_ASSERT_STRING_EQUAL(record.detail, rows[i].detail);
        }
}

static void test_numbers(void) {
        KmsgRecord record;

        CU_ASSERT_EQUAL(parse("6,4711,123456789,-;x\n", &record), 0);
        CU_ASSERT_EQUAL(record.sequence, 4711);
        CU_ASSERT_EQUAL(record.at_usec, 123456789);
        CU_ASSERT_EQUAL(parse("6,18446744073709551615,18446744073709551615,-;x", &record), 0);
        CU_ASSERT_EQUAL(record.sequence, UINT64_MAX);
}

static void test_garbage(void) {
        static const char *const rows[] = {
                "",
                "6",
                "6,",
                "6,1",
                "6,1,",
                "6,1,2",
                "6,1,2,",
                "6,1,2,-",
                "6,1,2;x",
                "x,1,2,-;y",
                "6,x,2,-;y",
                "6,1,x,-;y",
                "-6,1,2,-;y",
                " 6,1,2,-;y",
                "6 ,1,2,-;y",
                "6,18446744073709551616,2,-;y",
                "6,1,99999999999999999999,-;y",
                ",,,;",
                ";;;;",
                "random: crng init done",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                KmsgRecord record = { .sequence = 99 };

                harness_row("'%s'", rows[i]);
                CU_ASSERT_EQUAL(parse(rows[i], &record), -EBADMSG);
                CU_ASSERT_EQUAL(record.sequence, 99);
        }
}

/* Every beginning of a record is judged without a look past its end. */
static void test_truncated(void) {
        static const char whole[] = "5,400,7,-;random: crng reseeded due to virtual machine fork";

        for (size_t length = 0; length < sizeof(whole); length++) {
                char *exact = malloc(length + 1);
                KmsgRecord record = {};
                int r;

                CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
                memcpy(exact, whole, length);
                r = kmsg_parse(exact, length, &record);
                CU_ASSERT(r == 0 || r == -EBADMSG);
                CU_ASSERT_EQUAL(record.event == KMSG_EVENT_VM_FORK, length >= sizeof(whole) - 1);
                free(exact);
        }
}

static void test_zero_bytes(void) {
        static const char text[] = "6,1,2,-;random: crng\0init done\n";
        KmsgRecord record;

        CU_ASSERT_EQUAL(kmsg_parse(text, sizeof(text) - 1, &record), 0);
        CU_ASSERT_EQUAL(record.event, KMSG_EVENT_NONE);
        CU_ASSERT_EQUAL(kmsg_parse("\0\0\0\0", 4, &record), -EBADMSG);
}

static void test_long_detail(void) {
        char text[512] = "6,1,2,-;Run /";
        KmsgRecord record;

        memset(text + strlen(text), 'x', 300);
        (void)strcat(text, " as init process\n");
        CU_ASSERT_EQUAL(parse(text, &record), 0);
        CU_ASSERT_EQUAL(record.event, KMSG_EVENT_INIT_STARTED);
        CU_ASSERT_EQUAL(strlen(record.detail), KMSG_DETAIL_MAX - 1);
}

static void test_read(void) {
        static const char good[] = "6,1,2,-;random: crng init done\n", bad[] = "rubbish";
        KmsgRecord record = {};

        CU_ASSERT_EQUAL(kmsg_read(pair[0], &record), KMSG_E_END);
        CU_ASSERT_EQUAL(write(pair[1], good, sizeof(good) - 1), (ssize_t)sizeof(good) - 1);
        CU_ASSERT_EQUAL(write(pair[1], bad, sizeof(bad) - 1), (ssize_t)sizeof(bad) - 1);
        CU_ASSERT_EQUAL(kmsg_read(pair[0], &record), 0);
        CU_ASSERT_EQUAL(record.event, KMSG_EVENT_RNG_READY);
        CU_ASSERT_EQUAL(kmsg_read(pair[0], &record), -EBADMSG);
        CU_ASSERT_EQUAL(kmsg_read(pair[0], &record), KMSG_E_END);
        CU_ASSERT_EQUAL(kmsg_read(-1, &record), -EBADF);
}

/* The log of this machine: all of it can be read, and it ends. */
static void test_real(void) {
        RootDir root = ROOTDIR_NULL, nowhere = ROOTDIR_NULL;
        unsigned n_records = 0;
        KmsgRecord record;
        int fd = -1, r;

        CU_ASSERT_EQUAL_FATAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL(rootdir_open("/tmp", &nowhere), 0);
        CU_ASSERT_EQUAL(kmsg_open(&nowhere, &fd), -ENOENT);
        CU_ASSERT_EQUAL(fd, -1);
        rootdir_close(&nowhere);

        r = kmsg_open(&root, &fd);
        rootdir_close(&root);
        if (r < 0)
                HARNESS_SKIP("the kernel's log may not be read here");
        while ((r = kmsg_read(fd, &record)) != KMSG_E_END && n_records < 1000000) {
                CU_ASSERT(r == 0 || r == KMSG_E_LOST);
                n_records++;
        }
        CU_ASSERT_EQUAL(r, KMSG_E_END);
        CU_ASSERT(n_records > 0);
        (void)close(fd);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_events),      HARNESS_TEST(test_names),
        HARNESS_TEST(test_numbers),     HARNESS_TEST(test_garbage),
        HARNESS_TEST(test_truncated),   HARNESS_TEST(test_zero_bytes),
        HARNESS_TEST(test_long_detail), HARNESS_TEST(test_read),
        HARNESS_TEST(test_real),        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("kmsg", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
