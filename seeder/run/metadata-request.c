/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/log.h"
#include "lib/sources/source-list.h"
#include "seeder/run/metadata-request.h"

#define REQUEST "/run/guest-entropy/metadata-wanted"

void metadata_request(const RootDir *root, const RunSource *source) {
        _cleanup_close_ int fd = -1;
        SourceProbe probe;

        if (source_probe(&source_metadata, &source->reader.config, root, &probe) < 0)
                return;
        fd = open(REQUEST, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                log_warning(
                        "Cannot ask for the metadata service by " REQUEST ": %s",
                        strerror(errno));
}

void metadata_request_take(void) {
        (void)unlink(REQUEST);
}
