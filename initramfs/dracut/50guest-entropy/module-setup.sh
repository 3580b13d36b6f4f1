#!/bin/bash
# SPDX-License-Identifier: MIT
# dracut: the seeder and what it needs. For initramfs images with systemd and without it.
#
# It has nothing to do with dracut's own module rngd, which takes the daemon and its unit into the
# image; this one takes neither, and its unit has another name. Where both are, the kernel is fed by
# both; omit_dracutmodules+=" rngd " saves the space.
#
# entropy_metadata=yes (dracut.conf) takes the metadata service as a source, and with it the network.

# called by dracut
check() {
    # an optional tool that is missing is no error of the image
    require_binaries entropy-seeder || return 1
    return 0
}

# called by dracut
depends() {
    # shellcheck disable=SC2154 # dracut.conf's
    [[ $entropy_metadata == yes ]] || return 0
    # A module that is depended on and cannot be installed would take this one out of the image.
    # check_module has said so of each that lacks something.
    if ! type check_module &>/dev/null || check_module network >/dev/null; then
        echo network
    else
        dwarn 'guest-entropy: no network for this image, and no metadata service in it'
    fi
    return 0
}

# is_wanted SECTION: the administrator enables or trusts it, in as many words
is_wanted() {
    [[ -r /etc/guest-entropy.conf ]] && awk -v section="[$1]" '
        /^[[:space:]]*\[/ { gsub(/[[:space:]]/, ""); here = $0 == section }
        here && /^[[:space:]]*(enabled[[:space:]]*=[[:space:]]*(yes|true|on|1)|trust[[:space:]]*=[[:space:]]*always)[[:space:]]*$/ {
            found = 1
        }
        END { exit !found }' /etc/guest-entropy.conf
}

# called by dracut
installkernel() {
    # Not by what this machine has: the image may be made in a builder.
    hostonly='' instmods virtio_pci virtio_mmio virtio_rng qemu_fw_cfg dmi-sysfs \
        virtio_blk virtio_scsi sr_mod isofs
    # A config drive is credited here only if it is trusted; else the real root reads it in time.
    is_wanted config-drive && hostonly='' instmods vfat nls_cp437 nls_ascii nls_iso8859-1 nls_utf8
    is_wanted tpm && hostonly='' instmods tpm_crb tpm_tis
    # jitterentropy_rng asks for sha3 when it is loaded, which modules.dep does not tell.
    is_wanted jitter && hostonly='' instmods algif_rng jitterentropy_rng sha3_generic
    return 0
}

# called by dracut
install() {
    local rules=79-guest-entropy-initramfs.rules

    inst_multiple entropy-seeder
    inst_multiple -o /etc/guest-entropy.conf

    # shellcheck disable=SC2154 # dracut's: systemdsystemunitdir, initdir, moddir
    if dracut_module_included systemd; then
        # The modules are systemd's: it loads those of an RNG before all else.
        inst_simple "$systemdsystemunitdir/entropy-seeder-initramfs.service"
        $SYSTEMCTL -q --root "$initdir" add-wants sysinit.target entropy-seeder-initramfs.service
    else
        inst_multiple mkdir rm sleep modprobe
        inst_simple "/usr/share/guest-entropy/$rules" "/etc/udev/rules.d/$rules"
        inst_simple /usr/share/guest-entropy/bind-virtio-rng.sh /usr/lib/guest-entropy/bind-virtio-rng.sh
        inst_hook pre-udev 05 "$moddir/guest-entropy-start.sh"
        inst_hook initqueue/settled 05 "$moddir/guest-entropy-rng.sh"
        inst_hook pre-mount 00 "$moddir/guest-entropy-rng.sh"
        inst_hook cleanup 95 "$moddir/guest-entropy-stop.sh"
    fi

    if [[ $entropy_metadata == yes ]] && dracut_module_included network; then
        inst_multiple -o /usr/libexec/guest-entropy/entropy-metadata \
            /usr/lib/guest-entropy/entropy-metadata
        # Not in initqueue/online, which not every network module of dracut runs.
        if dracut_module_included systemd; then
            inst_simple "$moddir/entropy-seeder-initramfs-metadata.service" \
                "$systemdsystemunitdir/entropy-seeder-initramfs-metadata.service"
            $SYSTEMCTL -q --root "$initdir" add-wants sysinit.target \
                entropy-seeder-initramfs-metadata.service
        else
            inst_hook pre-udev 06 "$moddir/guest-entropy-metadata.sh"
        fi
    fi
    return 0
}
