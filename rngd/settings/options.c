/* SPDX-License-Identifier: MIT */
#include "rngd/settings/options.h"
#include "rngd/settings/rng-tools.h"

int options_parse(int argc, char *argv[], Settings *settings, Messages *errors, Messages *notices) {
        const SettingLayer layer = {
                .origin = ORIGIN_COMMAND_LINE,
                .base_directory = settings->base_directory,
                .notices = notices,
        };
        int r;

        r = config_read_options(&settings_table, argc, argv, settings, &layer, errors);
        return r == CONFIG_E_ANSWERED ? 0 : r;
}

ConfigSections options_sections(Settings *settings) {
        ConfigSections sections = source_settings_sections(settings->sources);

        sections.list[CONFIG_RNGD].table = settings_table.table;
        sections.list[CONFIG_RNGD].n_rows = settings_table.n_rows;
        sections.list[CONFIG_RNGD].target = settings;
        return sections;
}

static int init_settings(const Settings *previous, Settings *settings) {
        int r;

        r = settings_init(settings);
        if (r < 0)
                return r;

        if (!previous) {
                /* NULL in a directory that was deleted: relative paths stay as they are. */
                settings->base_directory = getcwd(NULL, 0);
                return 0;
        }
        return previous->base_directory
                       ? values_set_string(&settings->base_directory, previous->base_directory)
                       : 0;
}

static bool needs_config(Action action) {
        return action == ACTION_RUN || action == ACTION_LIST || action == ACTION_TEST ||
               action == ACTION_OUTPUT;
}

/* The command line comes first, since it may be wrong and names the file, and once more over what
 * the file said. */
static int read_layers(
        int argc,
        char *argv[],
        Settings *settings,
        Messages *errors,
        Messages *notices) {
        ConfigSections sections;
        int r;

        r = options_parse(argc, argv, settings, errors, NULL);
        if (r != 0 || !needs_config(settings->action))
                return r;

        sections = options_sections(settings);
        r = config_read_file(
                settings->config_path,
                settings->config_origin == ORIGIN_COMMAND_LINE,
                &sections,
                errors);
        if (r != 0)
                return r;
        r = options_parse(argc, argv, settings, errors, notices);
        if (r != 0)
                return r;
        return settings_finish(settings, errors);
}

int options_load(
        int argc,
        char *argv[],
        const Settings *previous,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices) {
        _cleanup_settings_ Settings settings = { 0 };
        int r;

        r = init_settings(previous, &settings);
        if (r < 0)
                return r;
        r = read_layers(argc, argv, &settings, errors, notices);
        if (r != 0)
                return r;

        *ret_settings = TAKE(settings, ((Settings){ 0 }));
        return 0;
}

bool options_print(const Settings *settings, FILE *stream) {
        switch (settings->action) {
        case ACTION_HELP:
                fputs("Usage: rngd [OPTION]...\n"
                      "Feeds this machine's kernel with random bytes when something calls for "
                      "them.\n",
                      stream);
                config_print_options(stream, &settings_table);
                fputs("\nSee rngd(8) and guest-entropy.conf(5).\n", stream);
                return true;
        case ACTION_VERSION:
                fputs("rngd (guest-entropy) " PACKAGE_VERSION "\n", stream);
                return true;
        case ACTION_SOURCE_KEYS:
                rng_tools_print_source_keys(stream, settings->topic);
                return true;
        case ACTION_HRNG_NAMES:
                rng_tools_print_hrng_names(stream);
                return true;
        case ACTION_RUN:
        case ACTION_LIST:
        case ACTION_TEST:
        case ACTION_OUTPUT:
        case ACTION_STATUS:
        case ACTION_STATUS_JSON:
                return false;
        }
        return false;
}
