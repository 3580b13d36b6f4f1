/* SPDX-License-Identifier: MIT */
/*
 * Random lives, and the lists that failed once. In the environment: LIVES, how many; LIFE_SEED, the
 * first one; LIFE, a list to run instead.
 */
#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/log.h"
#include "tests/lifetimes/life.h"
#include "tests/unit/harness.h"

#define LIVES_DEFAULT 2000U

/* A gate that finds something else each time tells nothing of the change that it gates: other lives are
 * what ./dev test --all is for. */
#define LIFE_SEED_DEFAULT 1U
#define LIVES_OF_MUTANT   20000U

static const char *const promises[_PROMISE_MAX] = {
        [PROMISE_NONE] = "kept",
        [PROMISE_ONCE] = "I1 credited once",
        [PROMISE_SECRET] = "I2 known to nobody else",
        [PROMISE_FRESH] = "I3 made after the last copy",
        [PROMISE_REASON] = "I4 every zero has its reason",
        [PROMISE_NO_WAIT] = "I5 no wait with an honest source",
};

static uint64_t number_of(const char *variable, uint64_t otherwise) {
        const char *text = getenv(variable);

        return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void tell(const Life *life) {
        static char text[LIFE_TEXT_BYTES];

        life_print(life, text);
        printf("# broken: %s: %s\n# seed %" PRIu64 ", shortest list: %s\n",
               promises[witness_broken()],
               witness_message(),
               life->seed,
               text);
}

static void tell_outside(void) {
        for (Outside kind = 0; kind < _OUTSIDE_MAX; kind++)
                printf("# outside: %" PRIu64 " times %s\n",
                       witness_outside(kind),
                       outside_to_string(kind));
}

/* How many of them broke a promise; at the first few it says which life. */
static unsigned run_lives(uint64_t first_seed, uint64_t n, unsigned stop_at) {
        unsigned n_broken = 0;
        Life life;

        for (uint64_t i = 0; i < n && n_broken < stop_at; i++) {
                life_make(&life, first_seed + i);
                if (life_run(&life) == PROMISE_NONE)
                        continue;
                n_broken++;
                life_shrink(&life);
                tell(&life);
        }
        return n_broken;
}

static void test_random_lives(void) {
        uint64_t n = number_of("LIVES", LIVES_DEFAULT);
        uint64_t first_seed = number_of("LIFE_SEED", LIFE_SEED_DEFAULT);

        printf("# %" PRIu64 " lives from LIFE_SEED=%" PRIu64 " on\n", n, first_seed);
        (void)fflush(stdout);
        CU_ASSERT_EQUAL(run_lives(first_seed, n, (unsigned)number_of("LIFE_FAILURES", 3)), 0);
        printf("# %" PRIu64 " credits\n", witness_credits());
        tell_outside();
}

/* ---- lists ---- */

static bool run_list(const char *name, const char *text) {
        const char *word = "";
        Life life;

        if (life_parse(text, &life, &word) < 0) {
                printf("# %s: no such event: %.20s\n", name, word);
                return false;
        }
        if (life_run(&life) == PROMISE_NONE)
                return true;
        printf("# %s\n", name);
        tell(&life);
        return false;
}

static bool run_file(const char *directory, const char *name) {
        static char text[LIFE_TEXT_BYTES]; /* too large for a stack frame */
        char path[512];
        size_t n;
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        file = fopen(path, "re");
        if (!file)
                return false;
        n = fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
        text[n] = '\0';
        return run_list(name, text);
}

static int is_life(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return n > 5 && strcmp(entry->d_name + n - 5, ".life") == 0;
}

/* Each list, or the first ones until one is broken. */
static bool run_files(bool all) {
        struct dirent **entries;
        int n = scandir(LIVES_DIRECTORY, &entries, is_life, alphasort);
        bool kept = n > 0;

        if (all)
                CU_ASSERT(n > 0);
        for (int i = 0; i < n; i++) {
                if (all)
                        harness_row("%s", entries[i]->d_name);
                if (all || kept) {
                        bool good = run_file(LIVES_DIRECTORY, entries[i]->d_name);

                        if (all)
                                CU_ASSERT(good);
                        kept = kept && good;
                }
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
        return kept;
}

static void test_named_lives(void) {
        (void)run_files(true);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_named_lives),
        HARNESS_TEST(test_random_lives),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("lifetimes", tests),
        CU_SUITE_INFO_NULL,
};

/* A build with one fault more: a promise must be broken. */
static int run_mutant(const char *name) {
        bool caught = !run_files(false) || run_lives(1, LIVES_OF_MUTANT, 1) > 0;

        printf("%s 1 - mutant %s is caught\n# counts passed=%d failed=%d skipped=0\n",
               caught ? "ok" : "not ok",
               name,
               caught,
               !caught);
        return caught ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
        const char *list = getenv("LIFE");

        /* Memory that is taken and given back all the time: not from the kernel each time. */
        (void)mallopt(M_MMAP_THRESHOLD, 8 << 20);
        (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
        log_set_max_level(getenv("LIFE_VERBOSE") ? LOG_DEBUG : LOG_EMERG);
        if (argc == 3 && strcmp(argv[1], "--mutant") == 0)
                return run_mutant(argv[2]);
        if (list)
                return run_list("LIFE", list) ? EXIT_SUCCESS : EXIT_FAILURE;
        return harness_run(suites);
}
