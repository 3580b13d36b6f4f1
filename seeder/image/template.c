/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "lib/base/io.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"
#include "lib/sources/seed.h"
#include "seeder/image/find.h"
#include "seeder/image/text.h"

#define SEARCH_MAX_BYTES (16U * 1024 * 1024)

typedef enum Content {
        CONTENT_ANY,
        CONTENT_KEY,       /* CLOUD_KEY is in it, in whatever format */
        CONTENT_OPENSTACK, /* a seed, as the source config-drive takes it */
} Content;

/* Where a rule is broken by what is there. */
typedef struct Place {
        RuleId rule;
        const char *pattern;
        const char *reason;
        bool even_empty; /* a flag: that it is there is what counts */
        Content content; /* only files with this in them */
} Place;

#define OWN_REASON    "state of guest-entropy: which seeds were used, and the next one"
#define SEED_REASON   "a saved seed, the same in every clone"
#define CREDIT_REASON "a saved seed that every clone would credit"
#define CLOUD_REASON  "holds the random_seed of the machine that ran this image"
#define STATIC_REASON "holds a random_seed that every clone would use"
#define SSH_REASON    "an SSH host key, the same in every clone"
#define CREDS_REASON  "a seed as a credential, the same in every clone"
#define SECRET_REASON "the key of encrypted credentials, the same in every clone"
#define SEEDED_REASON "pollinate never seeds a machine that has this flag"
#define CLOUD_KEY     "random_seed"

#define SEED(rule, pattern) \
        { rule, pattern, SEED_REASON, false, CONTENT_ANY }
#define CREDS(pattern) \
        { RULE_CREDENTIAL_SEED, pattern, CREDS_REASON, false, CONTENT_ANY }
#define SSH_KEY(pattern) \
        { RULE_SSH_HOST_KEY, pattern, SSH_REASON, true, CONTENT_ANY }
#define OWN(pattern) \
        { RULE_GUEST_ENTROPY_STATE, pattern, OWN_REASON, true, CONTENT_ANY }
#define CLOUD_INIT(pattern) \
        { RULE_CLOUD_INIT_SEED, pattern, CLOUD_REASON, false, CONTENT_KEY }

static const Place places[] = {
        OWN("var/lib/guest-entropy/*"),
        OWN("run/guest-entropy/*"),
        SEED(RULE_SYSTEMD_SEED, "var/lib/systemd/random-seed"),
        SEED(RULE_ESP_SEED, "efi/loader/random-seed"),
        SEED(RULE_ESP_SEED, "boot/efi/loader/random-seed"),
        SEED(RULE_ESP_SEED, "boot/loader/random-seed"),
        { RULE_SEEDRNG_SEED, "var/lib/seedrng/seed.credit", CREDIT_REASON, false, CONTENT_ANY },
        SEED(RULE_SEEDRNG_SEED, "var/lib/seedrng/seed.no-credit"),
        /* Debian's init script; OpenRC's before seedrng; virt-sysprep's list; OpenWrt */
        SEED(RULE_URANDOM_SEED, "var/lib/urandom/random-seed"),
        SEED(RULE_OPENRC_SEED, "var/lib/misc/random-seed"),
        SEED(RULE_URANDOM_SEED, "var/lib/random-seed"),
        SEED(RULE_URANDOM_SEED, "etc/random-seed"),
        SEED(RULE_URANDOM_SEED, "etc/urandom.seed"),
        { RULE_POLLINATE_FLAG, "var/cache/pollinate/seeded", SEEDED_REASON, true, CONTENT_ANY },
        CLOUD_INIT("var/lib/cloud/instances/*/*"),
        CLOUD_INIT("run/cloud-init/*.json"),
        /* Put there by a person: what else is in these files is theirs. */
        { RULE_CLOUD_SEED_DIRECTORY, "var/lib/cloud/seed/*/*", STATIC_REASON, false, CONTENT_KEY },
        { RULE_CLOUD_SEED_DIRECTORY,
          "var/lib/cloud/seed/*/openstack/*/meta_data.json",
          STATIC_REASON,
          false,
          CONTENT_OPENSTACK },
        CREDS("etc/credstore*/entropy.seed"),
        CREDS("usr/lib/credstore*/entropy.seed"),
        { RULE_CREDENTIAL_SECRET,
          "var/lib/systemd/credential.secret",
          SECRET_REASON,
          false,
          CONTENT_ANY },
        SSH_KEY("etc/ssh/ssh_host_*key"),
        SSH_KEY("etc/ssh/ssh_host_*key.pub"),
        SSH_KEY("etc/dropbear/dropbear_*_host_key"),
};

typedef struct Finder {
        const Tree *tree;
        const Place *place;
        Report *report;
} Finder;

static Item item_at(RuleId rule, const char *path, const Entry *entry) {
        Item item = item_of(rule, STATE_FINDING, path);

        item.device = entry->status.st_dev;
        item.inode = entry->status.st_ino;
        return item;
}

static void add_error(const Finder *finder, const char *path, int error) {
        report_add_error(finder->report, finder->place->rule, path, error);
}

/* 0 or 1, or a negative errno. Bounded: a file that is larger is not cloud-init's. */
static int holds_key(int path_fd) {
        const size_t keep_bytes = IMAGE_TEXT_KEY_MAX_BYTES(strlen(CLOUD_KEY)) - 1;
        char buffer[4096];
        size_t keep = 0, total = 0;
        _cleanup_close_ int fd = -1;

        fd = tree_reopen(path_fd);
        if (fd < 0)
                return fd;
        for (;;) {
                size_t n;
                int r;

                r = io_read_full(fd, buffer + keep, sizeof(buffer) - keep, &n);
                if (r < 0)
                        return r;
                if (image_text_has_key(buffer, keep + n, CLOUD_KEY))
                        return 1;
                if (n < sizeof(buffer) - keep)
                        return 0;
                total += n;
                if (total > SEARCH_MAX_BYTES)
                        return -EFBIG;
                /* The key may lie across two reads. */
                keep = keep_bytes;
                memmove(buffer, buffer + sizeof(buffer) - keep, keep);
        }
}

/* By the code that the seeder reads it with: 0, SEED_E_ABSENT or why it does not take it. */
static int parse_openstack(int path_fd) {
        _cleanup_secret_ Secret *text = NULL, *seed = NULL;
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        fd = tree_reopen(path_fd);
        if (fd < 0)
                return fd;
        r = secret_new(JSON_DOCUMENT_MAX_BYTES + 1, &text);
        if (r < 0)
                return r;
        r = secret_new(SEED_MAX_BYTES, &seed);
        if (r < 0)
                return r;
        r = io_read_full(fd, text->bytes, text->size_bytes, &length);
        if (r < 0)
                return r;
        return seed_from_json(
                (const char *)text->bytes,
                length,
                SEED_OPENSTACK_KEY,
                seed->bytes,
                seed->size_bytes,
                &length);
}

/* 0 or 1, or a negative errno. What the seeder does not take cloud-init may still take. */
static int holds(int path_fd, Content content) {
        int r = content == CONTENT_OPENSTACK ? parse_openstack(path_fd) : -EBADMSG;

        if (content == CONTENT_ANY)
                return 1;
        if (r == 0 || r == SEED_E_ABSENT)
                return r == 0;
        return r == -ENOMEM ? r : holds_key(path_fd);
}

static const char *kind_of(mode_t mode) {
        return S_ISDIR(mode)    ? "a directory"
               : S_ISFIFO(mode) ? "a FIFO"
               : S_ISSOCK(mode) ? "a socket"
               : S_ISLNK(mode)  ? "a symbolic link"
                                : "a device";
}

/* What it leads to may be a seed, and is not ours to remove: the tree chose the name. */
static void add_link(const Finder *finder, const char *path, const Entry *entry) {
        Item item = item_at(finder->place->rule, path, entry);
        _cleanup_close_ int fd = tree_open_at(finder->tree, path, O_PATH);

        item.action = ACTION_MANUAL;
        if (fd >= 0)
                report_add(
                        finder->report,
                        item,
                        "%s; it is a symbolic link: remove what it points to",
                        finder->place->reason);
        else if (fd != -ENOENT && fd != -ENOTDIR) /* else it leads nowhere within the tree */
                add_error(finder, path, fd);
}

static void add_odd_kind(const Finder *finder, const char *path, const Entry *entry) {
        Item item = item_at(finder->place->rule, path, entry);

        if (S_ISDIR(entry->status.st_mode))
                item.action = ACTION_MANUAL;
        if (S_ISLNK(entry->status.st_mode))
                add_link(finder, path, entry);
        /* cloud-init's directories have subdirectories; they hold other things. */
        else if (finder->place->content == CONTENT_ANY)
                report_add(
                        finder->report,
                        item,
                        "is %s, where a file is expected",
                        kind_of(entry->status.st_mode));
}

static void add_mark(const Finder *finder, const char *path, const Entry *entry) {
        Item item = item_at(RULE_SYSTEMD_SEED_CREDITABLE, path, entry);
        _cleanup_close_ int fd = tree_reopen(entry->fd);

        item.action = image_rules[finder->place->rule].action; /* it goes with its file */
        if (fd < 0)
                add_error(finder, path, fd);
        else if (fgetxattr(fd, CREDITABLE_MARK, NULL, 0) >= 0)
                report_add(
                        finder->report,
                        item,
                        "has the attribute " CREDITABLE_MARK
                        ": with SYSTEMD_RANDOM_SEED_CREDIT each clone credits the same seed");
        else if (errno != ENODATA && errno != ENOTSUP)
                add_error(finder, path, negative_errno());
}

/* As bootctl(1): whoever can read the seed can predict what is made of it. */
static void add_mode(const Finder *finder, const char *path, const Entry *entry) {
        if (entry->status.st_mode & 0007)
                report_add(
                        finder->report,
                        item_at(RULE_ESP_SEED_PERMISSIONS, path, entry),
                        "mode %04o lets every user read it, and the next one",
                        (unsigned)(entry->status.st_mode & 07777));
}

static void add_file(const Finder *finder, const char *path, const Entry *entry) {
        Item item = item_at(finder->place->rule, path, entry);
        char links[96] = "";

        if (entry->status.st_nlink > 1)
                (void)snprintf(
                        links,
                        sizeof(links),
                        "; other names of the same file stay (%ju hard links)",
                        (uintmax_t)entry->status.st_nlink);
        report_add(
                finder->report,
                item,
                "%s (%jd bytes, mode %04o)%s",
                finder->place->reason,
                (intmax_t)entry->status.st_size,
                (unsigned)(entry->status.st_mode & 07777),
                links);
        if (item.rule->group != GROUP_SEEDS || finder->place->content != CONTENT_ANY)
                return;
        add_mark(finder, path, entry);
        if (finder->place->rule == RULE_ESP_SEED)
                add_mode(finder, path, entry);
}

static void visit(const char *path, void *userdata) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        const Finder *finder = userdata;
        int r;

        r = entry_open(finder->tree, path, &entry);
        if (r == TREE_E_ABSENT)
                return;
        if (r < 0) {
                add_error(finder, path, r);
                return;
        }
        if (!S_ISREG(entry.status.st_mode)) {
                add_odd_kind(finder, path, &entry);
                return;
        }
        if (entry.status.st_size == 0 && !finder->place->even_empty)
                return;
        r = holds(entry.fd, finder->place->content);
        if (r < 0)
                add_error(finder, path, r);
        else if (r > 0)
                add_file(finder, path, &entry);
}

/* The variable is in the firmware's memory, which no tree holds: all that can be said of it. */
static void find_loader(const Tree *tree, Report *report) {
        static const char *const directories[] = { "efi/loader", "boot/efi/loader", "boot/loader" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (tree_has(tree, directories[i])) {
                        report_add(
                                report,
                                item_of(RULE_LOADER_SYSTEM_TOKEN, STATE_NOTE, NULL),
                                "systemd-boot keeps the EFI variable LoaderSystemToken in NVRAM");
                        return;
                }
}

/* A tmpfs of its own, as on a system that runs or in a builder's chroot, is no part of the image:
 * there rngd has its socket and its lock. */
static bool is_volatile(const Tree *tree, const char *directory) {
        _cleanup_close_ int fd = tree_open_at(tree, directory, O_PATH | O_DIRECTORY);
        struct stat root, status;
        struct statfs filesystem;

        return fd >= 0 && fstat(tree->fd, &root) >= 0 && fstat(fd, &status) >= 0 &&
               fstatfs(fd, &filesystem) >= 0 && filesystem.f_type == TMPFS_MAGIC &&
               root.st_dev != status.st_dev;
}

/* What lies in a /run of its own is skipped. */
static void find_in_places(const Tree *tree, unsigned groups, Report *report) {
        bool skip_run = is_volatile(tree, "run");
        int r;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                Finder finder = { tree, &places[i], report };

                if (!(groups & (1U << image_rules[places[i].rule].group)))
                        continue;
                if (skip_run && strncmp(places[i].pattern, "run/", strlen("run/")) == 0)
                        continue;
                r = tree_glob(tree, places[i].pattern, visit, &finder);
                if (r < 0)
                        add_error(&finder, places[i].pattern, r);
        }
}

void template_find(const Tree *tree, unsigned groups, Report *report) {
        find_in_places(tree, groups, report);
        if (groups & (1U << GROUP_SEEDS)) {
                find_loader(tree, report);
                boot_find(tree, report);
        }
        if (groups & (1U << GROUP_IDENTITY))
                identity_find(tree, report);
}
