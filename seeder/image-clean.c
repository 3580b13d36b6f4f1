/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "lib/base/io.h"
#include "seeder/image-clean.h"
#include "seeder/image-template.h"

#define TEMPORARY_NAME ".machine-id.guest-entropy"
#define LABEL          "security.selinux"

/* Filesystems without it (some FUSE ones, 9p) say EINVAL. */
static int sync_folder(int folder_fd) {
        if (fsync(folder_fd) < 0 && errno != EINVAL && errno != ENOTSUP)
                return negative_errno();
        return 0;
}

/* First of all, so that a file which then cannot be removed, or has a second name, is no longer
 * credited. */
static int strip_mark(const ImageEntry *entry) {
        _cleanup_close_ int fd = -1;

        if (!S_ISREG(entry->status.st_mode))
                return 0;
        fd = image_tree_reopen(entry->fd);
        if (fd < 0)
                return fd;
        if (fremovexattr(fd, IMAGE_CREDITABLE_MARK) < 0)
                return errno == ENODATA || errno == ENOTSUP ? 0 : negative_errno();
        return fsync(fd) < 0 ? negative_errno() : 0;
}

static int remove_entry(const ImageEntry *entry) {
        int r, error;

        error = strip_mark(entry);
        if (unlinkat(entry->folder_fd, entry->name, 0) < 0)
                return negative_errno();
        r = sync_folder(entry->folder_fd);
        if (r < 0)
                return r;
        /* The last name took the mark with it. */
        return entry->status.st_nlink > 1 ? error : 0;
}

/* The new file is to be to other programs what the old one was: owner and SELinux label. */
static int copy_ownership(const ImageEntry *entry, int fd) {
        _cleanup_close_ int old_fd = -1;
        char label[256];
        ssize_t n;

        if (fchown(fd, entry->status.st_uid, entry->status.st_gid) < 0)
                return negative_errno();
        old_fd = image_tree_reopen(entry->fd);
        if (old_fd < 0)
                return old_fd;
        n = fgetxattr(old_fd, LABEL, label, sizeof(label));
        if (n > 0 && fsetxattr(fd, LABEL, label, (size_t)n, 0) < 0 && errno != ENOTSUP)
                return negative_errno();
        return 0;
}

static int write_machine_id(const ImageEntry *entry) {
        _cleanup_close_ int fd = -1;
        int r;

        /* Whatever stands there now, a FIFO or a link that was put in the way, is only a name. */
        if (unlinkat(entry->folder_fd, TEMPORARY_NAME, 0) < 0 && errno != ENOENT)
                return negative_errno();
        fd =
                openat(entry->folder_fd,
                       TEMPORARY_NAME,
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0400);
        if (fd < 0)
                return negative_errno();

        r = io_write_full(fd, IMAGE_MACHINE_ID_TEXT, strlen(IMAGE_MACHINE_ID_TEXT));
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

static int reset_machine_id(const ImageEntry *entry) {
        int r;

        r = write_machine_id(entry);
        if (r >= 0 && renameat(entry->folder_fd, TEMPORARY_NAME, entry->folder_fd, entry->name) < 0)
                r = negative_errno();
        if (r < 0) {
                (void)unlinkat(entry->folder_fd, TEMPORARY_NAME, 0);
                return r;
        }
        return sync_folder(entry->folder_fd);
}

static int check_place(const ImageHost *host, const char *path, const ImageEntry *entry) {
        char folder[IMAGE_PATH_MAX_BYTES];
        const char *slash = strrchr(path, '/');
        bool has;
        int r, n;

        if (!host || !slash)
                return 0;
        n = snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        if (n < 0 || (size_t)n >= sizeof(folder))
                return -ENAMETOOLONG;
        r = image_host_has_folder(host, folder, entry->folder_fd, &has);
        if (r < 0)
                return r;
        /* /run or the ESP of the running system, mounted into the tree. */
        return has ? -EXDEV : 0;
}

static int act(const ImageTree *tree, const ImageHost *host, const ImageItem *item) {
        _cleanup_image_entry_ ImageEntry entry = IMAGE_ENTRY_NULL;
        int r;

        r = image_entry_open(tree, item->path, &entry);
        if (r == IMAGE_TREE_E_ABSENT)
                return 0; /* an earlier item's, which had the same file (creditable-mark) */
        if (r < 0)
                return r;
        if (entry.status.st_dev != item->device || entry.status.st_ino != item->inode)
                return -ESTALE;
        r = check_place(host, item->path, &entry);
        if (r < 0)
                return r;
        return item->action == IMAGE_ACTION_RESET ? reset_machine_id(&entry) : remove_entry(&entry);
}

size_t image_clean(
        const ImageTree *tree,
        const ImageHost *host,
        bool dry_run,
        ImageReport *report) {
        size_t n_failed = 0;

        for (size_t i = 0; i < report->n_items; i++) {
                ImageItem *item = &report->items[i];

                if (item->action != IMAGE_ACTION_REMOVE && item->action != IMAGE_ACTION_RESET)
                        continue;
                if (dry_run) {
                        item->outcome = IMAGE_OUTCOME_PLANNED;
                        continue;
                }
                item->error = act(tree, host, item);
                item->outcome = item->error < 0 ? IMAGE_OUTCOME_FAILED : IMAGE_OUTCOME_DONE;
                n_failed += item->error < 0 ? 1 : 0;
        }
        return n_failed;
}
