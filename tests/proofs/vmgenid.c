/* SPDX-License-Identifier: MIT */
#include "lib/kernel/vmgenid.c"
#include "tests/proofs/proof.h"

static ssize_t n_given;

ssize_t pread(int fd, void *buffer, size_t size, off_t offset) {
        (void)fd;
        PROVE(offset == GUID_OFFSET);
        n_given = nondet_read(buffer, size);
        return n_given;
}

/*
 * A device that gives anything: fewer bytes, an error.
 *
 * bound: every answer
 * unwind: 1
 * mutant: lib/kernel/vmgenid.c
 *   - if ((size_t)n < sizeof(vmgenid.guid))
 *   + if (n == 0)
 * mutant: lib/kernel/vmgenid.c
 *   - n = pread(fd, vmgenid.guid, sizeof(vmgenid.guid), GUID_OFFSET);
 *   + n = pread(fd, vmgenid.guid, GUID_OFFSET, GUID_OFFSET);
 */
void prove_read(void) {
        Vmgenid before = { .guid[0] = nondet_u8() }, vmgenid = before;
        int r = vmgenid_read(nondet_int(), &vmgenid);

        PROVE(r <= 0);
        if (r == 0)
                PROVE(n_given == VMGENID_BYTES);
        else
                PROVE(vmgenid.guid[0] == before.guid[0]);
}
