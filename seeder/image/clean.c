/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "lib/base/io.h"
#include "seeder/image/clean.h"
#include "seeder/image/find.h"

#define TEMPORARY_NAME ".machine-id.guest-entropy"
#define LABEL          "security.selinux"

/* Filesystems without it (some FUSE ones, 9p) say EINVAL. */
static int sync_directory(int directory_fd) {
        if (fsync(directory_fd) < 0 && errno != EINVAL && errno != ENOTSUP)
                return negative_errno();
        return 0;
}

/* First of all, so that a file which then cannot be removed, or has a second name, is no longer
 * credited. */
static int strip_mark(const Entry *entry) {
        _cleanup_close_ int fd = -1;

        if (!S_ISREG(entry->status.st_mode))
                return 0;
        fd = tree_reopen(entry->fd);
        if (fd < 0)
                return fd;
        if (fremovexattr(fd, CREDITABLE_MARK) < 0)
                return errno == ENODATA || errno == ENOTSUP ? 0 : negative_errno();
        return fsync(fd) < 0 ? negative_errno() : 0;
}

/* A tree of hard links (cp -al) shares its files with the running system, whose mark stays. */
static int strip_mark_unless_shared(const Host *host, const char *path, const Entry *entry) {
        int shared = 0;

        if (host && entry->status.st_nlink > 1)
                shared = host_has_file(host, path, &entry->status);
        return shared == 0 ? strip_mark(entry) : MIN(shared, 0);
}

static int remove_entry(const Host *host, const char *path, const Entry *entry) {
        int r, error;

        error = strip_mark_unless_shared(host, path, entry);
        if (unlinkat(entry->directory_fd, entry->name, 0) < 0)
                return negative_errno();
        r = sync_directory(entry->directory_fd);
        if (r < 0)
                return r;
        /* The last name took the mark with it. */
        return entry->status.st_nlink > 1 ? error : 0;
}

/* The new file is to be to other programs what the old one was: owner and SELinux label. */
static int copy_ownership(const Entry *entry, int fd) {
        _cleanup_close_ int old_fd = -1;
        char label[256];
        ssize_t n;

        if (fchown(fd, entry->status.st_uid, entry->status.st_gid) < 0)
                return negative_errno();
        old_fd = tree_reopen(entry->fd);
        if (old_fd < 0)
                return old_fd;
        n = fgetxattr(old_fd, LABEL, label, sizeof(label));
        if (n > 0 && fsetxattr(fd, LABEL, label, (size_t)n, 0) < 0 && errno != ENOTSUP)
                return negative_errno();
        return 0;
}

static int write_machine_id(const Entry *entry) {
        _cleanup_close_ int fd = -1;
        int r;

        /* Whatever stands there now, a FIFO or a link that was put in the way, is only a name. */
        if (unlinkat(entry->directory_fd, TEMPORARY_NAME, 0) < 0 && errno != ENOENT)
                return negative_errno();
        fd =
                openat(entry->directory_fd,
                       TEMPORARY_NAME,
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0400);
        if (fd < 0)
                return negative_errno();

        r = io_write_full(fd, MACHINE_ID_TEXT, strlen(MACHINE_ID_TEXT));
        if (r < 0)
                return r;
        r = copy_ownership(entry, fd);
        if (r < 0)
                return r;
        if (fchmod(fd, 0444) < 0)
                return negative_errno();
        if (fsync(fd) < 0)
                return negative_errno();
        if (close(TAKE_FD(fd)) < 0)
                return negative_errno();
        return 0;
}

static int reset_machine_id(const Entry *entry) {
        int r;

        r = write_machine_id(entry);
        if (r >= 0 &&
            renameat(entry->directory_fd, TEMPORARY_NAME, entry->directory_fd, entry->name) < 0)
                r = negative_errno();
        if (r < 0) {
                (void)unlinkat(entry->directory_fd, TEMPORARY_NAME, 0);
                return r;
        }
        return sync_directory(entry->directory_fd);
}

/* Also where a file is a mount point itself. */
static int check_place(const Tree *tree, const Host *host, const Entry *entry, Item *item) {
        _cleanup_free_ char *point = NULL;
        int r;

        if (!host)
                return 0;
        r = host_find_mount(host, tree->fd, entry->fd, &point);
        if (r < 0 || !point)
                return r;
        free(item->error_text);
        item->error_text = report_format(
                "belongs to the running system, which has this filesystem mounted at %s, too",
                point);
        return item->error_text ? -EXDEV : -ENOMEM;
}

/* TREE_E_ABSENT: an earlier item's, which had the same file (systemd-seed-creditable). */
static int open_item(const Tree *tree, const Host *host, Item *item, Entry *ret_entry) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        int r;

        r = entry_open(tree, item->path, &entry);
        if (r != 0)
                return r;
        if (entry.status.st_dev != item->device || entry.status.st_ino != item->inode)
                return -ESTALE;
        r = check_place(tree, host, &entry, item);
        if (r < 0)
                return r;
        *ret_entry = entry;
        entry = (Entry)ENTRY_NULL;
        return 0;
}

static bool is_to_be_done(const Item *item) {
        return (item->action == ACTION_REMOVE || item->action == ACTION_RESET) &&
               item->outcome != OUTCOME_FAILED;
}

static void set_outcome(Item *item, int error, Outcome otherwise) {
        item->error = error < 0 ? error : 0;
        item->outcome = error < 0 ? OUTCOME_FAILED : otherwise;
}

void clean_plan(const Tree *tree, const Host *host, Report *report) {
        for (size_t i = 0; i < report->n_items; i++) {
                _cleanup_entry_ Entry entry = ENTRY_NULL;
                Item *item = &report->items[i];

                if (is_to_be_done(item))
                        set_outcome(item, open_item(tree, host, item, &entry), OUTCOME_PLANNED);
        }
}

/* Everything is looked at again: time has passed since it was planned. */
static int act(const Tree *tree, const Host *host, Item *item) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        int r;

        r = open_item(tree, host, item, &entry);
        if (r != 0)
                return r == TREE_E_ABSENT ? 0 : r;
        return item->action == ACTION_RESET ? reset_machine_id(&entry)
                                            : remove_entry(host, item->path, &entry);
}

void clean_carry_out(const Tree *tree, const Host *host, Report *report) {
        for (size_t i = 0; i < report->n_items; i++) {
                Item *item = &report->items[i];

                if (is_to_be_done(item))
                        set_outcome(item, act(tree, host, item), OUTCOME_DONE);
        }
}
