#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, cleanup: ends the seeders before the initramfs is deleted beneath them. /run
# with their run reports goes on to the real root. It is sourced: no exit.

# is_seeder PID: still the one that was started, not another with its number
is_seeder() {
    _name=
    read -r _name 2>/dev/null <"/proc/$1/comm" && [ "$_name" = entropy-seeder ]
}

# stop_seeder FILE: the one whose number is there
stop_seeder() {
    read -r _seeder 2>/dev/null <"$1" || return 0
    rm -f "$1"
    is_seeder "$_seeder" || return 0
    kill -TERM "$_seeder" 2>/dev/null || :
    # At most 50 ms; its workers die with it.
    for _ in 1 2 3 4 5; do
        is_seeder "$_seeder" || break
        sleep 0.01
    done
    ! is_seeder "$_seeder" || kill -KILL "$_seeder" 2>/dev/null || :
}

stop_seeder /run/guest-entropy/seeder-metadata.pid
stop_seeder /run/guest-entropy/seeder-initramfs.pid
unset _name _seeder
