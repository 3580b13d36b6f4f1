/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine id and its copy for D-Bus. machine-id(5), "First Boot Semantics": absent or
 * "uninitialized" is a first boot; empty gives each clone an id of its own, but it is no first
 * boot for systemd, which then credits a marked seed in every clone.
 */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

void identity_find(const Tree *tree, Report *report);
