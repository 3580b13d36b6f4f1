/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "lib/sources/metadata-status.h"
#include "lib/sources/openstack.h"
#include "lib/sources/run-program.h"
#include "lib/sources/source-list.h"

/* seeder/metadata/, a program of its own for libcurl's sake */
#define PROGRAM PROGRAM_DIRECTORY "/entropy-metadata"

/* What is left of the time goes into waiting for a route. */
#define FETCH_MAX_USEC (5 * USEC_PER_SEC)

static int metadata_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        const char *what = config->url ? config->url : "OpenStack";
        bool there = faccessat(root->fd, &PROGRAM[1], X_OK, 0) >= 0;

        if (!there)
                what = "entropy-metadata is not installed";
        source_set_detail(probe, "%s", what);
        return there && (config->enabled_by_admin || openstack_is_platform(root)) ? 0 : -ENOENT;
}

/* The program writes a seed only when all of it has come and is good. */
static int metadata_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        const SourceConfig *config = &source->config;
        uint64_t fetch_usec = MIN(config->wait_usec / 2, FETCH_MAX_USEC);
        /* A tenth less than there is, so that the program's own reason is heard. */
        uint64_t route_usec = config->wait_usec / 10 * 9 - fetch_usec;
        char timeout[48], route[48], url[1100], format[300], ca_file[300];
        char *argv[] = { (char[]){ PROGRAM }, timeout, route, NULL, NULL, NULL, NULL };
        size_t n = 3;
        int status = 0, r;

        (void)snprintf(
                timeout,
                sizeof(timeout),
                "--timeout=%ju"
                "us",
                (uintmax_t)fetch_usec);
        (void)snprintf(
                route,
                sizeof(route),
                "--wait-route=%ju"
                "us",
                (uintmax_t)route_usec);
        if (config->url) {
                (void)snprintf(url, sizeof(url), "--url=%s", config->url);
                argv[n++] = url;
        }
        if (config->format) {
                (void)snprintf(format, sizeof(format), "--format=%s", config->format);
                argv[n++] = format;
        }
        if (config->ca_file) {
                (void)snprintf(ca_file, sizeof(ca_file), "--ca-file=%s", config->ca_file);
                argv[n++] = ca_file;
        }

        r = program_read(argv, config->wait_usec, buffer, size, ret_length, &status);
        return r == PROGRAM_E_FAILED ? metadata_status_to_error(status) : r;
}

const SourceOps source_metadata = {
        .name = "metadata",
        .source_class = SOURCE_CLASS_LIVE_NETWORK, /* each GET is answered with other bytes */
        .blocking = true,
        .needs_network = true,
        .runs_program = true,
        .probe = metadata_probe,
        .read = metadata_read,
};
