/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "monitor/options.h"
#include "monitor/sample/finish.h"
#include "monitor/sample/sampler.h"
#include "monitor/sample/systemd.h"

#define WAIT_MSEC     30000
#define WAIT_MAX_USEC (600 * USEC_PER_SEC)

/* The process that listens on the sampler's name. It must be root's, since any user may take a
 * name. */
static int find_sampler(pid_t *ret_pid) {
        const struct sockaddr_un address = {
                .sun_family = AF_UNIX,
                .sun_path = FINISH_SOCKET_NAME,
        };
        struct ucred peer;
        socklen_t size = sizeof(peer);
        _cleanup_close_ int fd = -1;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return negative_errno();
        if (connect(fd, (const struct sockaddr *)&address, FINISH_SOCKET_SIZE) < 0)
                return errno == ECONNREFUSED ? -ESRCH : negative_errno();
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return negative_errno();
        if (peer.uid != 0 || peer.pid <= 1)
                return -EPERM;
        *ret_pid = peer.pid;
        return 0;
}

/* When systemd finished; 0 if unknown, which means now. */
static uint64_t end_of_boot(uint64_t wait_usec) {
        uint64_t usec;
        int r;

        r = systemd_finished_usec(wait_usec, &usec);
        if (r >= 0)
                return usec;
        if (r == -EAGAIN && wait_usec > 0)
                log_notice("systemd is not finished yet, ending the recording all the same");
        else if (r != -EAGAIN && r != -ENOENT)
                (void)log_errno(LOG_NOTICE, r, "Cannot ask systemd when it was finished");
        return 0;
}

static int ask_and_wait(pid_t pid, uint64_t finished_usec) {
        const union sigval value = { .sival_ptr = sampler_signal_value(finished_usec) };
        struct pollfd entry = { .events = POLLIN };
        _cleanup_close_ int fd = -1;
        int n;

        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (sigqueue(pid, SIGTERM, value) < 0)
                return negative_errno();
        /* Before Linux 5.3 there is no pidfd to wait on. The recording is written all the same. */
        if (fd < 0)
                return 0;
        entry.fd = fd;
        n = poll(&entry, 1, WAIT_MSEC);
        return n < 0 ? negative_errno() : n == 0 ? -ETIMEDOUT : 0;
}

typedef struct Options {
        uint64_t wait_usec;
} Options;

static const Setting rows[] = {
        { "-w, --wait=TIME",
          "wait so long for systemd to finish the boot (0)",
          SETTING_AT(USEC, Options, wait_usec),
          SETTING_RANGE(0, WAIT_MAX_USEC) },
        OPTIONS_HELP,
};

int finish_main(int argc, char *argv[]) {
        const ConfigOptions table = { rows, ELEMENTSOF(rows) };
        Options options = {};
        pid_t pid;
        int r;

        if (!options_read(&table, "finish [OPTION...]", argc, argv, &options, &r))
                return r;
        r = find_sampler(&pid);
        if (r == -ESRCH) {
                log_notice("No recording is under way");
                return EX_UNAVAILABLE;
        }
        if (r >= 0)
                r = ask_and_wait(pid, end_of_boot(options.wait_usec));
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot end the sampler");
                return r == -EPERM ? EX_NOPERM : EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
