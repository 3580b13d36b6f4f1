/* SPDX-License-Identifier: MIT */
/*
 * Intel TDX Module 1.0 specification, CPUID leaf 0x21; AMD64 Architecture Programmer's Manual, volume 2
 * 15.34.10 (SEV_STATUS) and volume 3 E.4.17 (leaf 0x8000001f); Hyper-V Top Level Functional
 * Specification, feature discovery. A leaf above the highest is never asked: Intel's CPUs answer it with
 * another one's registers.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kernel/confidential.h"

#define LEAF_VENDOR          UINT32_C(0)
#define LEAF_FEATURES        UINT32_C(1)
#define LEAF_TDX             UINT32_C(0x21)
#define LEAF_AMD_HIGHEST     UINT32_C(0x80000000)
#define LEAF_AMD_ENCRYPTION  UINT32_C(0x8000001f)
#define LEAF_HYPERVISOR      UINT32_C(0x40000000)
#define LEAF_HYPERV_FEATURES UINT32_C(0x40000003)
#define LEAF_HYPERV_ISOLATED UINT32_C(0x4000000c)

#define ECX_HYPERVISOR        (UINT32_C(1) << 31) /* LEAF_FEATURES */
#define EAX_SEV               (UINT32_C(1) << 1)  /* LEAF_AMD_ENCRYPTION */
#define EBX_ISOLATION         (UINT32_C(1) << 22) /* LEAF_HYPERV_FEATURES */
#define EBX_ISOLATION_TYPE    UINT32_C(0xf)       /* LEAF_HYPERV_ISOLATED: none, VBS, SNP, TDX */
#define MSR_SEV_STATUS_OFFSET INT64_C(0xc0010131)

typedef struct Cpu {
        CpuidFunction cpuid;
        void *userdata;
        const RootDir *root;
} Cpu;

static CpuidRegisters ask(const Cpu *cpu, uint32_t leaf) {
        CpuidRegisters registers = {};

        cpu->cpuid(leaf, cpu->userdata, &registers);
        return registers;
}

static bool spells(uint32_t first, uint32_t second, uint32_t third, const char text[static 12]) {
        uint32_t words[] = { first, second, third };

        return memcmp(words, text, sizeof(words)) == 0;
}

static bool is_tdx(const Cpu *cpu, uint32_t highest) {
        CpuidRegisters tdx;

        if (highest < LEAF_TDX)
                return false;
        tdx = ask(cpu, LEAF_TDX);
        return spells(tdx.ebx, tdx.edx, tdx.ecx, "IntelTDX    ");
}

/* The driver's file has a register of 8 bytes at each number. */
static int read_sev_status(const RootDir *root, uint64_t *ret_status) {
        _cleanup_close_ int fd = -1;
        uint64_t status;
        ssize_t n;

        fd = rootdir_open_file(root, "dev/cpu/0/msr", O_RDONLY | O_NONBLOCK);
        if (fd < 0)
                return fd;
        n = pread(fd, &status, sizeof(status), MSR_SEV_STATUS_OFFSET);
        if (n != sizeof(status))
                return n < 0 ? negative_errno() : -ENODATA;
        *ret_status = status;
        return 0;
}

/*
 * CPUID says what the processor can do, the register what it does for this guest; the guest's kernel
 * reads that register before anything else. Userspace needs the msr driver and CAP_SYS_RAWIO for it.
 * Without it a guest that sees the bit is taken for one: a hypervisor shows it to those only, and a
 * machine without hypervisor has it in CPUID, but is no guest.
 */
static bool is_sev(const Cpu *cpu, bool has_hypervisor) {
        uint64_t status;

        if (ask(cpu, LEAF_AMD_HIGHEST).eax < LEAF_AMD_ENCRYPTION)
                return false;
        if (!(ask(cpu, LEAF_AMD_ENCRYPTION).eax & EAX_SEV))
                return false;
        if (read_sev_status(cpu->root, &status) < 0)
                return has_hypervisor;
        return status != 0;
}

/* Azure's paravisor hides the leaves above, and tells the type of isolation here. */
static bool is_isolated_by_hyperv(const Cpu *cpu) {
        CpuidRegisters hypervisor = ask(cpu, LEAF_HYPERVISOR);

        if (!spells(hypervisor.ebx, hypervisor.ecx, hypervisor.edx, "Microsoft Hv"))
                return false;
        if (hypervisor.eax < LEAF_HYPERV_FEATURES)
                return false;
        if (!(ask(cpu, LEAF_HYPERV_FEATURES).ebx & EBX_ISOLATION))
                return false;
        /* It may isolate and does not say how. */
        if (hypervisor.eax < LEAF_HYPERV_ISOLATED)
                return true;
        return (ask(cpu, LEAF_HYPERV_ISOLATED).ebx & EBX_ISOLATION_TYPE) != 0;
}

bool confidential_cpuid(CpuidFunction cpuid, void *userdata, const RootDir *root) {
        Cpu cpu = { .cpuid = cpuid, .userdata = userdata, .root = root };
        CpuidRegisters vendor = ask(&cpu, LEAF_VENDOR);
        bool has_hypervisor = (ask(&cpu, LEAF_FEATURES).ecx & ECX_HYPERVISOR) != 0;
        bool is_amd = spells(vendor.ebx, vendor.edx, vendor.ecx, "AuthenticAMD") ||
                      spells(vendor.ebx, vendor.edx, vendor.ecx, "HygonGenuine");

        if (is_tdx(&cpu, vendor.eax) || (is_amd && is_sev(&cpu, has_hypervisor)))
                return true;
        return has_hypervisor && is_isolated_by_hyperv(&cpu);
}
