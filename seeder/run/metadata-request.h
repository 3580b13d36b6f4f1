/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The metadata service needs a network, which comes late, and most machines have none: a run of its
 * own asks it, started by entropy-seeder-metadata.path when this run says that it would be of use.
 */

#include "lib/base/rootdir.h"
#include "seeder/run/run.h"

/* Not where the machine is no OpenStack's and the administrator did not enable it. */
void metadata_request(const RootDir *root, const RunSource *source);

/* The run that was asked for takes the request away: stopped or failed, it would be started again. */
void metadata_request_take(void);
