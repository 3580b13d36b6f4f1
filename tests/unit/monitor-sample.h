/* SPDX-License-Identifier: MIT */
#pragma once

/* A small recording of a counting kernel, for the tests to change a word of. */

#define SAMPLE_RNG                                                                            \
        "\"rng\": {\"pool_bits\": 4096, \"threshold_bits\": 896, \"ready_at_start\": false, " \
        "\"ready_usec\": 2000000, \"hwrng\": null}"
#define SAMPLE_SAMPLES                                                             \
        "\"samples\": {\"interval_usec\": 10000, \"taken\": 5, \"thinnings\": 0, " \
        "\"at_usec\": [1000000,2000000,3000000,4000000,5000000], "                 \
        "\"minimum_bits\": [10,1000,500,500,1500], "                               \
        "\"maximum_bits\": [10,1000,500,500,1500]}"
#define SAMPLE_STARTS                                                      \
        "\"starts\": {\"from_usec\": 1000000, \"interval_usec\": 500000, " \
        "\"source\": \"connector\", \"execs\": [1,0,9,9,0,0,0,0], \"forks\": [1,1,1,1,1,1,1,1]}"
#define SAMPLE_BLOCKED                                                                          \
        "\"blocked\": [{\"pid\": 5, \"tid\": 5, \"from_usec\": 1500000, \"to_usec\": 2000000, " \
        "\"jitter\": true, \"open\": false, \"name\": \"<ssh&d>\"}]"
#define SAMPLE_EVENTS                                                                \
        "\"events\": [{\"at_usec\": 2000000, \"kind\": \"ready\", \"text\": \"\"}, " \
        "{\"at_usec\": 900000, \"kind\": \"init-started\", \"text\": \"/init\"}, "   \
        "{\"at_usec\": 1200000, \"kind\": \"from-the-future\", \"text\": \"?\"}, "   \
        "{\"at_usec\": 1600000, \"kind\": \"uninitialized-read\", \"text\": \"</script>\"}]"
#define SAMPLE_HEAD                                                                         \
        "\"format\": \"guest-entropy-recording\", \"version\": 1, \"program\": \"0.1.0\", " \
        "\"kernel\": \"5.10\", \"machine\": \"um\", \"boot_id\": \"b\", "                   \
        "\"first_process\": true, \"end\": \"boot\", \"started_usec\": 1000000, "           \
        "\"ended_usec\": 5000000"
#define SAMPLE_MONITOR                                                             \
        "\"monitor\": {\"cpu_usec\": 1, \"page_faults\": 0, \"memory_bytes\": 1, " \
        "\"log\": \"whole\", "                                                     \
        "\"lost\": {\"events\": 0, \"blocked\": 0, \"starts\": 0}}"
#define SAMPLE_WITH(rng, samples, starts, blocked, events, reports)                \
        "{" SAMPLE_HEAD ", " rng ", " samples ", " starts ", " blocked ", " events \
        ", \"reports\": {" reports "}, " SAMPLE_MONITOR "}"
#define SAMPLE \
        SAMPLE_WITH(SAMPLE_RNG, SAMPLE_SAMPLES, SAMPLE_STARTS, SAMPLE_BLOCKED, SAMPLE_EVENTS, "")
