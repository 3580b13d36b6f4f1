/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "lib/config/source-settings.h"
#include "lib/kernel/command-line.h"
#include "seeder/command-line.h"

#define WORD_MAX 128U

/* What is said of SOURCE in SOURCE:VALUE; NULL for an unknown one. */
static CommandLineCredit *find_source(CommandLine *line, const char *text, const char **ret_value) {
        static const char seed_file[] = "seed-file";
        size_t length = strcspn(text, ":");

        if (text[length] == '\0')
                return NULL;
        *ret_value = text + length + 1;
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (strlen(source_name(id)) == length && memcmp(source_name(id), text, length) == 0)
                        return &line->sources[id];
        if (length == sizeof(seed_file) - 1 && memcmp(text, seed_file, length) == 0)
                return &line->seed_file;
        return NULL;
}

static bool take_seeder(const char *text, CommandLine *line) {
        bool on;

        if (parse_bool(text, &on) < 0)
                return false;
        line->off = !on;
        return true;
}

static bool take_credit(const char *text, CommandLine *line) {
        const char *value;
        CommandLineCredit *target = find_source(line, text, &value);

        return target && parse_u32(value, 0, CREDIT_PER_1024_MAX, &target->credit_per_1024) == 0;
}

/* Only seeds that were made before need somebody's word. */
static bool take_trust(const char *text, CommandLine *line) {
        const char *value;
        CommandLineCredit *target = find_source(line, text, &value);
        int trust;

        if (!target ||
            (target != &line->seed_file && !source_ops((SourceId)(target - line->sources))->seeds))
                return false;
        if (setting_find_word(source_trust_words, value, &trust) < 0)
                return false;
        target->trust = (CreditTrust)trust;
        target->trust_given = true;
        return true;
}

static void take_word(const char *word, CommandLine *line) {
        static const struct {
                const char *prefix;
                bool (*take)(const char *text, CommandLine *line);
        } words[] = {
                { "entropy.seeder=", take_seeder },
                { "entropy.credit=", take_credit },
                { "entropy.trust=", take_trust },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                size_t length = strlen(words[i].prefix);

                if (strncmp(word, words[i].prefix, length) == 0 &&
                    !words[i].take(word + length, line))
                        line->n_ignored++;
        }
}

void command_line_parse(const char *text, CommandLine *ret_line) {
        CommandLine line = { .seed_file.credit_per_1024 = CREDIT_OVERRIDE_NONE };

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                line.sources[id].credit_per_1024 = CREDIT_OVERRIDE_NONE;

        while (*text) {
                size_t length = strcspn(text, " \t\n");
                char word[WORD_MAX];

                /* Too long for a word of ours; quoted words are somebody else's, too. */
                if (length > 0 && length < sizeof(word)) {
                        memcpy(word, text, length);
                        word[length] = '\0';
                        take_word(word, &line);
                }
                text += length;
                text += strspn(text, " \t\n");
        }
        *ret_line = line;
}

static void refuse_credit(CommandLine *line) {
        line->unknown = true;
        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                line->sources[id].credit_per_1024 = 0;
        line->seed_file.credit_per_1024 = 0;
}

void command_line_read(const RootDir *root, CommandLine *ret_line) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = kernel_command_line_read(root, &text);
        command_line_parse(r < 0 ? "" : text, ret_line);
        if (r < 0)
                refuse_credit(ret_line);
}
