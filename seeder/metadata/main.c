/* SPDX-License-Identifier: MIT */
/* entropy-metadata: a random seed over HTTP, to standard output. Runs without any privilege. */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/io.h"
#include "lib/sources/metadata-status.h"
#include "lib/sources/seed.h"
#include "seeder/metadata/fetch.h"

static int fail(int error, const char *what) {
        fprintf(stderr, "entropy-metadata: %s: %s\n", what, strerror(-error));
        return METADATA_E_SYSTEM;
}

/* The seed is in this process's memory, and the user may have other processes. */
static void keep_secret(void) {
        const struct rlimit none = {};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        (void)signal(SIGPIPE, SIG_IGN);
}

static int run(const Options *options) {
        _cleanup_secret_ Secret *buffer = NULL;
        char why[FETCH_WHY_MAX] = "";
        size_t length;
        int r;

        r = secret_new(SEED_MAX_BYTES, &buffer);
        if (r < 0)
                return fail(r, "memory");

        r = fetch_seed(options, buffer, &length, why);
        if (r < 0)
                return fail(r, "fetch");
        if (r > 0) {
                fprintf(stderr, "entropy-metadata: %s\n", why);
                return r;
        }

        r = io_write_full(STDOUT_FILENO, buffer->bytes, length);
        return r < 0 ? fail(r, "standard output") : 0;
}

int main(int argc, char *argv[]) {
        Options options;
        int r;

        r = options_parse(argc, argv, &options);
        if (r != 0)
                return r;
        if (options.action != OPTIONS_FETCH) {
                if (options.action == OPTIONS_HELP)
                        options_print_help(stdout);
                else
                        (void)puts("entropy-metadata (guest-entropy) " PACKAGE_VERSION);
                return fflush(stdout) == 0 ? EXIT_SUCCESS : METADATA_E_SYSTEM;
        }

        keep_secret();
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return fail(-ENOMEM, "libcurl");
        return run(&options);
}
