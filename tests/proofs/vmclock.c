/* SPDX-License-Identifier: MIT */
#include "lib/kernel/vmclock.c"
#include "tests/proofs/proof.h"

static ssize_t n_given;

ssize_t pread(int fd, void *buffer, size_t size, off_t offset) {
        (void)fd;
        PROVE(offset == 0);
        n_given = nondet_read(buffer, size);
        return n_given;
}

/* A field as the specification of the page has it: little-endian, byte by byte. */
static uint64_t field(const uint8_t *page, size_t at, size_t size) {
        uint64_t value = 0;

        for (size_t i = 0; i < size; i++)
                value |= (uint64_t)page[at + i] << 8 * i;
        return value;
}

/*
 * Any page: only one with the magic and an even sequence number is taken, and as it is.
 *
 * bound: every page of 112 bytes
 * unwind: 9
 * mutant: lib/kernel/vmclock.c
 *   - if (read_le32(page) != VMCLOCK_MAGIC)
 *   + if (0)
 * mutant: lib/kernel/vmclock.c
 *   - if (read_le32(page + VMCLOCK_AT_SEQUENCE) & 1)
 *   + if (0)
 * mutant: lib/kernel/vmclock.c
 *   - #define VMCLOCK_AT_GENERATION 104U
 *   + #define VMCLOCK_AT_GENERATION 108U
 */
void prove_parse(void) {
        const uint8_t *page = nondet_bytes(VMCLOCK_ABI_BYTES);
        VmclockState state = { .generation = nondet_u64() };
        uint64_t before = state.generation;
        int r = vmclock_parse(page, &state);

        PROVE((r == -EBADMSG) == (field(page, 0, 4) != VMCLOCK_MAGIC));
        PROVE(r != 0 || field(page, 12, 4) % 2 == 0);
        if (r < 0) {
                PROVE(state.generation == before);
                return;
        }
        PROVE(state.generation == field(page, 104, 8));
        PROVE(state.disruption == field(page, 16, 8));
        PROVE(state.has_generation == ((field(page, 24, 8) >> 8 & 1) != 0));
}

/*
 * A device that gives anything: fewer bytes, an error.
 *
 * bound: every answer
 * unwind: 1
 * mutant: lib/kernel/vmclock.c
 *   - if ((size_t)n < sizeof(page))
 *   + if (n == 0)
 */
void prove_read(void) {
        VmclockState state;

        if (vmclock_read(nondet_int(), &state) == 0)
                PROVE(n_given == VMCLOCK_ABI_BYTES);
}
