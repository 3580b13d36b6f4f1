/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/io.h"
#include "lib/kernel/virtual.h"

#define DMI         "sys/class/dmi/id/"
#define DEVICE_TREE "sys/firmware/devicetree/base/"

/* How the names begin that hypervisors and clouds write there. */
static bool is_hypervisors_name(const char *text) {
        static const char *const names[] = {
                "Alibaba Cloud", "Amazon EC2", "Apple Virtualization",
                "BHYVE",         "Bochs",      "DigitalOcean",
                "Google",        "Hetzner",    "Hyper-V",
                "innotek GmbH",  "KVM",        "KubeVirt",
                "Nutanix",       "OpenStack",  "Parallels",
                "QEMU",          "Red Hat",    "Virtual Machine",
                "VirtualBox",    "VMW",        "VMware",
                "Xen",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strncmp(text, names[i], strlen(names[i])) == 0)
                        return true;
        return false;
}

/* By DMI: no hypervisor that hides itself from CPUID. False without a DMI, too. */
static bool dmi_is_of_hardware(const RootDir *root) {
        static const char *const files[] = {
                DMI "sys_vendor",
                DMI "product_name",
                DMI "board_vendor",
                DMI "bios_vendor",
        };
        bool any = false;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char text[128];

                if (rootdir_read_text(root, files[i], text, sizeof(text)) < 0)
                        continue;
                if (is_hypervisors_name(text))
                        return false;
                any = any || text[0];
        }
        return any;
}

/* The first of its strings, each of which ends with a zero byte. */
static bool read_property(const RootDir *root, const char *path, char *text, size_t size) {
        _cleanup_close_ int fd = rootdir_open_file(root, path, O_RDONLY);
        size_t length;

        if (fd < 0 || io_read_full(fd, text, size - 1, &length) < 0)
                return false;
        text[length] = '\0';
        return text[0] != '\0';
}

/* "linux,dummy-virt" is what QEMU, crosvm, Firecracker and the others call their boards. */
static bool device_tree_is_of_hardware(const RootDir *root) {
        static const char *const signs[] = { "dummy-virt", "qemu", "xen", "kvm", "virt" };
        char text[256];

        if (rootdir_exists(root, DEVICE_TREE "hypervisor") ||
            rootdir_exists(root, DEVICE_TREE "fw-cfg") ||
            rootdir_exists(root, DEVICE_TREE "ibm,partition-name") ||
            !read_property(root, DEVICE_TREE "model", text, sizeof(text)))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (strcasestr(text, signs[i]))
                        return false;
        return true;
}

static bool has_entries(const RootDir *root, const char *path) {
        int fd = rootdir_open_file(root, path, O_RDONLY | O_DIRECTORY);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        bool any = false;

        if (!directory) {
                if (fd >= 0)
                        (void)close(fd);
                return false;
        }
        while (!any && (entry = readdir(directory)))
                any = entry->d_name[0] != '.';
        (void)closedir(directory);
        return any;
}

/* Devices and tables that only a hypervisor makes, whatever CPUID and DMI say. */
static bool has_hypervisors_device(const RootDir *root) {
        static const char *const signs[] = {
                "sys/firmware/qemu_fw_cfg",
                "sys/firmware/acpi/tables/WAET",
                "sys/bus/acpi/devices/QEMU0002:00",
                "sys/bus/vmbus/hibernation",
                "sys/devices/vmbus",
                "sys/hypervisor/type",
                "proc/xen",
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (rootdir_exists(root, signs[i]))
                        return true;
        return has_entries(root, "sys/bus/virtio/devices");
}

bool virtual_machine_possible(const RootDir *root, VirtualCpu cpu) {
        if (has_hypervisors_device(root))
                return true;
        switch (cpu) {
        case VIRTUAL_CPU_YES:
                return true;
        case VIRTUAL_CPU_NO:
                return !dmi_is_of_hardware(root);
        case VIRTUAL_CPU_UNKNOWN:
        default:
                return !device_tree_is_of_hardware(root);
        }
}
