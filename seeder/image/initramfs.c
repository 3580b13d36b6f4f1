/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/feed/worker-user.h"
#include "lib/kernel/clock.h"
#include "lib/sources/wait-read.h"
#include "seeder/image/initramfs.h"
#include "seeder/image/text.h"

/* Of linux/mount.h, which glibc 2.36's sys/mount.h does not get along with. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE   1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif

#define NAME           "/initramfs"
#define PASSWD         "/etc/passwd"
#define COPY_MAX_BYTES ((off_t)1 << 29)
#define LINE_MAX_LEN   2048U
#define END_USEC       (2 * USEC_PER_SEC)

typedef struct Listing {
        char line[LINE_MAX_LEN];
        size_t length;
        uint64_t total_bytes;
        unsigned bits;
} Listing;

static void end_line(Listing *listing) {
        listing->bits |= image_text_listing_line(listing->line, listing->length);
        listing->length = 0;
}

/* Of a line that is longer than any path, the end is dropped. */
static void take_output(Listing *listing, const char *bytes, size_t n) {
        listing->total_bytes += n;
        for (size_t i = 0; i < n; i++)
                if (bytes[i] == '\n')
                        end_line(listing);
                else if (listing->length < sizeof(listing->line))
                        listing->line[listing->length++] = bytes[i];
}

static int set_limits(void) {
        static const struct {
                __rlimit_resource_t resource;
                rlim_t limit;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_CPU, INITRAMFS_TIMEOUT_USEC / USEC_PER_SEC },
                /* lsinitramfs unpacks into its temporary directory what stands after the microcode. */
                { RLIMIT_FSIZE, (rlim_t)1 << 30 },
                { RLIMIT_AS, (rlim_t)2 << 30 },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const struct rlimit limit = { limits[i].limit, limits[i].limit };

                if (setrlimit(limits[i].resource, &limit) < 0)
                        return negative_errno();
        }
        return 0;
}

/* CAP_DAC_READ_SEARCH alone, kept over exec: an initramfs may be readable by root only. */
static int keep_reading(void) {
        const unsigned bit = 1U << CAP_DAC_READ_SEARCH;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        data[0].effective = data[0].permitted = data[0].inheritable = bit;
        if (syscall(SYS_capset, &header, data) < 0)
                return negative_errno();
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) < 0)
                return negative_errno();
        return 0;
}

static int drop_root(void) {
        uid_t uid;
        gid_t gid;

        /* Not all kernels have them, and what follows does not rest on them. */
        (void)unshare(CLONE_NEWNET);
        (void)unshare(CLONE_NEWIPC);

        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return negative_errno();
        worker_user_find(PASSWD, true, &uid, &gid);
        if (setresgid(gid, gid, gid) < 0)
                /* In a user namespace without such a user (mkosi's), root is an ordinary user. */
                return errno == EINVAL ? 0 : negative_errno();
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return negative_errno();
        if (setresuid(uid, uid, uid) < 0)
                return errno == EINVAL ? 0 : negative_errno();

        /* Without the capability, a file that others may read is still read. */
        (void)keep_reading();
        return 0;
}

/*
 * gzip, xz and zstd refuse symbolic links, and so the names in /proc/self/fd. In a mount namespace
 * of its own the tool gets the very file at a name, without a copy. The clone comes first: after
 * unshare() the file's mount is in another namespace, of which nothing may be bound.
 */
static int mount_at(int initramfs_fd, const char *path) {
        _cleanup_close_ int mount_fd = -1;

        mount_fd = (int)syscall(
                SYS_open_tree,
                initramfs_fd,
                "",
                AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (mount_fd < 0)
                return negative_errno();
        if (unshare(CLONE_NEWNS) < 0)
                return negative_errno();
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return negative_errno();
        if (syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return negative_errno();
        return 0;
}

/* For those who may not mount: an ordinary user. The place was made by prepare_directory(). */
static int copy_to(int initramfs_fd, const char *path) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        off_t offset = 0;
        ssize_t n;

        if (fd < 0)
                return negative_errno();
        do {
                n = sendfile(fd, initramfs_fd, &offset, 1 << 20);
        } while (n > 0 && offset < COPY_MAX_BYTES);
        return n < 0 ? negative_errno() : n > 0 ? -EFBIG : 0;
}

typedef struct Tool {
        const char *directory; /* that it may write to */
        char file[64];         /* the initramfs, as it sees it */
        int initramfs_fd;
} Tool;

static int prepare(void *userdata) {
        const Tool *tool = userdata;
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (mount_at(tool->initramfs_fd, tool->file) < 0 &&
            copy_to(tool->initramfs_fd, tool->file) < 0)
                return -EIO;
        /* dup2() clears close-on-exec. */
        if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDERR_FILENO) < 0)
                return -EIO;
        if ((geteuid() == 0 && drop_root() < 0) || set_limits() < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || chdir(tool->directory) < 0)
                return -EIO;
        (void)signal(SIGPIPE, SIG_DFL);
        return 0;
}

static int start_tool(const char *path, Tool *tool, Child *ret_child) {
        char variable[64], path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        char *const argv[] = { (char *)path, tool->file, NULL };
        char *const environment[] = { path_variable, (char[]){ "LC_ALL=C" }, variable, NULL };
        const ChildSpec spec = {
                .argv = argv,
                .environment = environment,
                .prepare = prepare,
                .userdata = tool,
        };

        (void)snprintf(variable, sizeof(variable), "TMPDIR=%s", tool->directory);
        return child_start(&spec, ret_child);
}

/* 0 at the end of the output. */
static int read_output(int fd, uint64_t until_usec, Listing *listing) {
        uint8_t buffer[4096];

        while (listing->total_bytes <= INITRAMFS_MAX_OUTPUT_BYTES) {
                uint64_t now_usec = clock_monotonic_usec();
                size_t n;
                int r;

                r = wait_read(fd, MAX(until_usec, now_usec) - now_usec, buffer, sizeof(buffer), &n);
                if (r == -ENODATA)
                        return 0;
                if (r < 0)
                        return r == -ETIMEDOUT ? INITRAMFS_E_TIMEOUT : r;
                take_output(listing, (const char *)buffer, n);
        }
        return INITRAMFS_E_TIMEOUT;
}

static int list_in(
        const char *path,
        int initramfs_fd,
        const char *directory,
        uint64_t timeout_usec,
        Listing *listing) {
        Tool tool = { .directory = directory, .initramfs_fd = initramfs_fd };
        int status, r, ended;
        Child child;

        (void)snprintf(tool.file, sizeof(tool.file), "%s" NAME, directory);
        r = start_tool(path, &tool, &child);
        if (r < 0)
                return r;
        r = read_output(child.fd, clock_monotonic_usec() + timeout_usec, listing);
        end_line(listing);

        /* A tool that closed its output has nothing left to do but to say how it went. */
        ended = child_end(&child, r == 0 ? clock_monotonic_usec() + END_USEC : 0, &status);
        if (r != 0)
                return r;
        return ended == 0 ? 0 : INITRAMFS_E_FAILED;
}

/* What a tool that was ended left behind: files, and one level of directories with files in them. */
static void empty_directory(int directory_fd, unsigned depth) {
        DIR *directory = fdopendir(directory_fd);
        struct dirent *entry;

        if (!directory) {
                cleanup_close(&directory_fd);
                return;
        }
        while ((entry = readdir(directory))) {
                const char *name = entry->d_name;
                int fd;

                if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                        continue;
                if (unlinkat(dirfd(directory), name, 0) >= 0 || depth == 0)
                        continue;
                fd =
                        openat(dirfd(directory),
                               name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd >= 0)
                        empty_directory(fd, depth - 1);
                (void)unlinkat(dirfd(directory), name, AT_REMOVEDIR);
        }
        (void)closedir(directory);
}

/* The place for the mount, and a directory that the tool may write to. */
static int prepare_directory(const char *path) {
        _cleanup_close_ int fd = -1;
        char file[64];
        uid_t uid;
        gid_t gid;

        (void)snprintf(file, sizeof(file), "%s" NAME, path);
        fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return negative_errno();
        /* Fails in a user namespace without such a user: then the tool stays who we are. */
        worker_user_find(PASSWD, true, &uid, &gid);
        if (geteuid() == 0 && chown(path, uid, gid) < 0 && errno != EINVAL)
                return negative_errno();
        return 0;
}

static void remove_directory(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0)
                empty_directory(fd, 4);
        (void)rmdir(path);
}

int initramfs_list_with(
        const char *tool,
        int initramfs_fd,
        uint64_t timeout_usec,
        unsigned *ret_bits) {
        char directory[] = "/tmp/entropy-seeder-image.XXXXXX";
        Listing listing = {};
        int r;

        if (access(tool, X_OK) < 0)
                return INITRAMFS_E_NO_TOOL;
        if (!mkdtemp(directory))
                return negative_errno();
        r = prepare_directory(directory);
        if (r >= 0)
                r = list_in(tool, initramfs_fd, directory, timeout_usec, &listing);
        remove_directory(directory);
        if (r < 0)
                return r;
        /* A tool that finds no archive it knows may well be content. */
        if (r == 0 && !(listing.bits & IMAGE_LISTING_NAMES))
                r = INITRAMFS_E_FAILED;
        *ret_bits = listing.bits;
        return r;
}

int initramfs_list(int initramfs_fd, unsigned *ret_bits) {
        /* Fixed places: PATH is the caller's, and may lead into the tree. */
        static const char *const tools[] = {
                "/usr/bin/lsinitramfs",
                "/usr/bin/lsinitrd",
                "/usr/sbin/lsinitrd",
                "/sbin/lsinitrd",
        };
        int result = INITRAMFS_E_NO_TOOL;
        unsigned all_bits = 0;

        for (size_t i = 0; i < ELEMENTSOF(tools); i++) {
                unsigned bits = 0;
                int r;

                r = initramfs_list_with(tools[i], initramfs_fd, INITRAMFS_TIMEOUT_USEC, &bits);
                if (r < 0)
                        return r;
                if (r == INITRAMFS_E_NO_TOOL)
                        continue;
                all_bits |= bits;
                result = r;
                if (r == 0)
                        break;
        }
        *ret_bits = all_bits;
        return result;
}
