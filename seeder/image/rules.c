/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "seeder/image/rules.h"

#define SEEDS    GROUP_SEEDS
#define IDENTITY GROUP_IDENTITY
#define SETUP    GROUP_SETUP
#define FINDING  STATE_FINDING
#define UNKNOWN  STATE_UNKNOWN
#define NOTE     STATE_NOTE
#define NONE     ACTION_NONE
#define REMOVE   ACTION_REMOVE
#define RESET    ACTION_RESET
#define MANUAL   ACTION_MANUAL

#define REMAKE  "install the hook of guest-entropy, and make the initramfs again"
#define INSTALL "install the package guest-entropy"

/* clang-format off */
const Rule image_rules[_RULE_MAX] = {
        [RULE_GUEST_ENTROPY_STATE] = { "guest-entropy-state", SEEDS, FINDING, REMOVE },
        [RULE_SYSTEMD_SEED] = { "systemd-seed", SEEDS, FINDING, REMOVE },
        [RULE_SYSTEMD_SEED_CREDITABLE] = { "systemd-seed-creditable", SEEDS, FINDING, REMOVE },
        [RULE_ESP_SEED] = { "esp-seed", SEEDS, FINDING, REMOVE },
        [RULE_ESP_SEED_PERMISSIONS] = { "esp-seed-permissions", SEEDS, FINDING, MANUAL,
                "mount the ESP with umask=0077" },
        [RULE_LOADER_SYSTEM_TOKEN] = { "loader-system-token", SEEDS, NOTE, NONE,
                "do not hand on the NVRAM file of a machine that booted this image" },
        [RULE_SEEDRNG_SEED] = { "seedrng-seed", SEEDS, FINDING, REMOVE },
        [RULE_OPENRC_SEED] = { "openrc-seed", SEEDS, FINDING, REMOVE },
        [RULE_URANDOM_SEED] = { "urandom-seed", SEEDS, FINDING, REMOVE },
        [RULE_POLLINATE_FLAG] = { "pollinate-flag", SEEDS, FINDING, REMOVE },
        [RULE_CLOUD_INIT_SEED] = { "cloud-init-seed", SEEDS, FINDING, REMOVE },
        [RULE_CLOUD_SEED_DIRECTORY] = { "cloud-seed-directory", SEEDS, FINDING, MANUAL,
                "remove the random_seed from it" },
        [RULE_CREDENTIAL_SEED] = { "credential-seed", SEEDS, FINDING, MANUAL,
                "remove the credential" },
        [RULE_BOOT_CREDENTIAL] = { "boot-credential", SEEDS, FINDING, MANUAL,
                "remove the parameter" },
        [RULE_BOOT_SEED] = { "boot-seed", SEEDS, FINDING, MANUAL, "remove the parameter" },

        [RULE_MACHINE_ID] = { "machine-id", IDENTITY, FINDING, RESET },
        [RULE_DBUS_ID] = { "dbus-id", IDENTITY, FINDING, REMOVE },
        [RULE_SSH_HOST_KEY] = { "ssh-host-key", IDENTITY, FINDING, REMOVE },
        [RULE_SSH_KEY_MAKER] = { "ssh-key-maker", IDENTITY, NOTE, NONE,
                "install cloud-init, or a unit that runs ssh-keygen -A" },
        [RULE_CREDENTIAL_SECRET] = { "credential-secret", IDENTITY, FINDING, REMOVE },

        [RULE_KERNELS] = { "kernels", SETUP, UNKNOWN, NONE },
        [RULE_KERNEL_CONFIG] = { "kernel-config", SETUP, UNKNOWN, NONE },
        [RULE_VIRTIO_RNG] = { "virtio-rng", SETUP, FINDING, MANUAL,
                "install the package with this kernel's modules" },
        [RULE_INITRAMFS_VIRTIO_RNG] = { "initramfs-virtio-rng", SETUP, FINDING, MANUAL, REMAKE },
        [RULE_INITRAMFS_SEEDER] = { "initramfs-seeder", SETUP, FINDING, MANUAL, REMAKE },
        [RULE_INITRAMFS_SEED] = { "initramfs-seed", SETUP, FINDING, MANUAL,
                "clean the image, and make the initramfs again" },
        [RULE_CONFIG_HW_RANDOM] = { "config-hw-random", SETUP, FINDING, MANUAL,
                "use a kernel with it" },
        [RULE_CONFIG_VMGENID] = { "config-vmgenid", SETUP, NOTE, NONE,
                "run rngd, which reads the generation ID from fw_cfg where the host offers it" },
        [RULE_CONFIG_TRUST_CPU] = { "config-trust-cpu", SETUP, NOTE, NONE,
                "boot with random.trust_cpu=on to let the kernel credit RDRAND and the like" },
        [RULE_CONFIG_TRUST_BOOTLOADER] = { "config-trust-bootloader", SETUP, NOTE, NONE,
                "boot with random.trust_bootloader=on to let the kernel credit its seed" },
        [RULE_PROGRAM_RNGD] = { "program-rngd", SETUP, FINDING, MANUAL, INSTALL },
        [RULE_PROGRAM_SEEDER] = { "program-seeder", SETUP, FINDING, MANUAL, INSTALL },
        [RULE_INITRAMFS_HOOK] = { "initramfs-hook", SETUP, FINDING, MANUAL, INSTALL },
        [RULE_UNIT] = { "unit", SETUP, FINDING, MANUAL, "install and enable it" },
        [RULE_CONFLICTING_DAEMON] = { "conflicting-daemon", SETUP, FINDING, MANUAL,
                "remove its package" },
        [RULE_RNGD_FEEDS_ITSELF] = { "rngd-feeds-itself", SETUP, FINDING, MANUAL,
                "remove the setting" },
};
/* clang-format on */

const char *group_to_string(Group group) {
        static const char *const names[] = {
                [SEEDS] = "seeds",
                [IDENTITY] = "identity",
                [SETUP] = "setup",
        };

        return names[group];
}

const char *state_to_string(State state) {
        static const char *const names[] = {
                [FINDING] = "finding", [STATE_ERROR] = "error", [UNKNOWN] = "unknown",
                [NOTE] = "note",       [STATE_OK] = "ok",
        };

        return names[state];
}

const char *action_to_string(Action action) {
        static const char *const names[] = {
                [NONE] = "none",
                [REMOVE] = "remove",
                [RESET] = "reset",
                [MANUAL] = "manual",
        };

        return names[action];
}
