/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/base/log.h"
#include "lib/feed/seed-mark.h"
#include "rngd/seed-marks.h"

/* src/shared/random-util.h of systemd */
#define SYSTEMD_MARK "user.random-seed-creditable"

/* Longer than any save or any run of the seeder holds the lock. */
#define LOCK_WAIT_SEC 60U

typedef enum Strip {
        STRIP_RENAME, /* the name is the mark */
        STRIP_XATTR,  /* an extended attribute of the file is */
        STRIP_REMOVE, /* there is none: the loader credits what it finds, and makes a new one later */
} Strip;

typedef struct Mark {
        Strip strip;
        const char *directory; /* below the root */
        const char *name;
        const char *unmarked; /* STRIP_RENAME: the name without the mark */
} Mark;

static const Mark marks[] = {
        { STRIP_RENAME, &SEED_STATE_DIRECTORY[1], SEED_MARKED_NAME, SEED_UNMARKED_NAME },
        { STRIP_RENAME, "var/lib/seedrng", "seed.credit", "seed.no-credit" },
        { STRIP_XATTR, "var/lib/systemd", "random-seed", NULL },
        { STRIP_REMOVE, "efi/loader", "random-seed", NULL },
        { STRIP_REMOVE, "boot/loader", "random-seed", NULL },
        { STRIP_REMOVE, "boot/efi/loader", "random-seed", NULL },
};

static int strip_xattr(int directory_fd, const char *name) {
        _cleanup_close_ int fd = -1;
        struct stat status;

        fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return negative_errno();
        if (!S_ISREG(status.st_mode))
                return -EBADMSG;
        if (fremovexattr(fd, SYSTEMD_MARK) < 0)
                return errno == ENODATA || errno == EOPNOTSUPP ? -ENOENT : negative_errno();
        return fsync(fd) < 0 ? negative_errno() : 0;
}

/* So that no power cut brings it back. -ENOENT: there was none. */
static int strip_one(int directory_fd, const Mark *mark) {
        int r = 0;

        switch (mark->strip) {
        case STRIP_RENAME:
                r = renameat(directory_fd, mark->name, directory_fd, mark->unmarked);
                break;
        case STRIP_REMOVE:
                r = unlinkat(directory_fd, mark->name, 0);
                break;
        case STRIP_XATTR:
        default:
                return strip_xattr(directory_fd, mark->name);
        }
        if (r < 0)
                return negative_errno();
        return fsync(directory_fd) < 0 ? negative_errno() : 0;
}

static void tell(const Mark *mark, int r) {
        if (r == 0)
                log_notice("VM fork: /%s/%s is not credited any more", mark->directory, mark->name);
        else if (r != -ENOENT)
                log_warning(
                        "VM fork: cannot take the credit of /%s/%s away: %s; remove it, or its next "
                        "boot credits what the other clones have, too",
                        mark->directory,
                        mark->name,
                        strerror(-r));
}

static void strip_in(int root_fd, const Mark *mark) {
        _cleanup_close_ int fd = -1;

        fd = openat(root_fd, mark->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
                if (errno != ENOENT && errno != ENOTDIR)
                        tell(mark, negative_errno());
                return;
        }
        tell(mark, strip_one(fd, mark));

        /* Who saves a seed just now drew it before the fork, and sets its mark afterwards. */
        if (mark->strip == STRIP_RENAME && flock(fd, LOCK_EX) == 0)
                tell(mark, strip_one(fd, mark));
}

static _Noreturn void strip_all(const char *root) {
        _cleanup_close_ int root_fd = -1;
        sigset_t none;

        (void)prctl(PR_SET_NAME, "rng-seed-marks", 0, 0, 0);
        for (int number = 1; number < NSIG; number++)
                (void)signal(number, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)alarm(LOCK_WAIT_SEC);

        root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(marks) && root_fd >= 0; i++)
                strip_in(root_fd, &marks[i]);
        _exit(EXIT_SUCCESS);
}

int seed_marks_strip(const char *root) {
        pid_t pid = fork();

        if (pid < 0)
                return negative_errno();
        if (pid == 0)
                strip_all(root);
        return 0;
}
