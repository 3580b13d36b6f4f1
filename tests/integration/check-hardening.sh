#!/bin/sh
# SPDX-License-Identifier: MIT
# check-hardening.sh PROGRAM: what the compiler and linker were asked for is in the program.
set -u
. "$(dirname -- "$0")/tap.sh"

segments() {
    readelf --wide --program-headers "$1"
}

dynamic() {
    readelf --wide --dynamic "$1"
}

symbols() {
    readelf --wide --symbols "$1"
}

is_pie() {
    readelf --file-header "$1" | grep -q 'Type: *DYN' && dynamic "$1" | grep -q 'FLAGS_1.*PIE'
}

has_relro() {
    segments "$1" | grep -q GNU_RELRO
}

binds_now() {
    dynamic "$1" | grep -Eq 'FLAGS.*(BIND_NOW|NOW)'
}

has_canary() {
    symbols "$1" | grep -q __stack_chk_fail
}

has_no_exec_stack() {
    segments "$1" | grep GNU_STACK | grep -qv E
}

has_no_writable_code() {
    ! segments "$1" | grep LOAD | grep -q 'RWE'
}

has_no_text_relocation() {
    ! dynamic "$1" | grep -q TEXTREL
}

has_no_library_path() {
    ! dynamic "$1" | grep -Eq 'RPATH|RUNPATH'
}

refuses() {
    ! "$@"
}

program=$1
for property in is_pie has_relro binds_now has_canary has_no_exec_stack has_no_writable_code \
    has_no_text_relocation has_no_library_path; do
    check "$(basename "$program") $property" "$property" "$program"
done

# The same questions to a program built the other way: each must be answered with no.
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT
printf 'int main(void) { return 0; }\n' >"$directory/soft.c"
if ${CC:-cc} -o "$directory/soft" "$directory/soft.c" -fno-stack-protector -no-pie \
    -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -Wl,-rpath,/nowhere 2>"$directory/errors" &&
    ${CC:-cc} -o "$directory/open" "$directory/soft.c" -nostdlib -static -no-pie -Wl,-N,-e,main \
        2>>"$directory/errors"; then
    for property in is_pie has_relro binds_now has_canary has_no_exec_stack has_no_library_path; do
        check "a soft program: not $property" refuses "$property" "$directory/soft"
    done
    check 'a program with writable code: not has_no_writable_code' \
        refuses has_no_writable_code "$directory/open"
else
    not_ok 'a soft program can be built' "$(cat "$directory/errors")"
fi

tap_end
