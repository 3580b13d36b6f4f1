/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "lib/kernel/mountinfo.h"

void mount_free(Mount *mount) {
        free(mount->line);
        *mount = (Mount){};
}

static bool is_octal(const char *text) {
        return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
               text[2] >= '0' && text[2] <= '7';
}

void mountinfo_unescape(char *text) {
        char *to = text;

        for (const char *p = text; *p; p++) {
                if (*p == '\\' && is_octal(p + 1)) {
                        *to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
                        p += 3;
                } else
                        *to++ = *p;
        }
        *to = '\0';
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS, one space between them. */
int mountinfo_parse(char *line, Mount *ret_mount) {
        enum {
                ID,
                PARENT,
                DEVICE,
                ROOT,
                POINT,
                OPTIONS,
                TYPE,
                SOURCE,
                SUPER_OPTIONS,
                _FIELDS,
        };
        char *fields[_FIELDS], *rest = line;
        uint32_t id;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < _FIELDS; i++) {
                fields[i] = strsep(&rest, " ");
                /* A source is what whoever mounted it said: nothing at all, too. */
                if (!fields[i] || (!*fields[i] && i != SOURCE))
                        return -EINVAL;
                if (i == OPTIONS) {
                        char *word;

                        do
                                word = strsep(&rest, " ");
                        while (word && strcmp(word, "-") != 0);
                }
        }
        if (parse_u32(fields[ID], 0, INT_MAX, &id) < 0)
                return -EINVAL;
        mountinfo_unescape(fields[ROOT]);
        mountinfo_unescape(fields[POINT]);
        mountinfo_unescape(fields[SOURCE]);
        *ret_mount = (Mount){
                .line = line,
                .id = (int)id,
                .device = fields[DEVICE],
                .root = fields[ROOT],
                .point = fields[POINT],
                .type = fields[TYPE],
                .source = fields[SOURCE],
                .options = fields[SUPER_OPTIONS],
        };
        return 0;
}

int mountinfo_each(const RootDir *root, const char *path, MountVisit visit, void *userdata) {
        int fd = rootdir_open_file(root, path, O_RDONLY), r = 0;
        FILE *file;

        if (fd < 0)
                return fd;
        file = fdopen(fd, "re");
        if (!file) {
                r = negative_errno();
                cleanup_close(&fd);
                return r;
        }
        while (r == 0) {
                _cleanup_free_ char *line = NULL;
                Mount mount = {};
                size_t size = 0;

                errno = 0;
                if (getline(&line, &size, file) < 0) {
                        r = -errno; /* 0 at the end */
                        break;
                }
                r = mountinfo_parse(line, &mount);
                if (r < 0)
                        break;
                r = visit(&mount, userdata);
                if (!mount.line)
                        line = NULL;
        }
        (void)fclose(file);
        return r;
}

/* From fdinfo, as statx(2) tells it only from Linux 5.8 on. */
int mountinfo_id(const RootDir *root, int fd, int *ret_id) {
        static const char key[] = "\nmnt_id:\t";
        char path[64], text[512], *found;
        uint32_t id;
        int r;

        (void)snprintf(path, sizeof(path), "proc/self/fdinfo/%d", fd);
        r = rootdir_read_text(root, path, text, sizeof(text));
        if (r < 0)
                return r == -ENOENT ? -EOPNOTSUPP : r;
        found = strstr(text, key);
        if (!found)
                return -EBADMSG;
        found += strlen(key);
        found[strcspn(found, "\n")] = '\0';
        r = parse_u32(found, 0, INT_MAX, &id);
        if (r < 0)
                return r;
        *ret_id = (int)id;
        return 0;
}

static int take_if_id(Mount *mount, void *userdata) {
        Mount *found = userdata;

        if (mount->id != found->id)
                return 0;
        *found = *mount;
        mount->line = NULL;
        return 1;
}

int mountinfo_find(const RootDir *root, int id, Mount *ret_mount) {
        Mount found = { .id = id };
        int r;

        r = mountinfo_each(root, "proc/self/mountinfo", take_if_id, &found);
        if (r <= 0)
                return r < 0 ? r : -ESTALE;
        *ret_mount = found;
        return 0;
}

static bool is_at_or_below(const char *path, const char *top) {
        size_t n = strlen(top);

        if (strcmp(top, "/") == 0)
                return true;
        return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool mount_overlaps(const Mount *a, const Mount *b) {
        return strcmp(a->device, b->device) == 0 &&
               (is_at_or_below(a->root, b->root) || is_at_or_below(b->root, a->root));
}
