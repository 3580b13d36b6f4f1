/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/base/io.h"
#include "seeder/image/tree.h"

/* A rename somewhere in the tree while ".." is resolved: the kernel asks to try again. */
#define RACE_RETRIES 64

static int open_in_root(int root_fd, const char *path, int flags) {
        const struct open_how how = {
                .flags = (unsigned)(flags | O_CLOEXEC),
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        for (unsigned i = 0; i < RACE_RETRIES; i++) {
                long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

                if (fd >= 0)
                        return (int)fd;
                if (errno != EAGAIN && errno != EINTR)
                        break;
        }
        return negative_errno();
}

/* One component. O_PATH and O_NOFOLLOW open a link itself: O_DIRECTORY or the check refuses it. */
static int open_component(int directory_fd, const char *name, int flags) {
        _cleanup_close_ int fd = -1;
        struct stat status;

        if (strcmp(name, "..") == 0)
                return -ELOOP;
        fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        if (fstat(fd, &status) < 0)
                return negative_errno();
        if (S_ISLNK(status.st_mode) && !(flags & O_NOFOLLOW))
                return -ELOOP;
        if (!S_ISDIR(status.st_mode) && (flags & O_DIRECTORY))
                return -ENOTDIR;
        if (flags & O_PATH)
                return TAKE_FD(fd);

        /* Of a directory that is held: "." is no name that a rename could replace. */
        directory_fd = openat(fd, ".", flags | O_NOFOLLOW | O_CLOEXEC);
        return directory_fd < 0 ? negative_errno() : directory_fd;
}

static int open_without_links(int root_fd, const char *path, int flags) {
        _cleanup_close_ int fd = -1;

        for (;;) {
                size_t length = strcspn(path, "/");
                const char *rest = path + length + strspn(path + length, "/");
                bool last = *rest == '\0';
                char name[256];
                int r;

                if (length == 0 || length >= sizeof(name))
                        return length == 0 ? -EINVAL : -ENAMETOOLONG;
                memcpy(name, path, length);
                name[length] = '\0';
                r = open_component(
                        fd >= 0 ? fd : root_fd,
                        name,
                        last ? flags : O_PATH | O_DIRECTORY);
                if (r < 0 || last)
                        return r;
                cleanup_close(&fd);
                fd = r;
                path = rest;
        }
}

int tree_open_at(const Tree *tree, const char *path, int flags) {
        if (tree->refuse_links)
                return open_without_links(tree->fd, path, flags);
        return open_in_root(tree->fd, path, flags);
}

int tree_open(const char *path, Tree *ret_tree) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();

        /* ENOSYS from the kernel, EPERM from seccomp filters that do not know the call. */
        r = open_in_root(fd, ".", O_PATH | O_DIRECTORY);
        if (r < 0 && r != -ENOSYS && r != -EPERM)
                return r;
        ret_tree->refuse_links = r < 0;
        cleanup_close(&r);
        ret_tree->fd = TAKE_FD(fd);
        return 0;
}

void tree_close(Tree *tree) {
        cleanup_close(&tree->fd);
}

static int absent_or(int error) {
        return error == -ENOENT || error == -ENOTDIR ? TREE_E_ABSENT : error;
}

static int open_directory_of(const Tree *tree, const char *path, const char *slash) {
        char directory[TREE_PATH_MAX_BYTES];
        size_t length = slash ? (size_t)(slash - path) : 1;

        if (length >= sizeof(directory))
                return -ENAMETOOLONG;
        memcpy(directory, slash ? path : ".", length);
        directory[length] = '\0';
        return tree_open_at(tree, directory, O_RDONLY | O_DIRECTORY);
}

int entry_open(const Tree *tree, const char *path, Entry *ret_entry) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        int n;

        n = snprintf(entry.name, sizeof(entry.name), "%s", name);
        if (n <= 0 || (size_t)n >= sizeof(entry.name))
                return n <= 0 ? -EINVAL : -ENAMETOOLONG;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return -EINVAL;

        entry.directory_fd = open_directory_of(tree, path, slash);
        if (entry.directory_fd < 0)
                return absent_or(entry.directory_fd);
        entry.fd = openat(entry.directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (entry.fd < 0)
                return absent_or(negative_errno());
        if (fstat(entry.fd, &entry.status) < 0)
                return negative_errno();

        *ret_entry = entry;
        entry = (Entry)ENTRY_NULL;
        return 0;
}

void entry_close(Entry *entry) {
        cleanup_close(&entry->fd);
        cleanup_close(&entry->directory_fd);
}

int tree_reopen(int path_fd) {
        char path[64];
        struct stat status;
        int fd;

        if (fstat(path_fd, &status) < 0)
                return negative_errno();
        if (!S_ISREG(status.st_mode))
                return -ENXIO;

        /* The only way from an O_PATH fd to the same file, whatever its name means by now. */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                /* ENOENT: no /proc here, which must not read as "no such file". */
                return errno == ENOENT ? -EOPNOTSUPP : negative_errno();
        return fd;
}

int tree_open_file(const Tree *tree, const char *path, int *ret_fd) {
        _cleanup_close_ int path_fd = -1;
        int fd;

        path_fd = tree_open_at(tree, path, O_PATH);
        if (path_fd < 0)
                return absent_or(path_fd);
        fd = tree_reopen(path_fd);
        if (fd < 0)
                return fd == -ENXIO ? TREE_E_NOT_A_FILE : fd;
        *ret_fd = fd;
        return 0;
}

int tree_read(
        const Tree *tree,
        const char *path,
        size_t max_bytes,
        char **ret_text,
        size_t *ret_length) {
        _cleanup_close_ int fd = -1;
        int r;

        r = tree_open_file(tree, path, &fd);
        return r != 0 ? r : io_read_all(fd, max_bytes, ret_text, ret_length);
}

bool tree_has(const Tree *tree, const char *path) {
        _cleanup_close_ int fd = tree_open_at(tree, path, O_PATH);

        return fd >= 0;
}

typedef struct Walk {
        const Tree *tree;
        TreeVisit visit;
        void *userdata;
        char path[TREE_PATH_MAX_BYTES];
} Walk;

static int walk(Walk *w, size_t length, const char *pattern);

/* Goes on below path + "/" + name. */
static int step(Walk *w, size_t length, const char *name, const char *rest) {
        int n;

        n = snprintf(
                w->path + length,
                sizeof(w->path) - length,
                "%s%s",
                length > 0 ? "/" : "",
                name);
        if (n < 0 || (size_t)n >= sizeof(w->path) - length)
                return -ENAMETOOLONG;
        return walk(w, length + (size_t)n, rest);
}

static int walk_names(Walk *w, size_t length, const char *component, const char *rest) {
        int fd = -1, r = 0;
        unsigned n = 0;
        struct dirent *entry;
        DIR *directory;

        w->path[length] = '\0';
        fd = tree_open_at(w->tree, length > 0 ? w->path : ".", O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
        directory = fdopendir(fd);
        if (!directory) {
                r = negative_errno();
                cleanup_close(&fd);
                return r;
        }

        while (r == 0) {
                errno = 0;
                entry = readdir(directory);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (++n > TREE_DIRECTORY_MAX_NAMES)
                        r = -E2BIG;
                else if (fnmatch(component, entry->d_name, 0) == 0)
                        r = step(w, length, entry->d_name, rest);
        }
        (void)closedir(directory);
        return r;
}

static int visit_if_there(Walk *w) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        int r;

        r = entry_open(w->tree, w->path, &entry);
        if (r != 0)
                return r == TREE_E_ABSENT ? 0 : r;
        w->visit(w->path, w->userdata);
        return 0;
}

static int walk(Walk *w, size_t length, const char *pattern) {
        size_t n = strcspn(pattern, "/");
        char component[256];

        if (*pattern == '\0')
                return visit_if_there(w);
        if (n == 0 || n >= sizeof(component))
                return -EINVAL;
        memcpy(component, pattern, n);
        component[n] = '\0';
        pattern += n + strspn(pattern + n, "/");

        if (strpbrk(component, "*?["))
                return walk_names(w, length, component, pattern);
        return step(w, length, component, pattern);
}

int tree_glob(const Tree *tree, const char *pattern, TreeVisit visit, void *userdata) {
        Walk w = { .tree = tree, .visit = visit, .userdata = userdata };

        return walk(&w, 0, pattern);
}

bool tree_path(const char *pattern, const char *name, char path[static TREE_PATH_MAX_BYTES]) {
        int before = (int)strcspn(pattern, "%");
        int n;

        n = snprintf(
                path,
                TREE_PATH_MAX_BYTES,
                "%.*s%s%s",
                before,
                pattern,
                name,
                pattern + before + 1);
        return n > 0 && (size_t)n < TREE_PATH_MAX_BYTES;
}
