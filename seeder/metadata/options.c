/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>

#include "lib/base/parse.h"
#include "lib/sources/metadata-status.h"
#include "seeder/metadata/options.h"

enum {
        OPTION_URL = 256,
        OPTION_FORMAT,
        OPTION_CA_FILE,
        OPTION_CONNECT_TIMEOUT,
        OPTION_TIMEOUT,
        OPTION_WAIT_ROUTE,
        OPTION_VERSION,
};

static const struct option long_options[] = {
        { "url", required_argument, NULL, OPTION_URL },
        { "format", required_argument, NULL, OPTION_FORMAT },
        { "ca-file", required_argument, NULL, OPTION_CA_FILE },
        { "connect-timeout", required_argument, NULL, OPTION_CONNECT_TIMEOUT },
        { "timeout", required_argument, NULL, OPTION_TIMEOUT },
        { "wait-route", required_argument, NULL, OPTION_WAIT_ROUTE },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
};

static void print_help(void) {
        printf("usage: entropy-metadata [OPTION...]\n"
               "\n"
               "Fetches a random seed over HTTP and writes its bytes to standard output.\n"
               "\n"
               "  --url=URL               http or https (default: OpenStack's metadata service)\n"
               "  --format=FORMAT         raw, base64 or json:KEY (default: json:random_seed)\n"
               "  --ca-file=FILE          trust the certificates in FILE and no others\n"
               "  --connect-timeout=TIME  for each connection (default: 2s)\n"
               "  --timeout=TIME          for all of it, once there is a route (default: 5s)\n"
               "  --wait-route=TIME       wait for a route first (default: 0)\n"
               "  --help, --version\n"
               "\n"
               "Exit status: 0 seed written; 1 system error; 64 usage; 65 answer is no seed;\n"
               "66 no such document; 69 nobody answers; 75 server busy, or TLS before the\n"
               "kernel's RNG is ready; 76 answer refused; 77 certificate refused; 78 CA file.\n");
}

static int refuse(const char *option, const char *value, const char *expected) {
        fprintf(stderr,
                "entropy-metadata: %s '%s': expected %s (--help)\n",
                option,
                value,
                expected);
        return METADATA_E_USAGE;
}

static int take_url(const char *value, Options *options) {
        if (metadata_check_url(value) < 0)
                return refuse("--url", "...", "http://HOST... or https://HOST..., without a user");
        options->url = value;
        return 0;
}

static int take_time(const char *option, const char *value, uint64_t minimum, uint64_t *ret_usec) {
        uint64_t usec;

        if (parse_usec(value, OPTIONS_MAX_USEC, &usec) < 0 || usec < minimum)
                return refuse(option, value, "a time like 500ms or 5s, up to 1h");
        *ret_usec = usec;
        return 0;
}

static int take_option(int option, const char *value, const char *word, Options *options) {
        switch (option) {
        case OPTION_URL:
                return take_url(value, options);
        case OPTION_FORMAT:
                if (metadata_parse_format(value, &options->format) < 0)
                        return refuse("--format", value, "raw, base64 or json:KEY");
                return 0;
        case OPTION_CA_FILE:
                if (*value == '\0')
                        return refuse("--ca-file", value, "a path");
                options->ca_file = value;
                return 0;
        case OPTION_CONNECT_TIMEOUT:
                return take_time("--connect-timeout", value, USEC_PER_MSEC, &options->connect_usec);
        case OPTION_TIMEOUT:
                return take_time("--timeout", value, USEC_PER_MSEC, &options->timeout_usec);
        case OPTION_WAIT_ROUTE:
                return take_time("--wait-route", value, 0, &options->wait_route_usec);
        case 'h':
                print_help();
                return OPTIONS_E_DONE;
        case OPTION_VERSION:
                printf("entropy-metadata (guest-entropy) " PACKAGE_VERSION "\n");
                return OPTIONS_E_DONE;
        case ':':
                return refuse("option", word, "an argument to it");
        default:
                return refuse("option", word, "a known one");
        }
}

int options_parse(int argc, char **argv, Options *ret_options) {
        Options options = {
                .format = { .kind = METADATA_JSON, .key = "random_seed" },
                .connect_usec = OPTIONS_DEFAULT_CONNECT_USEC,
                .timeout_usec = OPTIONS_DEFAULT_TIMEOUT_USEC,
        };
        int option, r;

        while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
                r = take_option(option, optarg, argv[optind - 1], &options);
                if (r != 0)
                        return r;
        }
        if (optind < argc)
                return refuse("argument", argv[optind], "options only");

        *ret_options = options;
        return 0;
}
