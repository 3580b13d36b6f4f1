/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A mounted tree that somebody else wrote. Nothing that is named here resolves outside of it:
 * symbolic links (absolute ones, too) and ".." are taken within the tree by openat2(2)'s
 * RESOLVE_IN_ROOT, and the links of a /proc that is mounted in it lead nowhere. A kernel without
 * openat2() (before 5.6, or a container's seccomp filter) follows no link at all: then what lies
 * behind one is -ELOOP. Only regular files are ever opened for reading: a FIFO would wait for its
 * writer, and opening a device may do something.
 *
 * Paths are relative to the tree, without a leading slash.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/base/error.h"

#define TREE_PATH_MAX_BYTES      1024U
#define TREE_DIRECTORY_MAX_NAMES 4096U /* of one directory */

enum {
        _TREE_E_SUCCESS,
        TREE_E_ABSENT,     /* there is nothing of this name */
        TREE_E_NOT_A_FILE, /* there is something else than a regular file */
};

typedef struct Tree {
        int fd;            /* O_PATH */
        bool refuse_links; /* no openat2() */
} Tree;

#define TREE_NULL \
        { .fd = -1 }

/* A name and the directory it is in. The name itself was not followed if it is a symbolic link. */
typedef struct Entry {
        int directory_fd; /* O_RDONLY, for fsync() */
        int fd;           /* O_PATH | O_NOFOLLOW */
        struct stat status;
        char name[256];
} Entry;

#define ENTRY_NULL \
        { .directory_fd = -1, .fd = -1 }

_must_check_ int tree_open(const char *path, Tree *ret_tree);
void tree_close(Tree *tree);

/* An fd, or a negative errno. flags: O_DIRECTORY, O_PATH and O_NOFOLLOW only. */
_must_check_ int tree_open_at(const Tree *tree, const char *path, int flags);

/* TREE_E_ABSENT or a negative errno. */
_must_check_ int entry_open(const Tree *tree, const char *path, Entry *ret_entry);
void entry_close(Entry *entry);

/* Opens what an O_PATH fd stands for, for reading; an fd, -ENXIO if it is not a regular file. */
_must_check_ int tree_reopen(int path_fd);

/* A regular file, links within the tree followed, for reading: 0 or TREE_E_... */
_must_check_ int tree_open_file(const Tree *tree, const char *path, int *ret_fd);

/* As tree_open_file(), and its bytes, to be freed: -EFBIG if there are more than max_bytes. */
_must_check_ int tree_read(
        const Tree *tree,
        const char *path,
        size_t max_bytes,
        char **ret_text,
        size_t *ret_length);

/* Whether something is there, links followed: false also where this cannot be told. */
bool tree_has(const Tree *tree, const char *path);

/* Gets each match. */
typedef void (*TreeVisit)(const char *path, void *userdata);

/*
 * Calls visit for each name that matches a pattern as of fnmatch(3), component by component, names
 * that begin with a dot included; a pattern without wildcards is visited if something is there.
 * -E2BIG if a directory has more than TREE_DIRECTORY_MAX_NAMES names. Directories that are absent match
 * nothing; one that cannot be read is its negative errno.
 */
_must_check_ int tree_glob(const Tree *tree, const char *pattern, TreeVisit visit, void *userdata);

#define _cleanup_tree_  _cleanup_(tree_close)
#define _cleanup_entry_ _cleanup_(entry_close)

/* The pattern with the name in place of its '%'. False if it is too long for a path. */
bool tree_path(const char *pattern, const char *name, char path[static TREE_PATH_MAX_BYTES]);
