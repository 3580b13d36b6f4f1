/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/kernel/command-line.h"
#include "lib/kernel/pseudofs.h"

#define MAX_BYTES (1U << 20)

static int open_file(const RootDir *root) {
        _cleanup_(rootdir_close) RootDir proc = ROOTDIR_NULL;
        int fd, r;

        fd = rootdir_open_file(root, "proc/cmdline", O_RDONLY);
        if (fd != -ENOENT)
                return fd;
        r = pseudofs_open("proc", &proc.fd);
        return r < 0 ? r : rootdir_open_file(&proc, "cmdline", O_RDONLY);
}

int kernel_command_line_read(const RootDir *root, char **ret_text) {
        _cleanup_close_ int fd = open_file(root);
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r;

        if (fd < 0)
                return fd;
        r = io_read_all(fd, MAX_BYTES, &text, &length);
        if (r < 0)
                return r;
        if (memchr(text, '\0', length))
                return -EBADMSG;
        *ret_text = TAKE_PTR(text);
        return 0;
}

static bool is_quote(char character) {
        return character == '"' || character == '\'' || character == '\\';
}

/* Whether text begins with a name and a colon, wherever quotes are in it. */
static bool begins_with_name(const char *text, const char *name) {
        for (; *name; text++) {
                if (is_quote(*text))
                        continue;
                if (*text != *name)
                        return false;
                name++;
        }
        while (is_quote(*text))
                text++;
        return *text == ':';
}

bool kernel_command_line_sets_credential(const char *text, const char *name) {
        for (; *text; text++)
                if (begins_with_name(text, name))
                        return true;
        return false;
}
