#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, cleanup: ends the seeder before the initramfs is deleted beneath it. /run
# with its ledger goes on to the real root. It is sourced: no exit.

# is_seeder PID: still the one that was started, not another with its number
is_seeder() {
    _name=
    read -r _name 2>/dev/null <"/proc/$1/comm" && [ "$_name" = entropy-seeder ]
}

if read -r _seeder 2>/dev/null </run/guest-entropy/seeder-initramfs.pid; then
    rm -f /run/guest-entropy/seeder-initramfs.pid
    if is_seeder "$_seeder"; then
        kill -TERM "$_seeder" 2>/dev/null || :
        # At most 50 ms; its workers die with it.
        for _ in 1 2 3 4 5; do
            is_seeder "$_seeder" || break
            sleep 0.01
        done
        ! is_seeder "$_seeder" || kill -KILL "$_seeder" 2>/dev/null || :
    fi
fi
unset _name _seeder
