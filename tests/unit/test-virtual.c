/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/kernel/virtual.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define DMI  "sys/class/dmi/id/"
#define TREE "sys/firmware/devicetree/base/"

typedef struct Row {
        const char *what;
        struct {
                const char *path, *text;
        } files[4];
        bool x86, other; /* possible, by a CPU that names no hypervisor; by one without a word */
} Row;

static const Row rows[] = {
        { "nothing at all", {}, true, true },
        { "a server",
          { { DMI "sys_vendor", "Dell Inc.\n" }, { DMI "product_name", "PowerEdge R640\n" } },
          false,
          true },
        { "no names", { { DMI "sys_vendor", "\n" }, { DMI "product_name", "" } }, true, true },
        { "QEMU that hides itself", { { DMI "sys_vendor", "QEMU\n" } }, true, true },
        { "Hyper-V",
          { { DMI "sys_vendor", "Microsoft Corporation\n" },
            { DMI "product_name", "Virtual Machine\n" } },
          true,
          true },
        { "a notebook of theirs",
          { { DMI "sys_vendor", "Microsoft Corporation\n" }, { DMI "product_name", "Surface\n" } },
          false,
          true },
        { "EC2, also its bare metal", { { DMI "sys_vendor", "Amazon EC2\n" } }, true, true },
        { "a board", { { TREE "model", "Raspberry Pi 4 Model B" } }, true, false },
        { "QEMU's board", { { TREE "model", "linux,dummy-virt" } }, true, true },
        { "no model", { { TREE "model", "" } }, true, true },
        { "a board with Xen",
          { { TREE "model", "Raspberry Pi 4 Model B" },
            { TREE "hypervisor/compatible", "xen,xen" } },
          true,
          true },
        { "a partition",
          { { TREE "model", "IBM,9009-22A" }, { TREE "ibm,partition-name", "aix" } },
          true,
          true },
};

static void test_signs(void) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;

                harness_row("%s", rows[i].what);
                scratch_setup();
                for (size_t f = 0; f < ELEMENTSOF(rows[i].files) && rows[i].files[f].path; f++)
                        (void)scratch_write_bytes(
                                rows[i].files[f].path,
                                rows[i].files[f].text,
                                strlen(rows[i].files[f].text) + (rows[i].files[f].path[4] == 'f'));
                CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
                CU_ASSERT(virtual_machine_possible(&root, VIRTUAL_CPU_YES));
                CU_ASSERT_EQUAL(virtual_machine_possible(&root, VIRTUAL_CPU_NO), rows[i].x86);
                CU_ASSERT_EQUAL(
                        virtual_machine_possible(&root, VIRTUAL_CPU_UNKNOWN),
                        rows[i].other);
                scratch_teardown();
        }
}

/* What Linux found out about this very CPU. */
static void test_this_cpu(void) {
        char line[4096];
        FILE *stream = fopen("/proc/cpuinfo", "re");
        bool any = false, found = false;

        while (stream && fgets(line, sizeof(line), stream)) {
                any = any || strncmp(line, "flags", 5) == 0;
                found = found || (strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor"));
        }
        if (stream)
                (void)fclose(stream);
        if (!any)
                HARNESS_SKIP("no flags in /proc/cpuinfo");
        CU_ASSERT(virtual_cpu() == (found ? VIRTUAL_CPU_YES : VIRTUAL_CPU_NO));
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_signs),
        HARNESS_TEST(test_this_cpu),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("virtual machines", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
