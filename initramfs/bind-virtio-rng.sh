# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Binds virtio's hardware RNGs to their driver, which udev leaves to this script. Sourced by scripts of
# an initramfs without systemd, after udev has seen to the devices; no exit.
#
# Where such a device never answers, the probe of the next one may not come back before Linux 6.11:
# modprobe would hang with it, then everybody who asks for that module again, which systemd does first of
# all, and at last the shutdown. So the driver is loaded while nothing is probed, and entropy-seeder, whose
# source says more, binds one device after the other. udev must be done with them by then: it reads what a
# probe keeps locked.

_virtio=/sys/bus/virtio

_rngs=
for _device in "$_virtio"/devices/*; do
    read -r _alias 2>/dev/null <"$_device/modalias" || continue
    case $_alias in
        virtio:d00000004v*) [ -e "$_device/driver" ] || _rngs="$_rngs ${_device##*/}" ;;
    esac
done

# bind_virtio_rngs DEVICE...: all of it beside the boot
bind_virtio_rngs() {
    echo 0 >"$_virtio/drivers_autoprobe" || :
    modprobe -qb virtio_rng || :
    echo 1 >"$_virtio/drivers_autoprobe" || :
    # What else came meanwhile was not probed either. Some have no driver, as a balloon.
    for _device in "$_virtio"/devices/*; do
        case " $* " in
            *" ${_device##*/} "*) ;;
            *) [ -e "$_device/driver" ] || echo "${_device##*/}" >"$_virtio/drivers_probe" & ;;
        esac
    done
    entropy-seeder bind-virtio-rng "$@" || case $? in
        # Where it does not even start, better all at once than none.
        126 | 127) for _device; do echo "$_device" >"$_virtio/drivers_probe" & done ;;
    esac
}

if [ -n "$_rngs" ]; then
    # shellcheck disable=SC2086 # names of devices
    bind_virtio_rngs $_rngs </dev/null >/dev/null 2>&1 &
    # It takes a few milliseconds, and what comes next may want random numbers; 50 at most.
    for _ in 1 2 3 4 5; do
        read -r _current 2>/dev/null </sys/class/misc/hw_random/rng_current || _current=none
        [ "$_current" = none ] || break
        sleep 0.01
    done
fi
unset _virtio _rngs _device _alias _current
