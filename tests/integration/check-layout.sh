#!/bin/sh
# SPDX-License-Identifier: MIT
# check-layout.sh SOURCE: the directories of other distributions can be chosen, and what is not wanted can be
# left out. Configures only; nothing is built.
set -u
. "$(dirname -- "$0")/tap.sh"

source=$1
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT

# installs NAME OPTION...: the list of what such a build would install
installs() {
    name=$1
    shift
    meson setup "$directory/$name" "$source" -Dtests=false "$@" >"$directory/log" 2>&1 || {
        tail -n 5 "$directory/log"
        return 1
    }
    meson introspect "$directory/$name" --installed | tr ',' '\n' | sed 's/.*: "//; s/"}*$//' >"$directory/$name.list"
}

# has NAME PATH...
has() {
    list=$directory/$1.list
    shift
    for path; do
        grep -qx -- "$path" "$list" || {
            echo "no $path in:"
            cat "$list"
            return 1
        }
    done
}

lacks() {
    ! grep -E -- "$2" "$directory/$1.list"
}

check 'configured as on Arch' installs arch --libexecdir=lib --sbindir=bin \
    -Dsystemdsystemunitdir=/usr/lib/systemd/system -Dsystemdsystempresetdir=/usr/lib/systemd/system-preset \
    -Dudevrulesdir=/usr/lib/udev/rules.d -Dinitramfs-tools=false -Dmkinitcpio=true
check 'the directories of Arch' has arch /usr/lib/systemd/system/rngd.service /usr/bin/rngd \
    /usr/lib/systemd/system-preset/80-guest-entropy.preset /usr/lib/udev/rules.d/60-guest-entropy.rules \
    /usr/lib/initcpio/install/guest-entropy /usr/lib/initcpio/hooks/guest-entropy \
    /usr/lib/dracut/modules.d/50guest-entropy/module-setup.sh
check 'no initramfs-tools on Arch' lacks arch initramfs-tools
check 'units start what is installed' grep -q '^ExecStart=/usr/bin/rngd ' "$directory/arch/units/rngd.service"

check 'configured for OpenRC and runit, without systemd' installs other -Dopenrc=true -Drunit=true -Ddracut=false \
    -Dsystemdsystemunitdir=no -Dsystemdsystempresetdir=no -Dsysusersdir=no \
    -Dtmpfilesdir=no -Dudevrulesdir=no
check 'the services of OpenRC and runit' has other /etc/init.d/rngd /etc/init.d/entropy-seeder /etc/sv/rngd/run \
    /etc/sv/entropy-seeder/run
check 'nothing of systemd' lacks other 'systemd|sysusers|tmpfiles|udev|dracut'

tap_end
