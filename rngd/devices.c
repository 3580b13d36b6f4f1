/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/log.h"
#include "lib/sources/device.h"
#include "rngd/devices.h"

/* A device named by -r or path= that can never be a source is a mistake to be told at once. */
static int check_path(const char *option, const char *path) {
        DeviceKind kind;
        int r;

        if (!path)
                return 0;
        r = device_check(path, &kind);
        if (r > 0) {
                log_error("%s: %s %s", option, path, device_refusal_to_string(r));
                return r;
        }
        if (r < 0)
                log_notice("%s: %s is not there (yet): %s", option, path, strerror(-r));
        return 0;
}

static int check_tpm(const char *path) {
        DeviceKind kind;

        if (check_path("[tpm] path", path) > 0)
                return -EINVAL;
        if (path && device_check(path, &kind) == 0 && kind != DEVICE_CHAR) {
                log_error("[tpm] path: %s is no TPM; expected a device like /dev/tpmrm0", path);
                return -EINVAL;
        }
        return 0;
}

int devices_sort(Settings *settings) {
        SourceSettings *hwrng = &settings->sources[SOURCE_HWRNG];
        SourceSettings *file = &settings->sources[SOURCE_FILE];
        const bool given = hwrng->path_origin == ORIGIN_COMMAND_LINE;
        DeviceKind kind;

        if (hwrng->enabled && strcmp(hwrng->path, SOURCE_SETTINGS_DEFAULT_HWRNG) != 0 &&
            check_path(given ? "--rng-device" : "[hwrng] path", hwrng->path) > 0)
                return -EINVAL;
        if (hwrng->enabled && device_check(hwrng->path, &kind) == 0 && kind != DEVICE_HWRNG) {
                if (!given) {
                        log_error("[hwrng] path: %s is not a hardware RNG (10:183)", hwrng->path);
                        return -EINVAL;
                }
                settings_rng_device_to_file(settings);
        }
        if (settings->sources[SOURCE_TPM].enabled &&
            check_tpm(settings->sources[SOURCE_TPM].path) < 0)
                return -EINVAL;
        if (file->enabled && check_path("[file] path", file->path) > 0)
                return -EINVAL;
        return 0;
}
