/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * entropy-seeder image check|clean [OPTION...] ROOT, as entropy-seeder-image(8) tells it.
 * argv[0] is "image". Returns an exit status of sysexits.h, or 1 for findings.
 */
int image_main(int argc, char *argv[]);
