/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/kernel/vmclock.h"

#define VMCLOCK_MAGIC           UINT32_C(0x4b4c4356)
#define VMCLOCK_FLAG_GENERATION (UINT64_C(1) << 8)
#define VMCLOCK_AT_SEQUENCE     12U
#define VMCLOCK_AT_DISRUPTION   16U
#define VMCLOCK_AT_FLAGS        24U
#define VMCLOCK_AT_GENERATION   104U

int vmclock_open(const RootDir *root, int *ret_fd) {
        int fd = rootdir_open_file(root, "dev/vmclock0", O_RDONLY | O_NONBLOCK);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

int vmclock_parse(const uint8_t page[static VMCLOCK_ABI_BYTES], VmclockState *ret_state) {
        if (read_le32(page) != VMCLOCK_MAGIC)
                return -EBADMSG;
        if (read_le32(page + VMCLOCK_AT_SEQUENCE) & 1)
                return -EAGAIN;

        *ret_state = (VmclockState){
                .has_generation = read_le64(page + VMCLOCK_AT_FLAGS) & VMCLOCK_FLAG_GENERATION,
                .generation = read_le64(page + VMCLOCK_AT_GENERATION),
                .disruption = read_le64(page + VMCLOCK_AT_DISRUPTION),
        };
        return 0;
}

int vmclock_read(int fd, VmclockState *ret_state) {
        uint8_t page[VMCLOCK_ABI_BYTES];
        ssize_t n;

        n = pread(fd, page, sizeof(page), 0);
        if (n < 0)
                return negative_errno();
        if ((size_t)n < sizeof(page))
                return -EBADMSG;
        return vmclock_parse(page, ret_state);
}

bool vmclock_is_fork(const VmclockState *before, const VmclockState *now) {
        /* Without the counter a disruption may be a migration, which copies nothing. */
        return now->has_generation && before->has_generation &&
               now->generation != before->generation;
}
