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

static const char *program_error_to_string(int error) {
        switch (-error) {
        case ENOENT:
                return "no such program, or it may not be run";
        case EIO:
                return "its program failed";
        case ENODATA:
                return "its program wrote nothing";
        case ETIMEDOUT:
                return "its program wrote nothing in time";
        default:
                return strerror(-error);
        }
}

static const char *config_drive_error_to_string(int error) {
        const char *text = seed_error_to_string(error);

        if (text)
                return text;
        switch (error) {
        case CONFIG_DRIVE_E_PLATFORM:
                return "labelled config-2, but nothing shows that this is an OpenStack machine: "
                       "not mounted";
        case CONFIG_DRIVE_E_FILESYSTEM:
                return "labelled config-2, but neither iso9660 nor vfat";
        case CONFIG_DRIVE_E_MOUNT:
                return "labelled config-2, but cannot be mounted";
        default:
                return strerror(-error);
        }
}

const char *source_error_to_string(SourceId id, int error) {
        if (id == SOURCE_EXEC)
                return program_error_to_string(error);
        if (id == SOURCE_CONFIG_DRIVE)
                return config_drive_error_to_string(error);
        if (id == SOURCE_METADATA && seed_error_to_string(error))
                return seed_error_to_string(error);
        if (id == SOURCE_METADATA && error == -ENOLINK)
                return "the server has no such document";

        switch (-error) {
        case ENODEV:
        case ENXIO:
        case ENOENT:
                return "gone or not there";
        case ENODATA:
                return "end of file";
        case ETIMEDOUT:
                return "nobody writes to it: no bytes in time";
        case EOPNOTSUPP:
                return "neither this kernel nor a library offers it";
        case ENOTTY:
                return "is no device that can be a source";
        default:
                return strerror(-error);
        }
}
