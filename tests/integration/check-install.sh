#!/bin/sh
# SPDX-License-Identifier: MIT
# check-install.sh BUILD-DIRECTORY LIST [PATTERN]: installs into an empty directory and compares what is
# there, with its modes, to the list. Lines that match PATTERN are not built here.
set -u
. "$(dirname -- "$0")/tap.sh"

build=$1
list=$2
unbuilt=${3:-^$}

directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT

# What a person with a strict umask installs must be of use to others all the same.
umask 077
check 'meson install' meson install -C "$build" --no-rebuild --quiet --destdir "$directory/root"

grep -v '^#' "$list" | grep -Ev "$unbuilt" | sort >"$directory/expected"
(cd "$directory/root" && find . ! -type d -printf '%m %P\n') | sort >"$directory/found"
check 'the installed files are those of the list' \
    diff -u --label list --label installed "$directory/expected" "$directory/found"

# As `ninja uninstall` does it.
uninstall() (
    cd -- "$build" && meson --internal uninstall
)
check 'meson uninstall' uninstall
(cd "$directory" && find root ! -type d 2>/dev/null) >"$directory/left"
check 'an uninstall leaves nothing' diff -u --label nothing --label left /dev/null "$directory/left"

# The comparison itself: one file more is one too many.
echo '755 usr/bin/stray' >>"$directory/found"
if diff "$directory/expected" "$directory/found" >/dev/null; then
    not_ok 'a stray file is noticed'
else
    ok 'a stray file is noticed'
fi

tap_end
