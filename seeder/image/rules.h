/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rules that an image is checked by, one row each: how bad it is, what clean does about it, what
 * the user can do. entropy-seeder-image(8) lists the same, which a test compares.
 */

typedef enum Group {
        GROUP_SEEDS,    /* bytes that a generator would be seeded with, and flags about it */
        GROUP_IDENTITY, /* what tells one machine from another */
        GROUP_SETUP,    /* what should be there: drivers, initramfs, programs, units */
        _GROUP_MAX,
} Group;

#define GROUPS_ALL ((1U << _GROUP_MAX) - 1)

typedef enum State {
        STATE_FINDING, /* must be mended before this is a template */
        STATE_ERROR,   /* could not be looked at, and may hold a finding */
        STATE_UNKNOWN, /* setup that could not be looked into */
        STATE_NOTE,    /* good to know */
        STATE_OK,
        _STATE_MAX,
} State;

typedef enum Action {
        ACTION_NONE,
        ACTION_REMOVE,
        ACTION_RESET,  /* write "uninitialized" */
        ACTION_MANUAL, /* clean leaves it to the user */
        _ACTION_MAX,
} Action;

typedef enum RuleId {
        RULE_GUEST_ENTROPY_STATE,
        RULE_SYSTEMD_SEED,
        RULE_SYSTEMD_SEED_CREDITABLE,
        RULE_ESP_SEED,
        RULE_ESP_SEED_PERMISSIONS,
        RULE_LOADER_SYSTEM_TOKEN,
        RULE_SEEDRNG_SEED,
        RULE_OPENRC_SEED,
        RULE_URANDOM_SEED,
        RULE_POLLINATE_FLAG,
        RULE_CLOUD_INIT_SEED,
        RULE_CLOUD_SEED_DIRECTORY,
        RULE_CREDENTIAL_SEED,
        RULE_BOOT_CREDENTIAL,
        RULE_BOOT_SEED,

        RULE_MACHINE_ID,
        RULE_DBUS_ID,
        RULE_SSH_HOST_KEY,
        RULE_SSH_KEY_MAKER,
        RULE_CREDENTIAL_SECRET,

        RULE_KERNELS,
        RULE_KERNEL_CONFIG,
        RULE_VIRTIO_RNG,
        RULE_INITRAMFS_VIRTIO_RNG,
        RULE_INITRAMFS_SEEDER,
        RULE_INITRAMFS_SEED,
        RULE_CONFIG_HW_RANDOM,
        RULE_CONFIG_VMGENID,
        RULE_CONFIG_TRUST_CPU,
        RULE_CONFIG_TRUST_BOOTLOADER,
        RULE_PROGRAM_RNGD,
        RULE_PROGRAM_SEEDER,
        RULE_INITRAMFS_HOOK,
        RULE_UNIT,
        RULE_CONFLICTING_DAEMON,
        RULE_RNGD_FEEDS_ITSELF,
        _RULE_MAX,
} RuleId;

typedef struct Rule {
        const char *id;
        Group group;
        State severity;     /* of an image that breaks it */
        Action action;      /* of clean */
        const char *advice; /* where clean does nothing; or NULL */
} Rule;

extern const Rule image_rules[_RULE_MAX];

const char *group_to_string(Group group);
const char *state_to_string(State state);
const char *action_to_string(Action action);
