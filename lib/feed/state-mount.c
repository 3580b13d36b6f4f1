/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/feed/state-mount.h"

/* The directory is the program's own; a longer line of fstab is cut off. */
#define DIRECTORY_MAX  128
#define FSTAB_LINE_MAX 1024

static const char *const unit_directories[] = {
        "etc/systemd/system",         "run/systemd/system",     "run/systemd/generator",
        "run/systemd/generator.late", "usr/lib/systemd/system", "lib/systemd/system",
};

/* By the device: in a sandbox each directory that may be written to is a mount of its own. */
static bool is_mounted(const RootDir *root, const char *directory) {
        char above[DIRECTORY_MAX + 4];
        struct stat inner, outer;
        int n;

        n = snprintf(above, sizeof(above), "%s/..", directory);
        return n > 0 && (size_t)n < sizeof(above) && fstatat(root->fd, directory, &inner, 0) == 0 &&
               fstatat(root->fd, above, &outer, 0) == 0 && inner.st_dev != outer.st_dev;
}

/* As systemd-escape --path does it: at most four times as long. */
static void escape(const char *directory, char name[static 4 * DIRECTORY_MAX]) {
        size_t n = 0;

        for (const char *p = directory; *p; p++)
                if (*p == '/')
                        name[n++] = '-';
                else if (*p == '-')
                        n += (size_t)snprintf(name + n, sizeof("\\x2d"), "\\x2d");
                else
                        name[n++] = *p;
        name[n] = '\0';
}

/* One that is masked is a link to /dev/null. */
static bool has_unit(const RootDir *root, const char *directory) {
        char name[4 * DIRECTORY_MAX], path[5 * DIRECTORY_MAX];
        struct stat status;

        escape(directory, name);
        for (size_t i = 0; i < ELEMENTSOF(unit_directories); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s.mount", unit_directories[i], name);
                if (fstatat(root->fd, path, &status, 0) == 0 && S_ISREG(status.st_mode))
                        return true;
        }
        return false;
}

/* A table that cannot be read tells of no mount: then it is not this program that notices. */
static bool is_in_table(FILE *table, const char *directory) {
        char line[FSTAB_LINE_MAX];
        struct mntent entry;

        rewind(table);
        while (getmntent_r(table, &entry, line, sizeof(line))) {
                const char *where = entry.mnt_dir;
                size_t length = strlen(directory);

                where += strspn(where, "/");
                if (strncmp(where, directory, length) == 0 &&
                    where[length + strspn(where + length, "/")] == '\0')
                        return true;
        }
        return false;
}

static FILE *open_table(const RootDir *root) {
        FILE *table;
        int fd;

        fd = rootdir_open_file(root, "etc/fstab", O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return NULL;
        table = fdopen(fd, "re");
        if (!table)
                (void)close(fd);
        return table;
}

bool state_mount_missing(const RootDir *root, const char *directory) {
        char path[DIRECTORY_MAX];
        bool missing = false;
        FILE *table;
        char *end;
        int n;

        n = snprintf(path, sizeof(path), "%s", directory + strspn(directory, "/"));
        if (n <= 0 || (size_t)n >= sizeof(path))
                return true;

        table = open_table(root);
        do { /* the directory, then each above it, but not the root, which is there */
                if (((table && is_in_table(table, path)) || has_unit(root, path)) &&
                    !is_mounted(root, path))
                        missing = true;
                end = strrchr(path, '/');
                if (end)
                        *end = '\0';
        } while (end && !missing);
        if (table)
                (void)fclose(table);
        return missing;
}
