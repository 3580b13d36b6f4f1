/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "seeder/command-line.h"

#define TEXT_MAX 4096U /* COMMAND_LINE_SIZE is 2048 on x86, 4096 on s390 */
#define WORD_MAX 128U

/* Where the credit of a name is kept; NULL for an unknown one. */
static uint32_t *find_credit(CommandLine *line, const char *name, size_t length) {
        static const char seed_file[] = "seed-file";

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                if (strlen(source_name(id)) == length && memcmp(source_name(id), name, length) == 0)
                        return &line->credit_per_1024[id];
        if (length == sizeof(seed_file) - 1 && memcmp(name, seed_file, length) == 0)
                return &line->seed_file_credit_per_1024;
        return NULL;
}

/* SOURCE:N */
static bool take_credit(const char *value, CommandLine *line) {
        const char *colon = strchr(value, ':');
        uint32_t *target = colon ? find_credit(line, value, (size_t)(colon - value)) : NULL;

        return target && parse_u32(colon + 1, 0, CREDIT_PER_1024_MAX, target) == 0;
}

static void take_word(const char *word, CommandLine *line) {
        static const char seeder[] = "entropy.seeder=", credit[] = "entropy.credit=";

        if (strncmp(word, seeder, sizeof(seeder) - 1) == 0) {
                bool on;

                if (parse_bool(word + sizeof(seeder) - 1, &on) < 0)
                        line->n_ignored++;
                else
                        line->off = !on;
        } else if (strncmp(word, credit, sizeof(credit) - 1) == 0) {
                if (!take_credit(word + sizeof(credit) - 1, line))
                        line->n_ignored++;
        }
}

void command_line_parse(const char *text, CommandLine *ret_line) {
        CommandLine line = { .seed_file_credit_per_1024 = CREDIT_OVERRIDE_NONE };

        for (SourceId id = 0; id < _SOURCE_MAX; id++)
                line.credit_per_1024[id] = CREDIT_OVERRIDE_NONE;

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

void command_line_read(const RootDir *root, CommandLine *ret_line) {
        char text[TEXT_MAX];

        if (rootdir_read_text(root, "proc/cmdline", text, sizeof(text)) < 0)
                text[0] = '\0';
        command_line_parse(text, ret_line);
}
