/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes of less than full entropy become fewer bytes of full entropy: SHA-512 in counter mode over
 * the whole batch, domain-separated and length-prefixed, cut so that the output is never longer
 * than the input's entropy.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/secret.h"

/*
 * Replaces the first length bytes of the secret by bits / 8 bytes, the rest is wiped. bits is what
 * credit_judge() said of the input; -EINVAL if it is more than 8 * length.
 */
_must_check_ int conditioner_run(Secret *secret, size_t length, uint32_t bits, size_t *ret_length);
