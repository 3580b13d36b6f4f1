/* SPDX-License-Identifier: MIT */
/*
 * Throughput of health_test() at the full claim, on good bytes, which is the path that every batch
 * takes. Prints one line for each batch size: bytes per batch, MB/s. The bytes come from a fixed
 * generator, so that two runs do the same work; --data writes them, for other tests to try.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/policy/health.h"

#define DATA_BYTES   (4U * 1024U * 1024U)
#define RUN_NSEC_MIN INT64_C(500000000)

static const size_t batch_sizes[] = { 64, 512, 4096 };

/* xorshift64*: good enough to pass, and the same everywhere. */
static void fill(uint8_t *data, size_t size) {
        uint64_t state = UINT64_C(0x853c49e6748fea9b);

        for (size_t i = 0; i < size; i++) {
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                data[i] = (uint8_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 56);
        }
}

static int64_t now_nsec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* All of the data once, in batches; false if a batch failed. */
static bool test_all(Health *health, const uint8_t *data, size_t batch_bytes) {
        for (size_t i = 0; i < DATA_BYTES; i += batch_bytes)
                if (health_test(health, data + i, batch_bytes) != HEALTH_PASS)
                        return false;
        return true;
}

static int measure(const uint8_t *data, size_t batch_bytes) {
        int64_t elapsed_nsec, start_nsec = now_nsec();
        double bytes = 0;
        Health health;

        do {
                /* Anew each time: the same data again would be a replay. */
                health_init(&health, 1024);
                if (!test_all(&health, data, batch_bytes)) {
                        fprintf(stderr,
                                "good bytes failed: %s\n",
                                health_test_to_string(health_failed_test(&health)));
                        return -1;
                }
                bytes += DATA_BYTES;
                elapsed_nsec = now_nsec() - start_nsec;
        } while (elapsed_nsec < RUN_NSEC_MIN);

        printf("%zu %.1f\n", batch_bytes, bytes * 1e3 / (double)elapsed_nsec);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_free_ uint8_t *data = malloc(DATA_BYTES);

        if (!data)
                return EXIT_FAILURE;

        fill(data, DATA_BYTES);
        if (argc == 2 && strcmp(argv[1], "--data") == 0)
                return fwrite(data, DATA_BYTES, 1, stdout) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;

        puts("# batch_bytes MB/s");
        for (size_t i = 0; i < ELEMENTSOF(batch_sizes); i++)
                if (measure(data, batch_sizes[i]) < 0)
                        return EXIT_FAILURE;
        return EXIT_SUCCESS;
}
