/* SPDX-License-Identifier: MIT */
/* Replays a corpus through a fuzzer's entry point, so that every file which once mattered is tested
 * by every compiler and in every build, not only where libFuzzer is. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        REPLAY_MAX_BYTES = 1024 * 1024,
};

static int replay_stream(FILE *stream) {
        size_t n;
        uint8_t *data;

        data = malloc(REPLAY_MAX_BYTES);
        if (!data)
                return -ENOMEM;

        n = fread(data, 1, REPLAY_MAX_BYTES, stream);
        if (ferror(stream)) {
                free(data);
                return -EIO;
        }

        /* A block of exactly n bytes lets ASan see the first byte read past the end. */
        if (n > 0) {
                uint8_t *exact = realloc(data, n);

                if (exact)
                        data = exact;
        }
        (void)LLVMFuzzerTestOneInput(data, n);
        free(data);
        return 0;
}

static int replay_file(const char *path) {
        FILE *stream;
        int r;

        /* Before the input, so that the name stands last when it crashes. */
        printf("# %s\n", path);
        (void)fflush(stdout);

        stream = fopen(path, "re");
        if (!stream)
                return -errno;

        r = replay_stream(stream);
        (void)fclose(stream);
        return r;
}

static int replay_directory(const char *directory, unsigned *n_passed, unsigned *n_failed) {
        struct dirent **entries = NULL;
        int n;

        n = scandir(directory, &entries, NULL, alphasort);
        if (n < 0)
                return -errno;

        for (int i = 0; i < n; i++) {
                char path[4096];
                int r;

                if (entries[i]->d_name[0] != '.') {
                        (void)snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
                        r = replay_file(path);
                        if (r < 0)
                                printf("not ok - %s: %s\n", path, strerror(-r));
                        (*(r < 0 ? n_failed : n_passed))++;
                }
                free(entries[i]);
        }

        free(entries);
        return 0;
}

int main(int argc, char *argv[]) {
        unsigned n_passed = 0, n_failed = 0;

        for (int i = 1; i < argc; i++) {
                int r = replay_directory(argv[i], &n_passed, &n_failed);

                if (r < 0) {
                        printf("not ok - %s: %s\n", argv[i], strerror(-r));
                        n_failed++;
                }
        }

        if (n_passed + n_failed == 0) {
                printf("not ok - the corpus is empty\n");
                n_failed++;
        }

        printf("# counts passed=%u failed=%u skipped=0\n", n_passed, n_failed);
        return n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
