/* SPDX-License-Identifier: MIT */
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "lib/base/parse.h"
#include "lib/config/values.h"

char **values_free_command(char **argv) {
        for (size_t i = 0; argv && argv[i]; i++)
                free(argv[i]);
        free(argv);
        return NULL;
}

static const struct passwd *find_user(const char *name) {
        uint32_t uid;

        if (parse_u32(name, 0, UINT32_MAX - 1, &uid) == 0)
                return getpwuid(uid);
        return getpwnam(name);
}

static const struct group *find_group(const char *name) {
        uint32_t gid;

        if (parse_u32(name, 0, UINT32_MAX - 1, &gid) == 0)
                return getgrgid(gid);
        return getgrnam(name);
}

int values_parse_user(const char *text, UserIds *ret_user) {
        _cleanup_free_ char *name = NULL;
        const struct passwd *user;
        const struct group *group;
        UserIds ids;
        char *colon;

        name = strdup(text);
        if (!name)
                return -ENOMEM;
        colon = strchr(name, ':');
        if (colon)
                *colon = '\0';

        user = find_user(name);
        if (!user)
                return -EINVAL;
        ids = (UserIds){ user->pw_uid, user->pw_gid };

        if (colon) {
                group = find_group(colon + 1);
                if (!group)
                        return -EINVAL;
                ids.gid = group->gr_gid;
        }

        *ret_user = ids;
        return 0;
}

int values_parse_timeout(const char *text, uint64_t *ret_usec) {
        uint64_t usec;
        int r;

        r = parse_usec(text, VALUES_MAX_TIMEOUT_USEC, &usec);
        if (r < 0)
                return r;
        if (usec < VALUES_MIN_TIMEOUT_USEC)
                return -ERANGE;

        *ret_usec = usec;
        return 0;
}

/* Copies the next word to *ret_word and moves *text behind it; NULL at the end of the text. */
static int take_word(const char **text, char **ret_word) {
        const char *p = *text + strspn(*text, " \t");
        _cleanup_free_ char *word = NULL;
        size_t n = 0;
        char quote = '\0';

        if (*p == '\0') {
                *ret_word = NULL;
                return 0;
        }

        word = malloc(strlen(p) + 1);
        if (!word)
                return -ENOMEM;

        for (; *p && (quote || !strchr(" \t", *p)); p++) {
                if (quote && *p == quote)
                        quote = '\0';
                else if (!quote && (*p == '"' || *p == '\''))
                        quote = *p;
                else
                        word[n++] = *p;
        }
        if (quote)
                return -EINVAL;

        word[n] = '\0';
        *text = p;
        *ret_word = TAKE_PTR(word);
        return 0;
}

int values_set_command(char ***target, const char *text) {
        char **argv;
        int r = 0;

        argv = calloc(VALUES_MAX_COMMAND_WORDS + 1, sizeof(*argv));
        if (!argv)
                return -ENOMEM;

        for (size_t n = 0; n < VALUES_MAX_COMMAND_WORDS; n++) {
                r = take_word(&text, &argv[n]);
                if (r < 0 || !argv[n])
                        break;
        }
        if (r == 0 && (text[strspn(text, " \t")] != '\0' || !argv[0] || argv[0][0] != '/'))
                r = -EINVAL;
        if (r < 0) {
                values_free_command(argv);
                return r;
        }

        values_free_command(*target);
        *target = argv;
        return 0;
}

int values_set_string(char **target, const char *value) {
        char *copy;

        copy = strdup(value);
        if (!copy)
                return -ENOMEM;

        free(*target);
        *target = copy;
        return 0;
}
