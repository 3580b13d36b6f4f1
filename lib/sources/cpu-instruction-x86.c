/* SPDX-License-Identifier: MIT */
#include <cpuid.h>
#include <stddef.h>

#include "lib/sources/cpu-instruction.h"

/*
 * Intel DRNG Software Implementation Guide 2.1, 5.2.5 and 5.2.6: RDSEED fails when it is asked
 * faster than it gathers, so wait a little; ten failures of RDRAND in a row are a broken CPU.
 */
#define RDSEED_TRIES 1000U
#define RDRAND_TRIES 10U

/*
 * The same guide, 4.2.5: RDRAND's generator is reseeded at the latest after 511 outputs of 128
 * bits; a mix of 512 such outputs (1024 words) spans a reseed and holds one seed of 128 bits.
 */
#define RDRAND_WORDS_PER_SEED 1024U

#ifdef __x86_64__
typedef unsigned long long Word;
#else
typedef unsigned int Word;
#endif

static bool rdseed_once(Word *ret_word) {
        unsigned char ok;

        __asm__ volatile("rdseed %0; setc %1" : "=r"(*ret_word), "=qm"(ok) : : "cc");
        if (!ok)
                __asm__ volatile("pause");
        return ok;
}

static bool rdrand_once(Word *ret_word) {
        unsigned char ok;

        __asm__ volatile("rdrand %0; setc %1" : "=r"(*ret_word), "=qm"(ok) : : "cc");
        return ok;
}

/* A 64-bit word from registers of either width. */
static bool read_wide(bool (*once)(Word *), uint64_t *ret_word) {
        uint64_t wide = 0;

        for (size_t bits = 0; bits < 64; bits += 8 * sizeof(Word)) {
                Word word;

                if (!once(&word))
                        return false;
                wide |= (uint64_t)word << bits;
        }
        *ret_word = wide;
        return true;
}

static bool read_rdseed(uint64_t *ret_word) {
        return read_wide(rdseed_once, ret_word);
}

static bool read_rdrand(uint64_t *ret_word) {
        return read_wide(rdrand_once, ret_word);
}

const CpuInstruction *cpu_instruction(void) {
        static const CpuInstruction rdseed = {
                .name = "RDSEED",
                .words_per_seed = 1,
                .read = read_rdseed,
                .tries = RDSEED_TRIES,
        };
        static const CpuInstruction rdrand = {
                .name = "RDRAND",
                .words_per_seed = RDRAND_WORDS_PER_SEED,
                .read = read_rdrand,
                .tries = RDRAND_TRIES,
        };
        unsigned int eax, ebx, ecx, edx;

        if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_RDSEED))
                return &rdseed;
        if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_RDRND))
                return &rdrand;
        return NULL;
}
