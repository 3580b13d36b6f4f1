/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/kernel/command-line.h"
#include "lib/kernel/kmsg.h"
#include "lib/kernel/random.h"
#include "monitor/documents.h"
#include "monitor/show/analysis.h"
#include "monitor/status/status-facts.h"

#define LOG_RECORDS_MAX 1000000U
#define BOOT_RECORDING  "/run/guest-entropy/boot.json"
#define RNG_CURRENT     "sys/class/misc/hw_random/rng_current"
#define RNG_QUALITY     "sys/class/misc/hw_random/rng_quality"

static void ask_kernel(const RootDir *root, SeededFacts *facts) {
        /* Exact on every kernel, and does not wait. */
        const int works = random_getrandom_works();

        facts->ready_known = works >= 0;
        facts->ready = works > 0;
        (void)!random_pool_bits(root, &facts->pool_bits);
        (void)!random_threshold_bits(root, &facts->threshold_bits);
        facts->level_known = rootdir_read_u32(
                                     root,
                                     "proc/sys/kernel/random/entropy_avail",
                                     &facts->level_bits) >= 0;
        facts->model = refill_guess_model(facts->pool_bits, 0, 0);
}

static void read_log(const RootDir *root, SeededFacts *facts) {
        _cleanup_close_ int fd = -1;
        KmsgRecord record;
        bool first = true;
        int r;

        if (kmsg_open(root, &fd) < 0) {
                fd = -1;
                return;
        }
        for (unsigned int i = 0; i < LOG_RECORDS_MAX; i++) {
                r = kmsg_read(fd, &record);
                if (r == KMSG_E_END || (r < 0 && r != -EBADMSG))
                        return;
                if (first || r != 0)
                        facts->log_known = first && r == 0 && record.sequence == 0;
                first = false;
                if (r != 0)
                        continue;
                if (record.event == KMSG_EVENT_RNG_READY && facts->log_ready_usec == 0) {
                        /* The very first lines may have the time 0. */
                        facts->log_ready_usec = MAX(record.at_usec, UINT64_C(1));
                        facts->log_trusted = strstr(record.detail, "trusting") != NULL;
                }
                if (record.event == KMSG_EVENT_INIT_STARTED && facts->log_init_usec == 0)
                        facts->log_init_usec = record.at_usec;
        }
}

static void ask_hwrng(const RootDir *root, SeededFacts *facts) {
        uint32_t quality;

        if (rootdir_read_text(root, RNG_CURRENT, facts->hwrng, sizeof(facts->hwrng)) < 0 ||
            strcmp(facts->hwrng, "none") == 0)
                facts->hwrng[0] = '\0';
        /* Before 5.19 the kernel does not say; virtio-rng had 1000 of 1024 then. */
        if (rootdir_read_u32(root, RNG_QUALITY, &quality) >= 0)
                facts->hwrng_credited = quality > 0;
        else
                facts->hwrng_credited = strncmp(facts->hwrng, "virtio_rng", 10) == 0;
}

static bool has_word(const char *text, const char *word) {
        size_t n = strlen(word);

        for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
                if ((p == text || strchr(" \t\n:", p[-1])) && (!p[n] || strchr(" \t\n", p[n])))
                        return true;
        return false;
}

static void ask_cpu(const RootDir *root, SeededFacts *facts) {
        static const char *const words[] = { "rdrand", "rdseed", "rng", "darn" };
        static const char *const refusals[] = { "random.trust_cpu=off",
                                                "random.trust_cpu=0",
                                                "random.trust_cpu=n",
                                                "nordrand" };
        _cleanup_free_ char *line = NULL;
        _cleanup_close_ int fd = -1;
        char text[6144] = "";
        size_t length = 0;

        /* The first processor's flags are in its first lines. */
        fd = rootdir_open_file(root, "proc/cpuinfo", O_RDONLY);
        if (fd < 0 || io_read_full(fd, text, sizeof(text) - 1, &length) < 0)
                return;
        text[length] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                facts->cpu_trusted |= has_word(text, words[i]);
        if (kernel_command_line_read(root, &line) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                facts->cpu_trusted &= !has_word(line, refusals[i]);
}

/* The bits of all sources, and the name of the one with the most if that is more than *most. */
static uint64_t credited_bits(Json *document, uint64_t *most, char *source, size_t size) {
        uint64_t sum = 0;
        Json *list;
        size_t n = json_array(document, "sources", &list);

        for (size_t i = 0; i < n; i++) {
                const Json *entry = json_object_array_get_idx(list, i);
                const uint64_t bits = json_number(entry, "credited_bits");
                const char *name = json_string(entry, "name");

                sum += MIN(bits, UINT64_MAX - sum);
                if (bits > *most && name) {
                        *most = bits;
                        (void)snprintf(source, size, "%s", name);
                        text_make_plain(source);
                }
        }
        return sum;
}

static void ask_rngd(const char *directory, SeededFacts *facts) {
        _cleanup_json_ Json *document = NULL;
        uint64_t most = 0;
        _cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        /* rngd creates this file at its start and never removes it. */
        facts->rngd_ran = fd >= 0 && faccessat(fd, "generation", F_OK, 0) >= 0;
        if (document_read(directory, DOCUMENT_RNGD, &document) < 0)
                return;
        facts->rngd_answers = true;
        facts->rngd_bits =
                credited_bits(document, &most, facts->rngd_source, sizeof(facts->rngd_source));
        facts->forks = json_number(document, "forks");
        facts->rngd_since_usec =
                json_number(json_object_object_get(document, "kernel"), "ready_since_usec");
        facts->last_feed_usec =
                json_number(json_object_object_get(document, "last_feed"), "at_usec");
}

/* The bits of all runs, and the source with the most of them in one run. */
static void read_seeder(const char *directory, SeededFacts *facts) {
        uint64_t most = 0;

        for (DocumentId id = DOCUMENT_SEEDER_INITRAMFS; id < DOCUMENT_RNGD; id++) {
                _cleanup_json_ Json *document = NULL;

                if (document_read(directory, id, &document) >= 0)
                        facts->seeder_bits += credited_bits(
                                document,
                                &most,
                                facts->seeder_source,
                                sizeof(facts->seeder_source));
        }
}

static void read_recording(const RootDir *root, SeededFacts *facts) {
        _cleanup_recording_ Recording recording = {};
        char error[RECORDING_ERROR_MAX], boot_id[64];
        Analysis analysis;

        if (recording_read(BOOT_RECORDING, &recording, error) < 0 ||
            rootdir_read_text(root, "proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) <
                    0 ||
            strcmp(boot_id, recording.boot_id) != 0)
                return;
        analysis_make(&recording, &analysis);
        facts->recording_jitter = analysis.cause == READY_CAUSE_JITTER;
}

void status_facts(const char *directory, SeededFacts *ret_facts) {
        RootDir root = ROOTDIR_NULL;
        SeededFacts facts = {};

        if (rootdir_open("/", &root) >= 0) {
                ask_kernel(&root, &facts);
                read_log(&root, &facts);
                ask_hwrng(&root, &facts);
                ask_cpu(&root, &facts);
                read_recording(&root, &facts);
        }
        rootdir_close(&root);
        ask_rngd(directory, &facts);
        read_seeder(directory, &facts);
        *ret_facts = facts;
}
