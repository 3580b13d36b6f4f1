/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "lib/feed/worker-user.h"

static void cleanup_file(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

void worker_user_find(const char *passwd, bool for_programs, uid_t *ret_uid, gid_t *ret_gid) {
        const char *name = for_programs ? WORKER_USER_PROGRAMS : WORKER_USER_READER;
        _cleanup_(cleanup_file) FILE *file = NULL;
        const struct passwd *entry;

        *ret_uid = for_programs ? WORKER_ID_PROGRAMS : WORKER_ID_READER;
        *ret_gid = *ret_uid;

        file = fopen(passwd, "re");
        if (!file)
                return;
        while ((entry = fgetpwent(file))) {
                if (strcmp(entry->pw_name, name) != 0)
                        continue;
                /* Root, as which nothing would be given up, is a mistake in that file. */
                if (entry->pw_uid != 0 && entry->pw_gid != 0) {
                        *ret_uid = entry->pw_uid;
                        *ret_gid = entry->pw_gid;
                }
                return;
        }
}
