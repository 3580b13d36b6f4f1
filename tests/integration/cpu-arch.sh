#!/bin/sh
# SPDX-License-Identifier: MIT
# The CPU instructions of each architecture, compiled with a cross compiler and run under QEMU's user
# mode on a CPU that has the instruction and on one that has not: there it must not even be tried.
set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)
root=$(cd -- "$here/../.." && pwd)
. "$here/tap.sh"

directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT

# probe_says EMULATOR CPU PROGRAM WORD
probe_says() {
    told=$("$1" -cpu "$2" "$3") || return
    [ "$told" = "$4" ] || {
        echo "it says $told"
        return 1
    }
}

# architecture NAME COMPILER EMULATOR CPU:INSTRUCTION...
architecture() {
    name=$1
    compiler=$2
    emulator=$3
    shift 3
    for tool in "$compiler" "$emulator"; do
        command -v "$tool" >/dev/null || {
            skip "$name" "no $tool"
            return
        }
    done
    # Some distributions package a cross compiler without a C library.
    if ! echo 'int main(void) { return 0; }' |
        "$compiler" -static -xc -o "$directory/trivial" - 2>/dev/null; then
        skip "$name" "no static C library for $compiler"
        return
    fi
    check "$name: compiles" "$compiler" -static -O2 -Wall -Wextra -Werror -std=gnu17 \
        -D_GNU_SOURCE -I"$root" -o "$directory/$name" \
        "$here/cpu-probe.c" "$root/lib/sources/cpu-instruction-$name.c"
    for pair; do
        cpu=${pair%:*}
        check "$name: $cpu has ${pair#*:}" \
            probe_says "$emulator" "$cpu" "$directory/$name" "${pair#*:}"
    done
}

architecture arm64 aarch64-linux-gnu-gcc qemu-aarch64 max:RNDRRS cortex-a57:none
architecture ppc64 powerpc64le-linux-gnu-gcc qemu-ppc64le power9:DARN power8:none
# QEMU before 8.1 does not emulate RDSEED; what is native here is read by the unit tests.
architecture x86 x86_64-linux-gnu-gcc qemu-x86_64 max,rdseed=off:RDRAND qemu64:none

tap_end
