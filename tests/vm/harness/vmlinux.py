# SPDX-License-Identifier: MIT
"""The kernel inside a bzImage, which QEMU starts by its PVH entry.

Without KVM a guest takes up to four seconds to unpack a kernel. This unpacks it once and keeps it beside the bzImage.
"""

import lzma
import os
import pathlib
import struct
import subprocess
import tempfile

SETUP_SECTORS, PAYLOAD = 0x1F1, 0x248  # offsets in the boot header, see Documentation/x86/boot.rst
SECTOR = 512
SIZE_APPENDED = 4


def run(program):
    return lambda packed: subprocess.run([program, "-dc"], input=packed, capture_output=True, check=True, timeout=60).stdout


UNPACK = {b"\xfd7zXZ\0": lzma.decompress, b"\x28\xb5\x2f\xfd": run("zstd"), b"\x02!L\x18": run("lz4")}


def unpack(image):
    start = ((image[SETUP_SECTORS] or 4) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    packed = image[start + offset:][:length - SIZE_APPENDED]
    return next(function for magic, function in UNPACK.items() if packed.startswith(magic))(packed)


def get(kernel):
    """The path of the unpacked kernel, or of the bzImage where it cannot be unpacked."""
    image, unpacked = kernel / "vmlinuz", kernel / "vmlinux"
    if unpacked.exists():
        return unpacked
    try:
        with tempfile.TemporaryDirectory(prefix=".vmlinux.", dir=kernel) as temp:
            made = pathlib.Path(temp, "vmlinux")
            made.write_bytes(unpack(image.read_bytes()))
            os.rename(made, unpacked)
    except (OSError, StopIteration, lzma.LZMAError, subprocess.SubprocessError):
        return image
    return unpacked
