#!/bin/sh
# SPDX-License-Identifier: MIT
# check-install.sh BUILD-FOLDER LIST [PATTERN]: installs into an empty folder and compares what is
# there, with its modes, to the list. Lines that match PATTERN are not built here.
set -u
. "$(dirname -- "$0")/tap.sh"

build=$1
list=$2
unbuilt=${3:-^$}

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT

# What a person with a strict umask installs must be of use to others all the same.
umask 077
check 'meson install' meson install -C "$build" --no-rebuild --quiet --destdir "$folder/root"

grep -v '^#' "$list" | grep -Ev "$unbuilt" | sort >"$folder/expected"
(cd "$folder/root" && find . ! -type d -printf '%m %P\n') | sort >"$folder/found"
check 'the installed files are those of the list' \
    diff -u --label list --label installed "$folder/expected" "$folder/found"

# As `ninja uninstall` does it.
uninstall() (
    cd -- "$build" && meson --internal uninstall
)
check 'meson uninstall' uninstall
(cd "$folder" && find root ! -type d 2>/dev/null) >"$folder/left"
check 'an uninstall leaves nothing' diff -u --label nothing --label left /dev/null "$folder/left"

# The comparison itself: one file more is one too many.
echo '755 usr/bin/stray' >>"$folder/found"
if diff "$folder/expected" "$folder/found" >/dev/null; then
    not_ok 'a stray file is noticed'
else
    ok 'a stray file is noticed'
fi

tap_end
