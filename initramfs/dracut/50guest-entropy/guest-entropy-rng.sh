#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, when udev has settled while the root is looked for, and again when it was found:
# binds virtio's hardware RNGs to their driver, without waiting for them. It is sourced: no exit.

# shellcheck source=/dev/null # bind-virtio-rng.sh of this tree
[ ! -r /usr/lib/guest-entropy/bind-virtio-rng.sh ] || . /usr/lib/guest-entropy/bind-virtio-rng.sh
