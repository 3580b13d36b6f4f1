#!/bin/sh
# SPDX-License-Identifier: MIT
# check-libraries.sh PROGRAM LIBRARY...: besides libc it needs no other shared library than these, each of
# which an initramfs or a builder would have to carry along.
set -u
. "$(dirname -- "$0")/tap.sh"

program=$1
shift
allowed=$*

needed() {
    readelf --wide --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p'
}

# Sanitizers are no part of what is installed.
only_allowed() {
    for library in $(needed "$1"); do
        case " libc libasan libubsan ld-linux ld-linux-x86-64 $allowed " in
            *" $library "*) ;;
            *)
                echo "needs $library"
                return 1
                ;;
        esac
    done
}

check "$(basename "$program") needs libc${allowed:+, $allowed} and nothing else" only_allowed "$program"

refuses() {
    ! "$@"
}

# The question itself: a program that needs one library more.
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT
printf 'int stray(void);\nint stray(void) { return 0; }\n' >"$directory/stray.c"
printf 'int stray(void);\nint main(void) { return stray(); }\n' >"$directory/main.c"
if ${CC:-cc} -shared -fPIC -Wl,-soname,libstray.so.1 -o "$directory/libstray.so" "$directory/stray.c" &&
    ${CC:-cc} -o "$directory/main" "$directory/main.c" "$directory/libstray.so"; then
    check 'one more is noticed' refuses only_allowed "$directory/main"
else
    not_ok 'a program with one more can be built'
fi

tap_end
