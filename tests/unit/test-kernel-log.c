/* SPDX-License-Identifier: MIT */
/* What is told of the kernel's log: news once, history never, lost records at most once a minute. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/kernel/clock.h"
#include "lib/kernel/kmsg.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

/* A script of records, "7F 8- 9R L": number and kind. The log is opened twice: what comes from now on
 * first, then what is in it. */
static const char *scripts[2];
static int fds[2] = { -1, -1 };
static unsigned n_opened;
static uint64_t now_usec;

static int fake_kmsg_open(const RootDir *root, int *ret_fd) {
        *ret_fd = fds[n_opened] = eventfd(1, EFD_CLOEXEC); /* readable for ever */
        n_opened++;
        return *ret_fd < 0 ? -EMFILE : 0;
}

static int fake_kmsg_read(int fd, KmsgRecord *ret_record) {
        const char **script = &scripts[fd == fds[0] ? 0 : 1];
        char *kind;

        while (**script == ' ')
                (*script)++;
        if (**script == '\0')
                return KMSG_E_END;
        *ret_record = (KmsgRecord){ .sequence = strtoul(*script, &kind, 10), .at_usec = 77 };
        *script = kind + 1;
        switch (*kind) {
        case 'L':
                return KMSG_E_LOST;
        case 'B':
                return -EBADMSG;
        case 'E':
                return -EIO;
        case 'F':
                ret_record->event = KMSG_EVENT_VM_FORK;
                return 0;
        case 'R':
                ret_record->event = KMSG_EVENT_RESUME;
                return 0;
        case 'Y':
                ret_record->event = KMSG_EVENT_RNG_READY;
                return 0;
        default:
                return 0;
        }
}

#define kmsg_open(root, ret_fd)   fake_kmsg_open(root, ret_fd)
#define kmsg_read(fd, ret_record) fake_kmsg_read(fd, ret_record)
#define lseek(fd, offset, whence) ((void)(fd), (whence)-SEEK_END)
#define clock_boottime_usec()     now_usec
#include "rngd/kernel-log.c"
#undef lseek

static sd_event *event;
static KernelLog kernel_log;
static int directory_fd = -1;
static char told[32];

static void seen(void *userdata, KernelLogEvent what) {
        const size_t n = strlen(told);

        CU_ASSERT_PTR_EQUAL(userdata, told);
        CU_ASSERT_FATAL(n + 1 < sizeof(told));
        told[n] = what == KERNEL_LOG_VMFORK ? 'F' : what == KERNEL_LOG_RESUME ? 'R' : 'G';
        told[n + 1] = '\0';
}

static void setup(void) {
        scratch_setup();
        directory_fd = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT_FATAL(directory_fd >= 0);
        CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
        now_usec = 1000 * USEC_PER_SEC;
}

static void teardown(void) {
        event = sd_event_unref(event);
        cleanup_close(&directory_fd);
        scratch_teardown();
}

static void start(const char *history, const char *live) {
        scripts[0] = live;
        scripts[1] = history;
        n_opened = 0;
        told[0] = '\0';
        kernel_log_init(&kernel_log, event, NULL, &(const KernelLogHooks){ seen, told });
        CU_ASSERT_EQUAL(kernel_log_open(&kernel_log), 0);
        CU_ASSERT_FALSE(kernel_log_works(&kernel_log));
        CU_ASSERT_EQUAL(kernel_log_start(&kernel_log, directory_fd), 0);
        CU_ASSERT(kernel_log_works(&kernel_log));
}

static void turn_until_read(void) {
        for (unsigned i = 0; i < 6; i++)
                CU_ASSERT(sd_event_run(event, 0) >= 0);
        CU_ASSERT_EQUAL(kernel_log.history_fd, -1);
}

static const char *kept(void) {
        static char text[32];
        int fd = open(scratch_path("kmsg-sequence"), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        text[n > 0 ? n : 0] = '\0';
        cleanup_close(&fd);
        return text;
}

static void test_news_and_history(void) {
        static const struct {
                const char *before; /* kmsg-sequence as an earlier rngd left it */
                const char *history, *live;
                const char *told, *after;
        } cases[] = {
                { NULL, "", "", "", "1\n" },
                /* The first start in a boot: what is there by then is history. */
                { NULL, "3- 4F 5R 6-", "", "", "7\n" },
                { NULL, "3- 4F", "5F", "F", "6\n" },
                { NULL, "3- 4F 5F", "5F", "F", "6\n" }, /* it came meanwhile, and is in both */
                { NULL, "3-", "4R 5- 6F", "RF", "7\n" },
                /* A later one: what the earlier did not tell of is news. */
                { "5\n", "3F 4F 5F 6-", "", "F", "6\n" },
                { "5\n", "3F 4F 5- 6-", "", "", "5\n" },
                { "5\n", "3F 4R 5R", "6F", "RF", "7\n" },
                { "5\n", "3- 5F", "6R", "FR", "7\n" }, /* a resume is no answer to a fork */
                { "5\n", "7- 8F", "", "GF", "9\n" },   /* 5 and 6 were overwritten by then */
                { "5\n", "5- 6B 8-", "", "", "5\n" },  /* what is no record is passed over */
                /* What was kept cannot be read: all of it may have been missed. */
                { "five\n", "3- 4F", "", "G", "5\n" },
                { "", "3-", "", "G", "4\n" },
                /* Lost while it ran. */
                { NULL, "3-", "L 9F", "GF", "10\n" },
                { NULL, "3-", "9E", "", "4\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                (void)unlink(scratch_path("kmsg-sequence"));
                if (cases[i].before)
                        (void)scratch_write("kmsg-sequence", cases[i].before);
                start(cases[i].history, cases[i].live);
                turn_until_read();
                harness_row("case %zu: told %s, kept %s", i, told, kept());
                CU_ASSERT_STRING_EQUAL(told, cases[i].told);
                CU_ASSERT_STRING_EQUAL(kept(), cases[i].after);
                kernel_log_deinit(&kernel_log);
        }
}

/* One fork is told of at once when its sign is looked for, before the loop comes to it. */
static void test_look(void) {
        start("3-", "4F");
        kernel_log_look(&kernel_log);
        CU_ASSERT_STRING_EQUAL(told, "F");
        kernel_log_look(&kernel_log);
        turn_until_read();
        CU_ASSERT_STRING_EQUAL(told, "F");
        kernel_log_deinit(&kernel_log);
}

static void test_gaps_are_told_of_seldom(void) {
        start("3-", "");
        turn_until_read();
        scripts[0] = "L 4- L 5- L";
        kernel_log_look(&kernel_log);
        CU_ASSERT_STRING_EQUAL(told, "G");
        CU_ASSERT_PTR_NOT_NULL(kernel_log.gap_source); /* the last one is not left out */

        now_usec += GAP_INTERVAL_USEC;
        scripts[0] = "L";
        kernel_log_look(&kernel_log);
        CU_ASSERT_STRING_EQUAL(told, "GG");
        kernel_log_deinit(&kernel_log);
}

static void test_when_it_became_ready(void) {
        start("3- 4Y", "");
        CU_ASSERT_EQUAL(kernel_log.ready_since_usec, 0);
        turn_until_read();
        CU_ASSERT_EQUAL(kernel_log.ready_since_usec, 77);
        kernel_log_deinit(&kernel_log);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_news_and_history),
        HARNESS_TEST(test_look),
        HARNESS_TEST(test_gaps_are_told_of_seldom),
        HARNESS_TEST(test_when_it_became_ready),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("kernel-log", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
