/* SPDX-License-Identifier: MIT */
/* Files of the kernel and of the distribution: what they say of this machine. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/lifetimes/files.h"

#define RANDOM_PATH "proc/sys/kernel/random/"
#define HWRNG_PATH  "sys/class/misc/hw_random/"

typedef bool (*MakeText)(const Machine *machine, char *text, size_t size);

static bool boot_id(const Machine *machine, char *text, size_t size) {
        (void)snprintf(
                text,
                size,
                "%016" PRIx64 "-%016" PRIx64 "\n",
                machine->kernel.boot_id[0],
                machine->kernel.boot_id[1]);
        return machine->platform.boot_id_readable;
}

static bool pool_size(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%d\n", machine->kernel.counting ? 4096 : 256);
        return true;
}

static bool wakeup(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "896\n");
        return true;
}

static bool machine_id(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%016" PRIx64 "%016x\n", machine->image.machine_id, 0U);
        return machine->image.machine_id != 0;
}

static bool first_boot(const Machine *machine, char *text, size_t size) {
        *text = '\0';
        return machine->first_boot;
}

static bool product_uuid(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%016" PRIx64 "\n", machine->platform.product_uuid);
        return machine->platform.product_uuid != 0;
}

static bool vendor(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%s\n", machine->platform.bare_metal ? "ACME" : "QEMU");
        return true;
}

static bool rng_current(const Machine *machine, char *text, size_t size) {
        static const char *const names[_HWRNG_KIND_MAX] = {
                [HWRNG_NONE] = "none",
                [HWRNG_VIRTIO] = "virtio_rng.0",
                [HWRNG_AMD] = "amd",
        };

        (void)snprintf(text, size, "%s\n", names[machine->platform.hwrng]);
        return true;
}

static bool rng_quality(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%" PRIu32 "\n", machine->platform.quality_per_1024);
        return machine->platform.hwrng != HWRNG_NONE && !machine->kernel.counting;
}

/* Where an older kernel says it. */
static bool current_quality(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%" PRIu32 "\n", machine->platform.quality_per_1024);
        return machine->platform.hwrng != HWRNG_NONE && machine->kernel.counting;
}

static bool default_quality(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%d\n", machine->kernel.counting ? 0 : 1024);
        return true;
}

static bool confidential(const Machine *machine, char *text, size_t size) {
        *text = '\0';
        return machine->platform.confidential;
}

static bool release(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "%s\n", machine->kernel.counting ? "5.10.46" : "6.12.0");
        return true;
}

static bool command_line(const Machine *machine, char *text, size_t size) {
        (void)snprintf(text, size, "root=/dev/vda1 quiet\n");
        return true;
}

/* Of /var, and of what an overlay is made of. */
static bool mounts(const Machine *machine, char *text, size_t size) {
        static const char *const lines[_VAR_KIND_MAX] = {
                [VAR_DISK] = "ext4 /dev/vda2 rw",
                [VAR_TMPFS] = "tmpfs tmpfs rw",
                [VAR_READ_ONLY] = "ext4 /dev/vda2 ro",
                [VAR_OVERLAY] =
                        "overlay overlay rw,lowerdir=/lower,upperdir=/cow/up,workdir=/cow/w",
                [VAR_NETWORK] = "nfs4 server:/var rw",
        };

        (void)snprintf(
                text,
                size,
                "21 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
                "24 21 0:22 / /run rw,nosuid,nodev - tmpfs tmpfs rw\n"
                "25 21 0:25 / /cow rw - tmpfs tmpfs rw\n"
                "30 21 0:30 / /var %s - %s\n",
                machine->image.var_kind == VAR_READ_ONLY ? "ro" : "rw",
                lines[machine->image.var_kind]);
        return true;
}

static const struct {
        const char *path;
        MakeText make;
} texts[] = {
        { RANDOM_PATH "boot_id", boot_id },
        { RANDOM_PATH "poolsize", pool_size },
        { RANDOM_PATH "write_wakeup_threshold", wakeup },
        { "etc/machine-id", machine_id },
        { "run/systemd/first-boot", first_boot },
        { "sys/class/dmi/id/product_uuid", product_uuid },
        { "sys/class/dmi/id/sys_vendor", vendor },
        { HWRNG_PATH "rng_current", rng_current },
        { HWRNG_PATH "rng_quality", rng_quality },
        { "sys/module/rng_core/parameters/default_quality", default_quality },
        { "sys/module/rng_core/parameters/current_quality", current_quality },
        { "dev/sev-guest", confidential },
        { "sys/devices/system/cpu/sev", confidential },
        { "proc/sys/kernel/osrelease", release },
        { "proc/cmdline", command_line },
        { "proc/self/mountinfo", mounts },
};

bool files_text(const char *path, char *text, size_t size) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (strcmp(texts[i].path, path) == 0)
                        return texts[i].make(machine_now, text, size);
        return false;
}

ssize_t files_read_log(Fd *fd, char *buffer, size_t n) {
        static const char *const words[] = {
                [KERNEL_LINE_NONE] = "nothing",
                [KERNEL_LINE_FORK] = "random: crng reseeded due to virtual machine fork",
                [KERNEL_LINE_RESUME] = "random: crng reseeded on system resumption",
                [KERNEL_LINE_READY] = "random: crng init done",
        };
        const Kernel *kernel = &machine_now->kernel;
        uint64_t line = fd->next_line;
        int length;

        if (line >= kernel->n_lines) {
                errno = EAGAIN;
                return -1;
        }
        if (kernel->n_lines - line > KERNEL_LINES_MAX) {
                fd->next_line = kernel->n_lines - KERNEL_LINES_MAX;
                errno = EPIPE;
                return -1;
        }
        fd->next_line++;
        length = snprintf(
                buffer,
                n,
                "5,%" PRIu64 ",%" PRIu64 ",-;%s\n",
                line,
                kernel->line_usec[line % KERNEL_LINES_MAX],
                words[kernel->lines[line % KERNEL_LINES_MAX]]);
        return length;
}
