#!/bin/sh
# SPDX-License-Identifier: MIT
# The SELinux module compiles against the distribution's interfaces, and links with its policy where that is
# installed. What it allows is not tried: that takes an enforcing system.
set -u
cd -- "$(dirname -- "$0")" || exit 1
. ./tap.sh

module=$(cd ../../packaging/selinux && pwd) || exit 1
installed=$PWD/installed.txt
devel=/usr/share/selinux/devel/Makefile
policy=/usr/share/selinux/default
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT

compile() {
    make -C "$work" -f "$devel" "$1.pp" && [ -s "$work/$1.pp" ]
}

refuses() {
    ! compile "$1"
}

# A domain of somebody else's who asks rngd.
write_user() {
    cat >"$work/entropy_$1.te" <<END
policy_module(entropy_$1, 1.0.0)
type entropy_$1_t;
domain_type(entropy_$1_t)
guest_entropy_read_status(entropy_$1_t)
guest_entropy_read_runtime_files(entropy_$1_t)
$2
END
}

# Every program that it labels is installed there.
programs_are_installed() {
    sed -n 's|^/\(usr/[^[:space:]]*\)[[:space:]].*|\1|p' "$module/guest_entropy.fc" >"$work/programs"
    [ -s "$work/programs" ] || return 1
    while read -r program; do
        grep -q " $program\$" "$installed" || return 1
    done <"$work/programs"
}

links() {
    for name in base rngd; do
        bzcat "$policy/$name.pp.bz2" >"$work/dist_$name.pp" || return 1
    done
    (cd "$work" && semodule_link -o linked.pp dist_base.pp dist_rngd.pp guest_entropy.pp &&
        semodule_expand linked.pp policy && [ -s policy ])
}

check "labelled programs are installed" programs_are_installed
if ! command -v checkmodule >/dev/null || ! command -v semodule_package >/dev/null || [ ! -e "$devel" ]; then
    skip "the module compiles" "no checkmodule, semodule_package or $devel"
    tap_end
fi

cp "$module"/guest_entropy.* "$work" || exit 1
check "the module compiles" compile guest_entropy
write_user reader ''
check "a module that uses its interfaces compiles" compile entropy_reader
write_user bad 'allow entropy_bad_t no_such_t:file read;'
check "a type that nobody declared is refused" refuses entropy_bad
if [ -e "$policy/base.pp.bz2" ] && [ -e "$policy/rngd.pp.bz2" ] && command -v semodule_link >/dev/null; then
    check "it links with the distribution's policy" links
fi
tap_end
