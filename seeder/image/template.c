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
#include "seeder/image/boot.h"
#include "seeder/image/identity.h"
#include "seeder/image/template.h"
#include "seeder/image/text.h"

#define SEARCH_MAX_BYTES (16U * 1024 * 1024)

typedef enum Content {
        CONTENT_ANY,
        CONTENT_KEY,       /* CLOUD_KEY is in it, in whatever format */
        CONTENT_OPENSTACK, /* a seed, as the source config-drive takes it */
} Content;

typedef struct Rule {
        const char *id;
        ImageGroup group;
        ImageAction action;
        const char *pattern;
        const char *reason;
        bool even_empty; /* a flag: that it is there is what counts */
        Content content; /* only files with this in them */
} Rule;

#define OWN_REASON    "state of guest-entropy: which seeds were used, and the next one"
#define SEED_REASON   "a saved seed, the same in every clone"
#define CREDIT_REASON "a saved seed that every clone would credit"
#define CLOUD_REASON  "holds the random_seed of the machine that ran this tree"
#define STATIC_REASON "holds a random_seed that every clone would use"
#define SSH_REASON    "an SSH host key, the same in every clone"
#define CREDS_REASON  "a seed as a credential, the same in every clone"
#define SECRET_REASON "the key of encrypted credentials, the same in every clone"
#define SEEDED_REASON "pollinate never seeds a machine that has this flag"
#define BY_HAND       IMAGE_ACTION_BY_HAND
#define REMOVE        IMAGE_ACTION_REMOVE
#define SEEDS         IMAGE_GROUP_SEEDS
#define IDENTITY      IMAGE_GROUP_IDENTITY
#define ANY           CONTENT_ANY
#define CLOUD_KEY     "random_seed"

/* id, group, action, pattern, reason, even if empty, content */
static const Rule rules[] = {
        { "own-state", SEEDS, REMOVE, "var/lib/guest-entropy/*", OWN_REASON, true, ANY },
        { "own-state", SEEDS, REMOVE, "run/guest-entropy/*", OWN_REASON, true, ANY },
        { "systemd-seed", SEEDS, REMOVE, "var/lib/systemd/random-seed", SEED_REASON, false, ANY },
        { "esp-seed", SEEDS, REMOVE, "efi/loader/random-seed", SEED_REASON, false, ANY },
        { "esp-seed", SEEDS, REMOVE, "boot/efi/loader/random-seed", SEED_REASON, false, ANY },
        { "esp-seed", SEEDS, REMOVE, "boot/loader/random-seed", SEED_REASON, false, ANY },
        { "seedrng-seed", SEEDS, REMOVE, "var/lib/seedrng/seed.credit", CREDIT_REASON, false, ANY },
        { "seedrng-seed",
          SEEDS,
          REMOVE,
          "var/lib/seedrng/seed.no-credit",
          SEED_REASON,
          false,
          ANY },
        /* Debian's init script; OpenRC's before seedrng; virt-sysprep's list; OpenWrt */
        { "urandom-seed", SEEDS, REMOVE, "var/lib/urandom/random-seed", SEED_REASON, false, ANY },
        { "openrc-seed", SEEDS, REMOVE, "var/lib/misc/random-seed", SEED_REASON, false, ANY },
        { "urandom-seed", SEEDS, REMOVE, "var/lib/random-seed", SEED_REASON, false, ANY },
        { "urandom-seed", SEEDS, REMOVE, "etc/random-seed", SEED_REASON, false, ANY },
        { "urandom-seed", SEEDS, REMOVE, "etc/urandom.seed", SEED_REASON, false, ANY },
        { "pollinate-flag", SEEDS, REMOVE, "var/cache/pollinate/seeded", SEEDED_REASON, true, ANY },
        { "cloud-init-seed",
          SEEDS,
          REMOVE,
          "var/lib/cloud/instances/*/*",
          CLOUD_REASON,
          false,
          CONTENT_KEY },
        { "cloud-init-seed",
          SEEDS,
          REMOVE,
          "run/cloud-init/*.json",
          CLOUD_REASON,
          false,
          CONTENT_KEY },
        /* Put there by a person: what else is in these files is theirs. */
        { "cloud-seed-directory",
          SEEDS,
          BY_HAND,
          "var/lib/cloud/seed/*/*",
          STATIC_REASON,
          false,
          CONTENT_KEY },
        { "cloud-seed-directory",
          SEEDS,
          BY_HAND,
          "var/lib/cloud/seed/*/openstack/*/meta_data.json",
          STATIC_REASON,
          false,
          CONTENT_OPENSTACK },
        { "credential-seed",
          SEEDS,
          BY_HAND,
          "etc/credstore*/entropy.seed",
          CREDS_REASON,
          false,
          ANY },
        { "credential-seed",
          SEEDS,
          BY_HAND,
          "usr/lib/credstore*/entropy.seed",
          CREDS_REASON,
          false,
          ANY },
        { "credential-secret",
          IDENTITY,
          REMOVE,
          "var/lib/systemd/credential.secret",
          SECRET_REASON,
          false,
          ANY },
        { "ssh-host-key", IDENTITY, REMOVE, "etc/ssh/ssh_host_*key", SSH_REASON, true, ANY },
        { "ssh-host-key", IDENTITY, REMOVE, "etc/ssh/ssh_host_*key.pub", SSH_REASON, true, ANY },
        { "ssh-host-key",
          IDENTITY,
          REMOVE,
          "etc/dropbear/dropbear_*_host_key",
          SSH_REASON,
          true,
          ANY },
};

typedef struct Finder {
        const ImageTree *tree;
        const Rule *rule;
        ImageReport *report;
} Finder;

static ImageItem item_of(const Rule *rule, const char *path, const struct stat *status) {
        return (ImageItem){
                .id = rule->id,
                .group = rule->group,
                .state = IMAGE_STATE_FINDING,
                .action = rule->action,
                .path = path,
                .device = status ? status->st_dev : 0,
                .inode = status ? status->st_ino : 0,
        };
}

static int add_error(const Finder *finder, const char *path, int error) {
        ImageItem item = item_of(finder->rule, path, NULL);

        item.state = IMAGE_STATE_ERROR;
        item.action = IMAGE_ACTION_NONE;
        return image_report_add(
                finder->report,
                &item,
                "cannot be looked at: %s",
                image_error_to_string(error));
}

/* 0 or 1, or a negative errno. Bounded: a file that is larger is not cloud-init's. */
static int holds_key(int path_fd) {
        const size_t keep_bytes = IMAGE_TEXT_KEY_MAX_BYTES(strlen(CLOUD_KEY)) - 1;
        char buffer[4096];
        size_t keep = 0, total = 0;
        _cleanup_close_ int fd = -1;

        fd = image_tree_reopen(path_fd);
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

        fd = image_tree_reopen(path_fd);
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
static int add_link(const Finder *finder, const char *path, const ImageEntry *entry) {
        ImageItem item = item_of(finder->rule, path, &entry->status);
        _cleanup_close_ int fd = image_tree_open_at(finder->tree, path, O_PATH);

        if (fd == -ENOENT || fd == -ENOTDIR)
                return 0; /* leads nowhere within the tree */
        if (fd < 0)
                return add_error(finder, path, fd);
        item.action = IMAGE_ACTION_BY_HAND;
        return image_report_add(
                finder->report,
                &item,
                "%s; it is a symbolic link: remove what it points to",
                finder->rule->reason);
}

static int add_odd_kind(const Finder *finder, const char *path, const ImageEntry *entry) {
        ImageItem item = item_of(finder->rule, path, &entry->status);

        if (S_ISLNK(entry->status.st_mode))
                return add_link(finder, path, entry);
        /* cloud-init's directories have subdirectories; they hold other things. */
        if (finder->rule->content != CONTENT_ANY)
                return 0;
        if (S_ISDIR(entry->status.st_mode))
                item.action = IMAGE_ACTION_BY_HAND;
        return image_report_add(
                finder->report,
                &item,
                "is %s, where a file is expected",
                kind_of(entry->status.st_mode));
}

static int add_mark(const Finder *finder, const char *path, const ImageEntry *entry) {
        ImageItem item = item_of(finder->rule, path, &entry->status);
        _cleanup_close_ int fd = image_tree_reopen(entry->fd);
        ssize_t n;

        if (fd < 0)
                return add_error(finder, path, fd);
        n = fgetxattr(fd, IMAGE_CREDITABLE_MARK, NULL, 0);
        if (n < 0)
                return errno == ENODATA || errno == ENOTSUP
                               ? 0
                               : add_error(finder, path, negative_errno());
        item.id = "creditable-mark";
        return image_report_add(
                finder->report,
                &item,
                "has the attribute " IMAGE_CREDITABLE_MARK
                ": with SYSTEMD_RANDOM_SEED_CREDIT each clone credits the same seed");
}

/* As bootctl(1): whoever can read the seed can predict what is made of it. */
static int add_mode(const Finder *finder, const char *path, const ImageEntry *entry) {
        ImageItem item = item_of(finder->rule, path, &entry->status);

        if ((entry->status.st_mode & 0007) == 0)
                return 0;
        item.id = "esp-seed-mode";
        item.action = IMAGE_ACTION_BY_HAND;
        return image_report_add(
                finder->report,
                &item,
                "mode %04o lets everybody at it, and at the next seed: mount the ESP with "
                "umask=0077",
                (unsigned)(entry->status.st_mode & 07777));
}

static int add_file(const Finder *finder, const char *path, const ImageEntry *entry) {
        ImageItem item = item_of(finder->rule, path, &entry->status);
        char links[96] = "";
        int r;

        if (entry->status.st_nlink > 1)
                (void)snprintf(
                        links,
                        sizeof(links),
                        "; other names of the same file stay (%ju hard links)",
                        (uintmax_t)entry->status.st_nlink);
        r = image_report_add(
                finder->report,
                &item,
                "%s (%jd bytes, mode %04o)%s",
                finder->rule->reason,
                (intmax_t)entry->status.st_size,
                (unsigned)(entry->status.st_mode & 07777),
                links);
        if (r < 0 || item.group != IMAGE_GROUP_SEEDS || finder->rule->content != CONTENT_ANY)
                return r;
        r = add_mark(finder, path, entry);
        if (r < 0 || strcmp(item.id, "esp-seed") != 0)
                return r;
        return add_mode(finder, path, entry);
}

static int visit(const char *path, void *userdata) {
        _cleanup_image_entry_ ImageEntry entry = IMAGE_ENTRY_NULL;
        const Finder *finder = userdata;
        int r;

        r = image_entry_open(finder->tree, path, &entry);
        if (r != 0)
                return r == IMAGE_TREE_E_ABSENT ? 0 : add_error(finder, path, r);
        if (!S_ISREG(entry.status.st_mode))
                return add_odd_kind(finder, path, &entry);
        if (entry.status.st_size == 0 && !finder->rule->even_empty)
                return 0;
        if (finder->rule->content != CONTENT_ANY) {
                r = holds(entry.fd, finder->rule->content);
                if (r <= 0)
                        return r == 0 ? 0 : add_error(finder, path, r);
        }
        return add_file(finder, path, &entry);
}

/* The variable is in the firmware's memory, which no tree holds: all that can be said of it. */
static int find_loader(const ImageTree *tree, ImageReport *report) {
        static const char *const directories[] = { "efi/loader", "boot/efi/loader", "boot/loader" };
        const ImageItem item = {
                .id = "loader-system-token",
                .group = IMAGE_GROUP_SEEDS,
                .state = IMAGE_STATE_NOTE,
        };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (image_tree_has(tree, directories[i]))
                        return image_report_add(
                                report,
                                &item,
                                "systemd-boot keeps the EFI variable LoaderSystemToken in NVRAM: "
                                "do not hand on the NVRAM file of a machine that booted this tree");
        return 0;
}

/* A tmpfs of its own, as on a system that runs or in a builder's chroot, is no part of the image:
 * there rngd has its socket and its lock. */
static bool is_volatile(const ImageTree *tree, const char *directory) {
        _cleanup_close_ int fd = image_tree_open_at(tree, directory, O_PATH | O_DIRECTORY);
        struct stat root, status;
        struct statfs filesystem;

        return fd >= 0 && fstat(tree->fd, &root) >= 0 && fstat(fd, &status) >= 0 &&
               fstatfs(fd, &filesystem) >= 0 && filesystem.f_type == TMPFS_MAGIC &&
               root.st_dev != status.st_dev;
}

int image_template_find(const ImageTree *tree, unsigned groups, ImageReport *report) {
        bool skip_run = is_volatile(tree, "run");
        int r;

        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                Finder finder = { tree, &rules[i], report };

                if (!(groups & (1U << rules[i].group)))
                        continue;
                if (skip_run && strncmp(rules[i].pattern, "run/", strlen("run/")) == 0)
                        continue;
                r = image_tree_glob(tree, rules[i].pattern, visit, &finder);
                if (r < 0 && r != -ENOMEM)
                        r = add_error(&finder, rules[i].pattern, r);
                if (r < 0)
                        return r;
        }
        if (groups & (1U << IMAGE_GROUP_SEEDS)) {
                r = find_loader(tree, report);
                if (r < 0)
                        return r;
                r = image_boot_find(tree, report);
                if (r < 0)
                        return r;
        }
        if (groups & (1U << IMAGE_GROUP_IDENTITY))
                return image_identity_find(tree, report);
        return 0;
}
