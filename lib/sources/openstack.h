/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether this machine's platform hands out seeds the way OpenStack does. */

#include <stdbool.h>

#include "lib/base/rootdir.h"

/*
 * By what nova, and the clouds that are made of it, write into DMI. No DMI, as on s390 or with another
 * firmware: false. A disk with the right label says nothing of the kind: anybody can write one.
 */
bool openstack_is_platform(const RootDir *root);
