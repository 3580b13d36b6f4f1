/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/secret.h"
#include "lib/sources/cpu-instruction.h"
#include "lib/sources/source-list.h"

/* The seed that one hash over words_per_seed words stands for. */
#define SEED_BYTES 16U

/*
 * A stuck CPU answers all zeroes or all ones and calls it success (AMD family 17h, model 30h,
 * after suspend). A good one says either once in 2^63 words: refuse them.
 */
static bool is_stuck(uint64_t word) {
        return word == 0 || word == UINT64_MAX;
}

static int read_word(const CpuInstruction *instruction, uint64_t *ret_word) {
        uint64_t word;

        if (!cpu_instruction_read(instruction, &word))
                return -EAGAIN;
        if (is_stuck(word))
                return -EIO;
        *ret_word = word;
        return 0;
}

/* Each word is a seed of its own. */
static int read_seeds(const CpuInstruction *instruction, uint8_t *buffer, size_t size) {
        uint64_t word = 0;
        int r = 0;

        for (size_t at = 0; at < size; at += sizeof(word)) {
                r = read_word(instruction, &word);
                if (r < 0)
                        break;
                memcpy(buffer + at, &word, MIN(sizeof(word), size - at));
        }
        explicit_bzero(&word, sizeof(word));
        return r;
}

/* Words of a generator: many of them are hashed to one seed. */
static int read_hashed(
        const CpuInstruction *instruction,
        Secret *words,
        uint8_t *buffer,
        size_t size) {
        uint8_t digest[HASH_SHA512_BYTES];
        HashPart part = { .bytes = words->bytes, .length = words->size_bytes };
        int r = 0;

        for (size_t at = 0; at < size; at += SEED_BYTES) {
                r = read_seeds(instruction, words->bytes, words->size_bytes);
                if (r < 0)
                        break;
                r = hash_sha512("guest-entropy cpu seed v1", &part, 1, digest);
                if (r < 0)
                        break;
                memcpy(buffer + at, digest, MIN(SEED_BYTES, size - at));
        }
        explicit_bzero(digest, sizeof(digest));
        return r;
}

static int cpu_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        const CpuInstruction *instruction = cpu_instruction();

        source_set_detail(probe, "%s", instruction ? instruction->name : "no instruction");
        return instruction ? 0 : -ENODEV;
}

static int cpu_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        const CpuInstruction *instruction = cpu_instruction();
        _cleanup_secret_ Secret *words = NULL;
        int r;

        if (!instruction)
                return -ENODEV;

        if (instruction->words_per_seed > 1) {
                r = secret_new(instruction->words_per_seed * sizeof(uint64_t), &words);
                if (r < 0)
                        return r;
                r = read_hashed(instruction, words, buffer, size);
        } else
                r = read_seeds(instruction, buffer, size);
        if (r < 0)
                return r;

        *ret_length = size;
        return 0;
}

const SourceOps source_cpu = {
        .name = "cpu",
        .source_class = SOURCE_CLASS_CPU,
        .probe = cpu_probe,
        .read = cpu_read,
};
