/* SPDX-License-Identifier: MIT */
/* What the monitor takes from the kernel, as texts and datagrams. */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>

#include "lib/kernel/blocked.h"
#include "lib/kernel/kmsg.h"
#include "lib/kernel/proc-connector.h"
#include "lib/kernel/uevent.h"
#include "tests/unit/harness.h"

static void test_kmsg(void) {
        static const struct {
                const char *text;
                KmsgEvent event;
                const char *detail;
        } rows[] = {
                { "5,1,100,-;random: crng init done", KMSG_EVENT_RNG_READY, "" },
                { "5,1,100,-;random: crng init done (trusting CPU's manufacturer)\n SUBSYSTEM=x",
                  KMSG_EVENT_RNG_READY,
                  "trusting CPU's manufacturer" },
                { "5,1,100,-;random: crng done (trusting CPU's manufacturer)",
                  KMSG_EVENT_RNG_READY,
                  "trusting CPU's manufacturer" },
                { "5,1,100,-;random: fast init done", KMSG_EVENT_FAST_INIT, "" },
                { "5,1,100,-;random: dd: uninitialized urandom read (16 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "dd" },
                { "5,1,100,-;random: a: b: uninitialized urandom read (1 bytes read)",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "a: b" },
                { "5,1,100,-;random: dd urandom read with 3 bits of entropy available",
                  KMSG_EVENT_UNINITIALIZED_READ,
                  "dd" },
                { "6,1,100,-;Run /init as init process", KMSG_EVENT_INIT_STARTED, "/init" },
                { "12,1,100,-;entropy-seeder: hwrng 64 B", KMSG_EVENT_SEEDER, "hwrng 64 B" },
                /* Only programs are the seeder, and only the kernel is the RNG. */
                { "6,1,100,-;entropy-seeder: hwrng 64 B", KMSG_EVENT_NONE, "" },
                { "12,1,100,-;random: crng init done", KMSG_EVENT_NONE, "" },
                { "6,1,100,-;Running", KMSG_EVENT_NONE, "" },
                /* What stands in the properties behind the line is not the line. */
                { "6,1,100,-;random: x\n KEY=: uninitialized urandom read", KMSG_EVENT_NONE, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                KmsgRecord record = {};

                harness_row("%s", rows[i].text);
                CU_ASSERT_EQUAL(kmsg_parse(rows[i].text, strlen(rows[i].text), &record), 0);
                CU_ASSERT_EQUAL(record.event, rows[i].event);
                CU_ASSERT_STRING_EQUAL(record.detail, rows[i].detail);
                CU_ASSERT_EQUAL(record.at_usec, 100);
        }
}

/* A detail of any length fits, and the buffer behind a short text is not read (ASan watches). */
static void test_kmsg_lengths(void) {
        char text[400] = "6,1,100,-;Run ";
        KmsgRecord record = {};

        memset(text + strlen(text), 'p', 300);
        memcpy(text + 314, " as init process", 16);
        CU_ASSERT_EQUAL(kmsg_parse(text, 330, &record), 0);
        CU_ASSERT_EQUAL(record.event, KMSG_EVENT_INIT_STARTED);
        CU_ASSERT_EQUAL(strlen(record.detail), KMSG_DETAIL_MAX - 1);
        for (size_t n = 0; n < 330; n++) {
                char *exact = malloc(n + 1);

                memcpy(exact, text, n);
                (void)!kmsg_parse(exact, n, &record);
                free(exact);
        }
}

static void test_uevent(void) {
        static const char bind[] =
                "bind@/devices/x/virtio0\0ACTION=bind\0SUBSYSTEM=virtio\0DRIVER=virtio_rng\0SEQNUM=1";
        static const char disk[] =
                "add@/devices/x/vda\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=disk\0DEVNAME=vda";
        char longest[2 * UEVENT_FIELD_MAX] = "a@b";
        Uevent event = {};

        CU_ASSERT_EQUAL(uevent_parse(bind, sizeof(bind), &event), 0);
        CU_ASSERT_STRING_EQUAL(event.action, "bind");
        CU_ASSERT_STRING_EQUAL(event.driver, "virtio_rng");
        CU_ASSERT_STRING_EQUAL(event.device_name, "");
        CU_ASSERT_EQUAL(uevent_parse(disk, sizeof(disk), &event), 0);
        CU_ASSERT_STRING_EQUAL(event.device_name, "vda");
        CU_ASSERT_STRING_EQUAL(event.device_type, "disk");

        memcpy(longest + 4, "ACTION=", 7);
        memset(longest + 11, 'x', sizeof(longest) - 12);
        CU_ASSERT_EQUAL(uevent_parse(longest, sizeof(longest), &event), 0);
        CU_ASSERT_EQUAL(strlen(event.action), UEVENT_FIELD_MAX - 1);

        CU_ASSERT_EQUAL(uevent_parse("libudev", 8, &event), -EBADMSG);
        CU_ASSERT_EQUAL(uevent_parse("a@b", 3, &event), -EBADMSG);
        CU_ASSERT_EQUAL(uevent_parse("", 0, &event), -EBADMSG);
}

/* The structs end in flexible arrays, so they are laid out by hand. */
static int parse_datagram(
        const struct cn_msg *message,
        const struct proc_event *event,
        size_t length,
        ProcStart *ret_start) {
        uint8_t datagram[NLMSG_HDRLEN + sizeof(*message) + sizeof(*event)] = {};

        memcpy(datagram + NLMSG_HDRLEN, message, sizeof(*message));
        memcpy(datagram + NLMSG_HDRLEN + sizeof(*message), event, sizeof(*event));
        return proc_connector_parse(datagram, MIN(length, sizeof(datagram)), ret_start);
}

static void test_proc_connector(void) {
        struct cn_msg message = { .id = { .idx = CN_IDX_PROC, .val = CN_VAL_PROC } };
        struct proc_event event = { .timestamp_ns = 5000000 };
        ProcStart start = {};

        event.what = PROC_EVENT_EXEC;
        event.event_data.exec.process_tgid = 7;
        CU_ASSERT_EQUAL(parse_datagram(&message, &event, SIZE_MAX, &start), 0);
        CU_ASSERT_EQUAL(start.kind, PROC_START_EXEC);
        CU_ASSERT_EQUAL(start.pid, 7);
        CU_ASSERT_EQUAL(start.at_usec, 5000);

        event.what = PROC_EVENT_FORK;
        event.event_data.fork.child_pid = 8;
        event.event_data.fork.child_tgid = 8;
        CU_ASSERT_EQUAL(parse_datagram(&message, &event, SIZE_MAX, &start), 0);
        CU_ASSERT_EQUAL(start.kind, PROC_START_FORK);

        /* A thread. */
        event.event_data.fork.child_pid = 9;
        CU_ASSERT_EQUAL(parse_datagram(&message, &event, SIZE_MAX, &start), PROC_CONNECTOR_E_OTHER);
        event.what = PROC_EVENT_EXIT;
        CU_ASSERT_EQUAL(parse_datagram(&message, &event, SIZE_MAX, &start), PROC_CONNECTOR_E_OTHER);
        message.id.idx = CN_IDX_PROC + 1;
        CU_ASSERT_EQUAL(parse_datagram(&message, &event, SIZE_MAX, &start), PROC_CONNECTOR_E_OTHER);
        for (size_t n = 0; n < 40; n++)
                CU_ASSERT_EQUAL(parse_datagram(&message, &event, n, &start), -EBADMSG);
}

static void test_blocked(void) {
        static const struct {
                const char *wchan, *stack;
                BlockedHow how;
        } rows[] = {
                { "SyS_getrandom", "", BLOCKED_SLEEPS }, /* 4.4 */
                { "__x64_sys_getrandom", "", BLOCKED_SLEEPS },
                { "wait_for_random_bytes", "", BLOCKED_SLEEPS },
                { "urandom_read_iter", "", BLOCKED_SLEEPS },
                { "do_epoll_wait", "", BLOCKED_NOT },
                { "random_poll", "", BLOCKED_NOT },
                { "0", "", BLOCKED_NOT },
                { "0",
                  "[<0>] try_to_generate_entropy+0x1\n[<0>] wait_for_random_bytes+0x2",
                  BLOCKED_JITTER },
                { "0", "[<0>] wait_for_random_bytes+0x2\n[<0>] x", BLOCKED_SLEEPS },
                { "", "", BLOCKED_NOT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s, %s", rows[i].wchan, rows[i].stack);
                CU_ASSERT_EQUAL(blocked_judge(rows[i].wchan, rows[i].stack), rows[i].how);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_kmsg),    HARNESS_TEST(test_kmsg_lengths),
        HARNESS_TEST(test_uevent),  HARNESS_TEST(test_proc_connector),
        HARNESS_TEST(test_blocked), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("monitor-kernel", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
