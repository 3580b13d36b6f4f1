/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/lifetimes/chance.h"
#include "tests/lifetimes/sim-kernel.h"

#define COUNTING_POOL_BITS  4096U
#define COUNTING_READY_BITS 128U
#define KEY_BITS            256U

void kernel_boot(Kernel *kernel, bool counting, uint64_t luck) {
        *kernel = (Kernel){ .counting = counting, .boottime_usec = 500000 };
        for (size_t i = 0; i < 4; i++) {
                /* Guessable, as at an early boot; but no two boots are the same. */
                kernel->pool[i] = chance_mix(luck + i);
                kernel->crng[i] = chance_mix(~luck - i);
        }
        kernel->boot_id[0] = chance_mix(luck ^ 1);
        kernel->boot_id[1] = chance_mix(luck ^ 2);
}

void kernel_mix(Kernel *kernel, const uint8_t *bytes, size_t n) {
        for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
                uint64_t word = 0, *lane = &kernel->pool[at / sizeof(word) % 4];

                memcpy(&word, bytes + at, n - at < sizeof(word) ? n - at : sizeof(word));
                *lane = chance_mix(*lane ^ word);
        }
        kernel->pool[0] = chance_mix(kernel->pool[0] ^ n);
}

void kernel_reseed(Kernel *kernel) {
        for (size_t i = 0; i < 4; i++)
                for (size_t j = 0; j < 4; j++)
                        kernel->crng[i] = chance_mix(kernel->crng[i] ^ kernel->pool[j]);
}

static void take_key(Kernel *kernel) {
        kernel->level_bits -= kernel->level_bits < KEY_BITS ? kernel->level_bits : KEY_BITS;
        kernel_reseed(kernel);
}

void kernel_log(Kernel *kernel, KernelLine line) {
        kernel->lines[kernel->n_lines % KERNEL_LINES_MAX] = line;
        kernel->line_usec[kernel->n_lines % KERNEL_LINES_MAX] =
                kernel->boottime_usec - kernel->suspended_usec;
        kernel->n_lines++;
}

static void become_ready(Kernel *kernel) {
        kernel->ready = true;
        kernel_log(kernel, KERNEL_LINE_READY);
}

/* Linux 3.13 to 5.17: each credit takes the pool three quarters of its way nearer to full. */
static void credit_counting(Kernel *kernel, uint32_t bits) {
        while (bits > 0) {
                uint32_t chunk = bits < COUNTING_POOL_BITS / 2 ? bits : COUNTING_POOL_BITS / 2;

                kernel->level_bits += (COUNTING_POOL_BITS - kernel->level_bits) * chunk * 3 /
                                      (4 * COUNTING_POOL_BITS);
                bits -= chunk;
        }
        if (!kernel->ready && kernel->level_bits >= COUNTING_READY_BITS) {
                take_key(kernel);
                become_ready(kernel);
        }
}

void kernel_credit(Kernel *kernel, uint32_t bits) {
        if (kernel->counting) {
                credit_counting(kernel, bits);
                return;
        }
        if (kernel->ready)
                return;
        kernel->level_bits += bits < KEY_BITS ? bits : KEY_BITS;
        if (kernel->level_bits < KEY_BITS)
                return;
        kernel->level_bits = KEY_BITS;
        kernel_reseed(kernel);
        become_ready(kernel);
}

void kernel_draw(Kernel *kernel, uint8_t *bytes, size_t n) {
        Chance stream = { .state = 0 };

        for (size_t i = 0; i < 4; i++)
                stream.state = chance_mix(stream.state ^ kernel->crng[i]);
        stream.state = chance_mix(stream.state ^ kernel->draws++);
        chance_bytes(&stream, bytes, n);
}

void kernel_fork(Kernel *kernel, const uint64_t generation[static 2]) {
        kernel_mix(kernel, (const uint8_t *)generation, 2 * sizeof(generation[0]));
        if (kernel->ready)
                kernel_reseed(kernel);
        kernel->forked = true;
        kernel_log(kernel, KERNEL_LINE_FORK);
}
