/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "seeder/image/mount.h"

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text) {
        char *end = text;

        while (*text) {
                if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
                    is_octal(text[3])) {
                        *end++ =
                                (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
                                       (text[3] - '0'));
                        text += 4;
                } else
                        *end++ = *text++;
        }
        *end = '\0';
}

/* NULL if there is none. The kernel separates fields by one space. */
static char *take_field(char **line) {
        char *field = *line;
        size_t length = strcspn(field, " \n");

        if (length == 0)
                return NULL;
        *line += length + (field[length] != '\0' ? 1 : 0);
        field[length] = '\0';
        return field;
}

int image_mount_parse(char *line, ImageMount *ret_mount) {
        char *fields[5]; /* id, parent's id, device, root, mount point */
        uint32_t id;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                fields[i] = take_field(&line);
                if (!fields[i])
                        return -EINVAL;
        }
        if (parse_u32(fields[0], 0, INT_MAX, &id) < 0)
                return -EINVAL;
        unescape(fields[3]);
        unescape(fields[4]);
        *ret_mount = (ImageMount){ (int)id, fields[2], fields[3], fields[4] };
        return 0;
}

static bool is_at_or_below(const char *path, const char *top) {
        size_t n = strlen(top);

        if (strcmp(top, "/") == 0)
                return true;
        return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool image_mount_overlaps(const ImageMount *a, const ImageMount *b) {
        return strcmp(a->device, b->device) == 0 &&
               (is_at_or_below(a->root, b->root) || is_at_or_below(b->root, a->root));
}

/* From fdinfo, as statx(2) tells the id only from Linux 5.8 on. */
int image_mount_id(int fd, int *ret_id) {
        static const char key[] = "\nmnt_id:\t";
        char path[64], text[512];
        const char *found;
        uint32_t number;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        r = io_read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (r < 0)
                return r == -ENOENT ? -EOPNOTSUPP : r; /* no /proc here */
        found = strstr(text, key);
        if (!found)
                return -EBADMSG;
        found += strlen(key);
        text[(size_t)(found - text) + strcspn(found, "\n")] = '\0';
        r = parse_u32(found, 0, INT_MAX, &number);
        if (r < 0)
                return r;
        *ret_id = (int)number;
        return 0;
}

static void cleanup_file(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

int image_mount_each(const char *mountinfo, ImageMountVisit visit, void *userdata) {
        _cleanup_(cleanup_file) FILE *file = fopen(mountinfo, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        int r = 0;

        if (!file)
                return negative_errno();
        while (r == 0) {
                ImageMount mount;

                errno = 0;
                if (getline(&line, &size, file) < 0)
                        return -errno; /* 0 at the end */
                r = image_mount_parse(line, &mount);
                if (r == 0)
                        r = visit(&mount, userdata);
        }
        return r;
}
