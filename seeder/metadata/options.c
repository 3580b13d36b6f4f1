/* SPDX-License-Identifier: MIT */
#include "lib/config/options.h"
#include "lib/base/parse.h"
#include "lib/sources/metadata-status.h"
#include "seeder/metadata/options.h"

static int apply_format(void *target, const char *value, const SettingLayer *layer) {
        return metadata_parse_format(value, &((Options *)target)->format);
}

#define AT(_type, _field) SETTING_AT(_type, Options, _field)

static const Setting rows[] = {
        { "--url=URL",
          "http or https (OpenStack's metadata service)",
          AT(ARGUMENT, url),
          .check = metadata_check_url,
          .hidden = true,
          .expected = "http://HOST... or https://HOST..., without a user" },
        { "--format=FORMAT",
          "raw, base64 or json:KEY (json:random_seed)",
          .apply = apply_format,
          .expected = "raw, base64 or json:KEY" },
        { "--ca-file=FILE", "trust the certificates in FILE and no others", AT(ARGUMENT, ca_file) },
        { "--connect-timeout=TIME",
          "for each connection (2s)",
          AT(USEC, connect_usec),
          SETTING_RANGE(USEC_PER_MSEC, OPTIONS_MAX_USEC) },
        { "--timeout=TIME",
          "for all of it, once there is a route (5s)",
          AT(USEC, timeout_usec),
          SETTING_RANGE(USEC_PER_MSEC, OPTIONS_MAX_USEC) },
        { "--wait-route=TIME",
          "wait for a route first (0)",
          AT(USEC, wait_route_usec),
          SETTING_RANGE(0, OPTIONS_MAX_USEC) },
        { "-h, --help", "print this", AT(ANSWER, action), .value = OPTIONS_HELP },
        { "--version", "print the version", AT(ANSWER, action), .value = OPTIONS_VERSION },
};

static const ConfigOptions table = { rows, ELEMENTSOF(rows) };

void options_print_help(FILE *stream) {
        fputs("usage: entropy-metadata [OPTION...]\n"
              "\n"
              "Fetches a random seed over HTTP and writes its bytes to standard output.\n"
              "\n",
              stream);
        config_print_options(stream, &table);
        fputs("\n"
              "Exit status: 0 seed written; 1 system error; 64 usage; 65 answer is no seed;\n"
              "66 no such document; 69 nobody answers; 75 server busy, or TLS before the\n"
              "kernel's RNG is ready; 76 answer refused; 77 certificate refused; 78 CA file.\n",
              stream);
}

int options_parse(int argc, char **argv, Options *ret_options) {
        const SettingLayer layer = { .origin = ORIGIN_COMMAND_LINE };
        _cleanup_messages_ Messages errors = {};
        Options options = {
                .format = { .kind = METADATA_JSON, .key = "random_seed" },
                .connect_usec = OPTIONS_DEFAULT_CONNECT_USEC,
                .timeout_usec = OPTIONS_DEFAULT_TIMEOUT_USEC,
        };
        int r;

        r = config_read_options(&table, argc, argv, &options, &layer, &errors);
        if (r != 0 && r != CONFIG_E_ANSWERED) {
                fprintf(stderr,
                        "entropy-metadata: %s\n",
                        errors.n_lines > 0 ? errors.lines[0] : "cannot read the command line");
                return METADATA_E_USAGE;
        }

        *ret_options = options;
        return 0;
}
