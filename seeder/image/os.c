/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "seeder/image/os.h"
#include "seeder/image/report.h"

/* 1, 0 or a negative errno. Links are followed within the tree, where the kernel can do that. */
static int is_there(const Tree *tree, const char *path, mode_t type) {
        _cleanup_close_ int fd = tree_open_at(tree, path, O_PATH);
        struct stat status;

        if (fd == -ENOENT || fd == -ENOTDIR)
                return 0;
        if (fd == -ELOOP)
                return tree->refuse_links; /* a link, wherever it leads */
        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return negative_errno();
        return (status.st_mode & S_IFMT) == type;
}

static void count_name(const char *path, void *userdata) {
        unsigned *n = userdata;

        *n += strcmp(path, "lost+found") == 0 ? 0 : 1;
}

static bool is_empty(const Tree *tree) {
        unsigned n = 0;

        return tree_glob(tree, "*", count_name, &n) == 0 && n == 0;
}

static void take_first(const char *path, void *userdata) {
        char **name = userdata;

        if (!*name)
                *name = strndup(path, strcspn(path, "/"));
}

/* The first directory of the tree with this in it. NULL: none, or it cannot be told. */
static char *find_first(const Tree *tree, const char *pattern) {
        char *name = NULL;

        (void)!tree_glob(tree, pattern, take_first, &name);
        return name;
}

static int describe(const Tree *tree, char **ret_what) {
        _cleanup_free_ char *esp = find_first(tree, "[Ee][Ff][Ii]/*");
        _cleanup_free_ char *inner = find_first(tree, "*/usr/lib/os-release");
        const char *what;

        if (!inner)
                inner = find_first(tree, "*/etc/os-release");
        if (is_empty(tree))
                what = "it is empty (is the image mounted there?)";
        else if (inner)
                what = "there is one in it, in the directory ";
        else if (tree_has(tree, "ostree/repo"))
                what = "it is the top of an OSTree system, whose trees are in ostree/deploy";
        else if (tree_has(tree, "usr"))
                what = "it has /usr, but no os-release in /etc or /usr/lib";
        else if (tree_has(tree, "lib/os-release"))
                what = "it looks like the /usr of one";
        else if (esp)
                what = "it looks like an EFI system partition, to be mounted in the tree";
        else
                what = "it has no /usr";

        *ret_what = report_format("%s%s", what, inner ? inner : "");
        return *ret_what ? 0 : -ENOMEM;
}

int os_check(const Tree *tree, char **ret_what) {
        int usr, in_etc, in_usr, r;

        usr = is_there(tree, "usr", S_IFDIR);
        if (usr < 0)
                return usr;
        in_etc = is_there(tree, "etc/os-release", S_IFREG);
        in_usr = is_there(tree, "usr/lib/os-release", S_IFREG);
        if (usr > 0 && (in_etc > 0 || in_usr > 0))
                return 0;
        if (in_etc < 0 || in_usr < 0)
                return MIN(in_etc, in_usr);
        r = describe(tree, ret_what);
        return r < 0 ? r : OS_E_NONE;
}
