/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "lib/kernel/confidential.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define LEAVES_MAX 7U

/* The registers that spell a name: EBX, ECX, EDX. */
#define INTEL  0x756e6547, 0x6c65746e, 0x49656e69
#define AMD    0x68747541, 0x444d4163, 0x69746e65
#define HYGON  0x6f677948, 0x656e6975, 0x6e65476e
#define TDX    0x65746e49, 0x20202020, 0x5844546c
#define HYPERV 0x7263694d, 0x666f736f, 0x76482074
#define KVM    0x4b4d564b, 0x564b4d56, 0x0000004d
#define HAS_HV                                   \
        {                                        \
                1, {                             \
                        .ecx = UINT32_C(1) << 31 \
                }                                \
        }
#define AMD_HIGHEST                       \
        {                                 \
                0x80000000, {             \
                        .eax = 0x8000001f \
                }                         \
        }

typedef struct Leaf {
        uint32_t leaf;
        CpuidRegisters registers;
} Leaf;

static RootDir root = ROOTDIR_NULL;
static uint32_t asked_above;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

static void start_again(void) {
        teardown();
        setup();
}

static const Leaf *find_leaf(const Leaf *leaves, uint32_t leaf) {
        for (size_t i = 0; i < LEAVES_MAX; i++)
                if (leaves[i].leaf == leaf)
                        return &leaves[i];
        return NULL;
}

/* Intel's CPUs answer a leaf above the highest with another one's registers: here, with a yes. */
static void fake_cpuid(uint32_t leaf, void *userdata, CpuidRegisters *ret_registers) {
        const Leaf *base = find_leaf(userdata, leaf & 0xc0000000),
                   *found = find_leaf(userdata, leaf);
        bool is_base = leaf == 1 || (leaf & ~0xc0000000) == 0;
        bool is_above = !is_base && (!base || leaf > base->registers.eax);

        if (is_above)
                asked_above = leaf;
        *ret_registers = is_above ? (CpuidRegisters){ .eax = UINT32_MAX, .ebx = UINT32_MAX }
                         : found  ? found->registers
                                  : (CpuidRegisters){};
}

static void write_msr(const void *bytes, size_t length) {
        int fd = open(scratch_write("dev/cpu/0/msr", ""), O_WRONLY | O_CLOEXEC);

        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT_EQUAL(pwrite(fd, bytes, length, INT64_C(0xc0010131)), (ssize_t)length);
        (void)close(fd);
}

static void test_no_sign(void) {
        (void)scratch_write("dev/null", "");
        CU_ASSERT_EQUAL(confidential_guest(&root), confidential_cpu(&root));
}

static void test_signs(void) {
        static const char *const signs[] = {
                "dev/sev-guest",
                "dev/tdx_guest",
                "sys/bus/platform/devices/sev-guest/uevent",
                "sys/devices/virtual/misc/tdx_guest/uevent",
                "sys/devices/system/cpu/sev/vmpl",
                "sys/devices/platform/arm-cca-dev/uevent",
                "sys/devices/platform/arm-smccc/arm_cca_guest.arm-rsi-dev.0/uevent",
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++) {
                harness_row("%s", signs[i]);
                (void)scratch_write(signs[i], "");
                CU_ASSERT(confidential_guest(&root));
                start_again();
                CU_ASSERT_EQUAL(confidential_guest(&root), confidential_cpu(&root));
        }
}

static void test_flags(void) {
        static const char *const flags[] = {
                "sys/firmware/uv/prot_virt_guest",
                "sys/devices/system/cpu/svm",
                "sys/firmware/cca/realm_guest",
        };
        static const struct {
                const char *text;
                bool confidential;
        } rows[] = {
                { "1\n", true },  { "0\n", false },
                { "", true }, /* it is there and does not say */
                { "no\n", true }, { "a long text, longer than any number\n", true },
        };

        if (confidential_cpu(&root))
                HARNESS_SKIP("this machine is a confidential guest");
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                for (size_t j = 0; j < ELEMENTSOF(rows); j++) {
                        harness_row("%s: %s", flags[i], rows[j].text);
                        (void)scratch_write(flags[i], rows[j].text);
                        CU_ASSERT_EQUAL(confidential_guest(&root), rows[j].confidential);
                        start_again();
                }
}

/* A path that cannot be followed may lead to a sign. */
static void test_doubt(void) {
        if (confidential_cpu(&root))
                HARNESS_SKIP("this machine is a confidential guest");
        (void)scratch_write("sys/x", "");
        CU_ASSERT_EQUAL(symlink("devices", scratch_path("sys/devices")), 0);
        CU_ASSERT(confidential_guest(&root));
}

static void test_cpuid(void) {
        static const struct {
                const char *what;
                bool confidential;
                Leaf leaves[LEAVES_MAX];
        } rows[] = {
                { "another vendor", false, { { 0, { 0x21, KVM } }, AMD_HIGHEST } },
                { "Intel, no hypervisor", false, { { 0, { 0x1f, INTEL } } } },
                { "Intel under KVM",
                  false,
                  { { 0, { 0x1f, INTEL } }, HAS_HV, { 0x40000000, { 0x40000001, KVM } } } },
                { "TDX", true, { { 0, { 0x21, INTEL } }, HAS_HV, { 0x21, { 0, TDX } } } },
                { "TDX whose hypervisor bit is hidden",
                  true,
                  { { 0, { 0x21, INTEL } }, { 0x21, { 0, TDX } } } },
                { "TDX's leaf above the highest",
                  false,
                  { { 0, { 0x20, INTEL } }, HAS_HV, { 0x21, { 0, TDX } } } },
                { "another word in TDX's leaf",
                  false,
                  { { 0, { 0x21, INTEL } }, HAS_HV, { 0x21, { 0, INTEL } } } },
                { "SEV, status unreadable",
                  true,
                  { { 0, { 0x10, AMD } }, HAS_HV, AMD_HIGHEST, { 0x8000001f, { .eax = 2 } } } },
                { "CSV, status unreadable",
                  true,
                  { { 0, { 0x10, HYGON } }, HAS_HV, AMD_HIGHEST, { 0x8000001f, { .eax = 2 } } } },
                { "a host that can do SEV",
                  false,
                  { { 0, { 0x10, AMD } }, AMD_HIGHEST, { 0x8000001f, { .eax = 0x1f } } } },
                { "SME alone",
                  false,
                  { { 0, { 0x10, AMD } }, HAS_HV, AMD_HIGHEST, { 0x8000001f, { .eax = 1 } } } },
                { "SEV's leaf above the highest",
                  false,
                  { { 0, { 0x10, AMD } },
                    HAS_HV,
                    { 0x80000000, { .eax = 0x8000001e } },
                    { 0x8000001f, { .eax = 2 } } } },
                { "SEV's bit of an Intel CPU",
                  false,
                  { { 0, { 0x10, INTEL } }, HAS_HV, AMD_HIGHEST, { 0x8000001f, { .eax = 2 } } } },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i].what);
                asked_above = 0;
                CU_ASSERT_EQUAL(
                        confidential_cpuid(fake_cpuid, (void *)rows[i].leaves, &root),
                        rows[i].confidential);
                CU_ASSERT_EQUAL(asked_above, 0);
        }
}

static void test_hyperv(void) {
        static const struct {
                const char *what;
                bool confidential;
                CpuidRegisters hypervisor, features, isolation;
        } rows[] = {
                { "no isolation", false, { 0x4000000c, HYPERV }, {}, { .ebx = 2 } },
                { "SNP", true, { 0x4000000c, HYPERV }, { .ebx = 1 << 22 }, { .ebx = 2 } },
                { "TDX", true, { 0x4000000c, HYPERV }, { .ebx = 1 << 22 }, { .ebx = 3 } },
                { "VBS", true, { 0x4000000c, HYPERV }, { .ebx = 1 << 22 }, { .ebx = 1 } },
                { "SNP, and more bits",
                  true,
                  { 0x40000082, HYPERV },
                  { .ebx = 0x7fffff },
                  { .ebx = 0xc22 } },
                { "a type that is yet to come",
                  true,
                  { 0x4000000c, HYPERV },
                  { .ebx = 1 << 22 },
                  { .ebx = 9 } },
                { "may isolate, type none",
                  false,
                  { 0x4000000c, HYPERV },
                  { .ebx = 1 << 22 },
                  { .eax = 1, .ebx = 0xfff0 } },
                { "may isolate, does not say how",
                  true,
                  { 0x4000000b, HYPERV },
                  { .ebx = 1 << 22 },
                  {} },
                { "too old for features", false, { 0x40000002, HYPERV }, { .ebx = 1 << 22 }, {} },
                { "another hypervisor",
                  false,
                  { 0x4000000c, KVM },
                  { .ebx = 1 << 22 },
                  { .ebx = 2 } },
        };
        static const Leaf vendors[] = {
                { 0, { 0x10, AMD } },
                { 0, { 0x10, INTEL } },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows) * ELEMENTSOF(vendors); i++) {
                size_t row = i / ELEMENTSOF(vendors);
                Leaf leaves[LEAVES_MAX] = {
                        vendors[i % ELEMENTSOF(vendors)],     HAS_HV,
                        { 0x40000000, rows[row].hypervisor }, { 0x40000003, rows[row].features },
                        { 0x4000000c, rows[row].isolation },  { 0x80000000, { .eax = 0x80000008 } },
                };

                harness_row("%s", rows[row].what);
                asked_above = 0;
                CU_ASSERT_EQUAL(
                        confidential_cpuid(fake_cpuid, leaves, &root),
                        rows[row].confidential);
                CU_ASSERT_EQUAL(asked_above, 0);
                /* Without a hypervisor those leaves mean nothing. */
                leaves[1].registers.ecx = 0;
                CU_ASSERT_FALSE(confidential_cpuid(fake_cpuid, leaves, &root));
        }
}

/* Where SEV's status can be read, it decides, whatever the hypervisor bit says. */
static void test_sev_status(void) {
        static const struct {
                uint64_t status;
                size_t length;
                bool has_hypervisor, confidential;
        } rows[] = {
                { 0, 8, true, false },
                { 1, 8, true, true },
                { 3, 8, true, true },
                { 7, 8, true, true },
                { 7, 8, false, true },
                { 0, 8, false, false },
                { UINT64_C(1) << 30, 8, true, true },
                { 0, 4, true, true },
                { 7, 4, false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Leaf leaves[LEAVES_MAX] = {
                        { 0, { 0x10, AMD } },
                        { 1, { .ecx = rows[i].has_hypervisor ? UINT32_C(1) << 31 : 0 } },
                        AMD_HIGHEST,
                        { 0x8000001f, { .eax = 2 } },
                };

                harness_row("%zu", i);
                write_msr(&rows[i].status, rows[i].length);
                CU_ASSERT_EQUAL(
                        confidential_cpuid(fake_cpuid, (void *)leaves, &root),
                        rows[i].confidential);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_no_sign),    HARNESS_TEST(test_signs), HARNESS_TEST(test_flags),
        HARNESS_TEST(test_doubt),      HARNESS_TEST(test_cpuid), HARNESS_TEST(test_hyperv),
        HARNESS_TEST(test_sev_status), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("confidential", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
