/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "seeder/image.h"

int main(int argc, char *argv[]) {
        log_open("entropy-seeder", log_target_detect(), LOG_NOTICE);
        if (argc >= 2 && strcmp(argv[1], "image") == 0)
                return image_main(argc - 1, argv + 1);
        log_error("usage: entropy-seeder image check|clean [OPTION...] ROOT");
        return EX_USAGE;
}
