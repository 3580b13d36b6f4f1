/* SPDX-License-Identifier: MIT */
#include "lib/sources/run-program.h"
#include "lib/sources/source-list.h"

static int exec_probe(const SourceConfig *config, const RootDir *root, SourceProbe *probe) {
        if (!config->argv || !config->argv[0])
                return -ENOENT;
        source_set_detail(probe, "%s", config->argv[0]);
        return 0;
}

static int exec_open(Source *source) {
        return source->config.argv && source->config.argv[0] ? 0 : -EINVAL;
}

static int exec_read(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        int status, r;

        r = program_read(
                source->config.argv,
                source->config.wait_usec,
                buffer,
                size,
                ret_length,
                &status);
        return r == PROGRAM_E_FAILED ? -EIO : r;
}

const SourceOps source_exec = {
        .name = "exec",
        .source_class = SOURCE_CLASS_CONFIGURED,
        .blocking = true,
        .needs_network = true,
        .runs_program = true,
        .probe = exec_probe,
        .open = exec_open,
        .read = exec_read,
};
