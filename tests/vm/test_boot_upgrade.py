# SPDX-License-Identifier: MIT
"""A whole Debian 12 guest where our package took the place of rng-tools-debian, which was set up: the first boot after it.

tests/integration/deb-upgrade.py looks at more of this, in a tree that is not booted.
"""

from harness import debian
from harness.bed import check
from harness.debian_boot import Guests
from harness.runner import vm_test

OPTIONS = "--fill-watermark=90% --feed-interval=60"
SCRIPT = rf"""
printf '%s\n' HRNGDEVICE=/dev/hwrng 'RNGDOPTIONS="{OPTIONS}"' >/etc/default/rng-tools-debian
ls /etc/rc2.d/S*rng-tools-debian
sed -i '/^echo "== failed"/i \
echo "== upgraded"; tr "\\\\0" " " </proc/$(systemctl show -P MainPID rngd.service)/cmdline; echo \
systemctl list-units --plain --no-legend --state=active --type=service "*rng*"' /usr/sbin/boot-report
"""
SPEC = debian.Spec("over-rng-tools-debian", True, script=SCRIPT, newer=("bookworm", ("rng-tools-debian",)))


@vm_test(whole=True, timeout=900)
def test_over_rng_tools_debian(bed):
    report = Guests(bed).boot(SPEC, SPEC.name, devices=["-device", "virtio-rng-pci"])
    command, *units = report.parts["upgraded"]
    bed.note(f"{command}: {units}")
    check(OPTIONS in command, f"rngd runs as {command}")
    check([line.split()[0] for line in units] == ["rngd.service"], f"active are {units}")
    check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")
    check(not report.failed, f"failed units: {report.failed}")
