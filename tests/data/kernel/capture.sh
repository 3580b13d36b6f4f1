#!/bin/sh
# SPDX-License-Identifier: MIT
# capture.sh FOLDER: copies what lib/kernel reads of this machine's /proc and /sys to FOLDER, as the
# trees beside this script have it. Nothing in it is secret or names the machine.
set -eu

folder=$1
for file in \
    proc/sys/kernel/random/poolsize \
    proc/sys/kernel/random/entropy_avail \
    proc/sys/kernel/random/write_wakeup_threshold \
    sys/class/misc/hw_random/rng_available \
    sys/class/misc/hw_random/rng_current \
    sys/class/misc/hw_random/rng_quality \
    sys/class/misc/hw_random/rng_selected; do
    if [ -r "/$file" ]; then
        mkdir -p "$folder/$(dirname "$file")"
        cat "/$file" >"$folder/$file"
    fi
done
