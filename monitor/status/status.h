/* SPDX-License-Identifier: MIT */
#pragma once

/* entropy-monitor status: an exit status, a Seeded or one of sysexits.h. */
int status_main(int argc, char *argv[]);
