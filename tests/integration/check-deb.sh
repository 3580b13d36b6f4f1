#!/bin/sh
# SPDX-License-Identifier: MIT
# check-deb.sh SOURCE: the Debian packages build, lintian finds no error in them, and they hold what they
# should. The guests of the VM tests install the same ones.
set -u
. "$(dirname -- "$0")/tap.sh"

source=$1
command -v lintian >/dev/null || {
    skip 'Debian packages' 'no lintian'
    tap_end
}

list=$(mktemp)
trap 'rm -f -- "$list"' EXIT
directory=$("$source/tests/vm/get-packages" 2>"$list")
case $? in
    0) ok 'dpkg-buildpackage' ;;
    77)
        skip 'Debian packages' "$(cat "$list")"
        tap_end
        ;;
    *)
        not_ok 'dpkg-buildpackage' "$(cat "$list")"
        tap_end
        ;;
esac
check 'lintian finds no error' lintian --fail-on error --suppress-tags bad-distribution-in-changes-file \
    "$directory"/guest-entropy_*.changes

# holds PACKAGE PATH...
holds() {
    package=$1
    shift
    dpkg-deb --contents "$directory/$package"_[0-9]*.deb | awk '{ print $6 }' >"$list" || return 1
    for path; do
        grep -qx "./$path" "$list" || {
            echo "$package has no $path"
            return 1
        }
    done
}
check 'guest-entropy has what a boot needs' holds guest-entropy usr/sbin/rngd usr/bin/entropy-seeder \
    lib/systemd/system/rngd.service lib/systemd/system/entropy-seeder.service \
    usr/share/initramfs-tools/hooks/guest-entropy usr/lib/dracut/modules.d/50guest-entropy/module-setup.sh
check 'entropy-monitor is a package of its own' holds entropy-monitor usr/bin/entropy-monitor
check 'so are the tools for images' holds guest-entropy-image-tools usr/bin/entropy-image \
    usr/share/guest-entropy/hooks/mkosi.finalize usr/share/man/man8/entropy-seeder-image.8.gz

image_tools_alone() {
    ! dpkg-deb --contents "$directory"/guest-entropy-image-tools_*.deb | grep -E 'rngd|systemd|udev|bin/entropy-seeder' &&
        ! dpkg-deb --field "$directory"/guest-entropy-image-tools_*.deb Depends | grep -E 'entropy|systemd|udev'
}
check 'which bring no daemon and no unit' image_tools_alone

no_curl() {
    ! dpkg-deb --field "$directory"/guest-entropy_[0-9]*.deb Depends | grep curl
}
check 'guest-entropy needs no libcurl' no_curl
told=$("$(dirname -- "$0")/deb-tree.py" "$directory" 2>&1)
case $? in
    0) ok 'they install in a plain Debian, and a purge leaves nothing' ;;
    77) skip 'they install in a plain Debian' "$told" ;;
    *) not_ok 'they install in a plain Debian, and a purge leaves nothing' "$told" ;;
esac

tap_end
