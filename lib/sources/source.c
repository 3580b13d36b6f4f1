/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "lib/sources/config-drive-disks.h"
#include "lib/sources/seed.h"
#include "lib/sources/source-list.h"

const SourceOps *source_ops(SourceId id) {
        static const SourceOps *const list[_SOURCE_MAX] = {
                [SOURCE_HWRNG] = &source_hwrng,       [SOURCE_CPU] = &source_cpu,
                [SOURCE_TPM] = &source_tpm,           [SOURCE_EGD] = &source_egd,
                [SOURCE_METADATA] = &source_metadata, [SOURCE_FILE] = &source_file,
                [SOURCE_EXEC] = &source_exec,         [SOURCE_JITTER] = &source_jitter,
                [SOURCE_PLATFORM] = &source_platform, [SOURCE_CONFIG_DRIVE] = &source_config_drive,
        };

        return list[id];
}

const char *source_name(SourceId id) {
        return source_ops(id)->name;
}

/* Each that has no words of its own. */
#define OTHERS _SOURCE_MAX

static const struct {
        SourceId id;
        int error;
        const char *text;
} errors[] = {
        { SOURCE_EXEC, -ENOENT, "no such program, or it may not be run" },
        { SOURCE_EXEC, -EIO, "its program failed" },
        { SOURCE_EXEC, -ENODATA, "its program wrote nothing" },
        { SOURCE_EXEC, -ETIMEDOUT, "its program wrote nothing in time" },
        { SOURCE_CONFIG_DRIVE,
          CONFIG_DRIVE_E_PLATFORM,
          "labelled config-2, but nothing shows that this is an OpenStack machine: not mounted" },
        { SOURCE_CONFIG_DRIVE,
          CONFIG_DRIVE_E_FILESYSTEM,
          "labelled config-2, but neither iso9660 nor vfat" },
        { SOURCE_CONFIG_DRIVE, CONFIG_DRIVE_E_MOUNT, "labelled config-2, but cannot be mounted" },
        { SOURCE_METADATA, -ENOLINK, "the server has no such document" },
        { OTHERS, -ENODEV, "gone or not there" },
        { OTHERS, -ENXIO, "gone or not there" },
        { OTHERS, -ENOENT, "gone or not there" },
        { OTHERS, -ENODATA, "end of file" },
        { OTHERS, -ETIMEDOUT, "nobody writes to it: no bytes in time" },
        { OTHERS, -EOPNOTSUPP, "neither this kernel nor a library offers it" },
        { OTHERS, -ENOTTY, "is no device that can be a source" },
};

const char *source_error_to_string(SourceId id, int error) {
        const bool has_own_words = id == SOURCE_EXEC || id == SOURCE_CONFIG_DRIVE;
        const char *text = NULL;

        if (id == SOURCE_CONFIG_DRIVE || id == SOURCE_METADATA)
                text = seed_error_to_string(error);
        for (size_t i = 0; i < ELEMENTSOF(errors) && !text; i++)
                if (errors[i].error == error &&
                    (errors[i].id == id || (errors[i].id == OTHERS && !has_own_words)))
                        text = errors[i].text;
        return text ? text : strerror(-error);
}
