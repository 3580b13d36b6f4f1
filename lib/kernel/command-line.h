/* SPDX-License-Identifier: MIT */
#pragma once

/* The kernel's command line, which every user can read. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

/*
 * The whole of /proc/cmdline, however long: with a boot configuration it can be 32 KiB. Where /proc is
 * not mounted yet it is read all the same (needs CAP_SYS_ADMIN). ret_text is the caller's.
 */
_must_check_ int kernel_command_line_read(const RootDir *root, char **ret_text);

/*
 * Whether it sets a credential of this name: systemd.set_credential=NAME:VALUE,
 * systemd.set_credential_binary=..., the same for the initramfs (rd.), with quotes wherever systemd takes them.
 * Also true for anything that looks like it.
 */
bool kernel_command_line_sets_credential(const char *text, const char *name);
