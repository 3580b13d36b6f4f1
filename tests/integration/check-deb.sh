#!/bin/sh
# SPDX-License-Identifier: MIT
# check-deb.sh SOURCE [FOLDER]: the Debian packages build, lintian finds no error in them, and they hold
# what they should. FOLDER keeps them.
set -u
. "$(dirname -- "$0")/tap.sh"

source=$1
for tool in dpkg-buildpackage dh lintian git; do
    command -v "$tool" >/dev/null || {
        skip 'Debian packages' "no $tool"
        tap_end
    }
done

work=$(mktemp -d /var/tmp/check-deb-XXXXXX)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/tree"
# What is committed and what is changed, without build folders.
(cd -- "$source" && git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null |
    tar -cf - -T -) | tar -xf - -C "$work/tree"
ln -s packaging/debian "$work/tree/debian"

build() (
    cd -- "$work/tree" && DEB_BUILD_OPTIONS="parallel=2 noddebs" nice dpkg-buildpackage -us -uc -b
)
check 'dpkg-buildpackage' build
check 'lintian finds no error' lintian --fail-on error --suppress-tags bad-distribution-in-changes-file \
    "$work"/guest-entropy_*.changes

# holds PACKAGE PATH...
holds() {
    package=$1
    shift
    dpkg-deb --contents "$work/$package"_[0-9]*.deb | awk '{ print $6 }' >"$work/list" || return 1
    for path; do
        grep -qx "./$path" "$work/list" || {
            echo "$package has no $path"
            return 1
        }
    done
}
check 'guest-entropy has what a boot needs' holds guest-entropy usr/sbin/rngd usr/bin/entropy-seeder \
    lib/systemd/system/rngd.service lib/systemd/system/entropy-seeder.service \
    usr/share/initramfs-tools/hooks/guest-entropy usr/lib/dracut/modules.d/50guest-entropy/module-setup.sh
check 'entropy-monitor is a package of its own' holds entropy-monitor usr/bin/entropy-monitor

no_curl() {
    ! dpkg-deb --field "$work"/guest-entropy_[0-9]*.deb Depends | grep curl
}
check 'guest-entropy needs no libcurl' no_curl
told=$("$(dirname -- "$0")/deb-tree.py" "$work" 2>&1)
case $? in
    0) ok 'they install in a plain Debian, and a purge leaves nothing' ;;
    77) skip 'they install in a plain Debian' "$told" ;;
    *) not_ok 'they install in a plain Debian, and a purge leaves nothing' "$told" ;;
esac
if [ -n "${2:-}" ]; then
    cp "$work"/*.deb "$2"
fi

tap_end
