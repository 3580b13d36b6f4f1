# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Binds virtio's hardware RNGs to their driver, which udev leaves to this script. Sourced by scripts of
# an initramfs without systemd, after udev has seen to the devices; no exit.
#
# Where such a device never answers, its driver's probe may not come back: before Linux 6.11 it adds
# "early randomness" behind a mutex that the kernel's own reader of the device holds. modprobe would hang
# with it, and then everybody who asks for that module again, which systemd does first of all. So the
# driver is loaded while nothing is probed, and each device is probed by a process of its own that nobody
# waits for. udev must be done with them by then: it reads what a probe keeps locked.

_virtio=/sys/bus/virtio

_rng=
for _device in "$_virtio"/devices/*; do
    read -r _alias 2>/dev/null <"$_device/modalias" || continue
    case $_alias in
        virtio:d00000004v*) [ -e "$_device/driver" ] || _rng=$_device ;;
    esac
done

# bind_virtio_rngs: all of it beside the boot
bind_virtio_rngs() {
    echo 0 >"$_virtio/drivers_autoprobe" || :
    modprobe -qb virtio_rng || :
    echo 1 >"$_virtio/drivers_autoprobe" || :
    # Not the RNGs alone: what else came meanwhile was not probed either.
    for _device in "$_virtio"/devices/*; do
        [ -e "$_device/driver" ] || {
            echo "${_device##*/}" >"$_virtio/drivers_probe"
            # Not where there is no driver, as for a balloon.
            [ ! -e "$_device/driver" ] || : >"$_bound"
        } &
    done
}

if [ -n "$_rng" ]; then
    _bound=/run/guest-entropy/virtio-rng-bound
    bind_virtio_rngs </dev/null >/dev/null 2>&1 &
    # It takes a few milliseconds, and what comes next may want random numbers; 50 at most.
    for _ in 1 2 3 4 5; do
        [ ! -e "$_bound" ] || break
        sleep 0.01
    done
    rm -f "$_bound" 2>/dev/null || :
fi
unset _virtio _rng _device _alias _bound
