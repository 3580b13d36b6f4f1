/* SPDX-License-Identifier: MIT */
/* cpu-probe: prints the CPU's random number instruction, or "none", and two words of it. Exit
 * status 0 unless a read fails or gives one word twice. Linked with one cpu-instruction-*.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/sources/cpu-instruction.h"

int main(void) {
        const CpuInstruction *instruction = cpu_instruction();
        uint64_t first, second;

        if (!instruction) {
                puts("none");
                return EXIT_SUCCESS;
        }

        puts(instruction->name);
        if (!cpu_instruction_read(instruction, &first) ||
            !cpu_instruction_read(instruction, &second)) {
                fputs("no word from the instruction\n", stderr);
                return EXIT_FAILURE;
        }
        if (first == second || first == 0 || first == UINT64_MAX) {
                fprintf(stderr, "not random: %" PRIx64 ", %" PRIx64 "\n", first, second);
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
