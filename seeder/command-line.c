/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "lib/kernel/command-line.h"
#include "seeder/command-line.h"

#define WORD_MAX 128U

/* What is set for SOURCE in SOURCE:VALUE; NULL for an unknown one. */
static SourceSettings *find_source(Settings *settings, const char *text, const char **ret_value) {
        static const char seed_file[] = "seed-file";
        size_t length = strcspn(text, ":");
        SourceId id;

        if (text[length] == '\0')
                return NULL;
        *ret_value = text + length + 1;
        if (source_find(text, length, &id) == 0)
                return &settings->sources[id];
        return length == strlen(seed_file) && memcmp(text, seed_file, length) == 0
                       ? &settings->saved
                       : NULL;
}

static bool take_seeder(Settings *settings, const char *text) {
        bool on;

        if (parse_bool(text, &on) < 0)
                return false;
        settings->off = !on;
        return true;
}

static bool take_credit(Settings *settings, const char *text) {
        const char *value;
        SourceSettings *source = find_source(settings, text, &value);

        return source &&
               parse_u32(value, 0, CREDIT_PER_1024_MAX, &source->credit_override_per_1024) == 0;
}

/* Only seeds that were made before need somebody's word. */
static bool take_trust(Settings *settings, const char *text) {
        const char *value;
        SourceSettings *source = find_source(settings, text, &value);
        int trust;

        if (!source || (source != &settings->saved &&
                        !source_ops((SourceId)(source - settings->sources))->seeds))
                return false;
        if (setting_find_word(source_trust_words, value, &trust) < 0)
                return false;
        source->trust = (CreditTrust)trust;
        return true;
}

static void take_word(Settings *settings, const char *word) {
        static const struct {
                const char *prefix;
                bool (*take)(Settings *settings, const char *text);
        } words[] = {
                { "entropy.seeder=", take_seeder },
                { "entropy.credit=", take_credit },
                { "entropy.trust=", take_trust },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                size_t length = strlen(words[i].prefix);

                if (strncmp(word, words[i].prefix, length) == 0 &&
                    !words[i].take(settings, word + length))
                        settings->n_ignored++;
        }
}

static void refuse_credit(Settings *settings) {
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                settings->sources[id].credit_override_per_1024 = 0;
        settings->saved.credit_override_per_1024 = 0;
}

void command_line_apply(Settings *settings) {
        const char *text = settings->kernel_line;

        settings->n_ignored = 0;
        if (!text) {
                refuse_credit(settings);
                return;
        }

        while (*text) {
                size_t length = strcspn(text, " \t\n");
                char word[WORD_MAX];

                /* Too long for a word of ours; quoted words are somebody else's, too. */
                if (length > 0 && length < sizeof(word)) {
                        memcpy(word, text, length);
                        word[length] = '\0';
                        take_word(settings, word);
                }
                text += length;
                text += strspn(text, " \t\n");
        }
}

void command_line_read(const RootDir *root, Settings *settings) {
        free(settings->kernel_line);
        settings->kernel_line = NULL;
        (void)!kernel_command_line_read(root, &settings->kernel_line);
        command_line_apply(settings);
}
