/* SPDX-License-Identifier: MIT */
#include "lib/sources/run-program.h"
#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/sources/wait-read.h"

int program_read(
        char *const *argv,
        uint64_t wait_usec,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length,
        int *ret_status) {
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = { path, NULL };
        const ChildSpec spec = {
                .argv = argv,
                .environment = environment,
                /* A worker has a PID namespace of its own where the kernel has them
                 * (lib/feed/worker-process.h): there nothing escapes. */
                .alone = getpid() == 1,
        };
        uint64_t until_usec = clock_monotonic_usec() + wait_usec;
        size_t length = 0;
        Child child;
        int ended, r;

        r = child_start(&spec, &child);
        if (r < 0)
                return r;
        r = wait_read(child.fd, wait_usec, buffer, size, &length);

        /* Of one that had to be ended, what it wrote by now is what counts. */
        ended = child_end(&child, length == size ? 0 : until_usec, ret_status);
        if (ended == CHILD_E_FAILED)
                return PROGRAM_E_FAILED; /* it may have written half a thing */
        if (ended < 0)
                return ended;
        if (r < 0)
                return r;
        *ret_length = length;
        return 0;
}
