# SPDX-License-Identifier: MIT
"""Bad command lines and bad configuration files are refused with one clear line."""

import os

from .harness import NOBODY, Skip, case, need

USAGE, CONFIG, CANTCREAT, NOPERM = 64, 78, 73, 77
SOURCES = ("hwrng", "cpu", "tpm", "egd", "metadata", "file", "exec", "jitter")


def one_line(finished):
    lines = [line for line in finished.output.splitlines() if line]
    assert len(lines) == 1, f"expected one line: {lines}"


@case("an unknown option, a word too many, a missing argument: 64")
def unknown_option(box):
    one_line(box.run("-f", "--nonsense").expect(USAGE, "--nonsense"))
    box.run("-f", "-Z").expect(USAGE, "Z")
    box.run("-f", "word").expect(USAGE, "word")
    box.run("-f", "-W").expect(USAGE, "W")


@case("an unknown source: 64, and it is named")
def unknown_source(box):
    for option in ("-x", "-n"):
        one_line(box.run("-f", option, "teapot").expect(USAGE, "teapot", *SOURCES))
    box.run("-f", "-O", "teapot:path:/x").expect(USAGE, "teapot")
    box.run("-f", "-O", "namedpipe:colour:/x").expect(USAGE, "colour")


@case("a number out of range: 64, and the range is told")
def out_of_range(box):
    rows = (
        ("-s", "2501"),
        ("-s", "-1"),
        ("-W", "4097"),
        ("-W", "101%"),
        ("-W", "99999999999999999999"),
        ("-W", "0x10"),
        ("-e", "9"),
        ("-H", "1.5"),
        ("-H", "0.1234567"),
        ("-T", "50ms"),
        ("-T", "2h"),
        ("-R", "366d"),
        ("-R", "1 h"),
        ("--fork-check", "2d"),
        ("-S", "604801"),
        ("-B", "0"),
    )
    for option, value in rows:
        joined = option + value if len(option) == 2 else f"{option}={value}"
        one_line(box.run("-f", joined).expect(USAGE, "xpected"))


@case("an unknown key, section or value in the configuration: 78 with file and line")
def bad_config(box):
    rows = (
        ("[rngd]\nlog-level = info\ncolour = red\n", ":3:", "colour"),
        ("[hwrng]\nenabled = yes\n[teapot]\nenabled = yes\n", ":3:", "teapot"),
        ("[hwrng]\ncredit = 1025\n", ":2:", "1025"),
        ("[hwrng]\ncredit = -1\n", ":2:", "-1"),
        ("[rngd]\nreseed-interval = soon\n", ":2:", "soon"),
        ("[exec]\ncommand = relative words\n", ":2:", "relative"),
        ("enabled = yes\n", ":1:", "enabled"),
    )
    for text, line, word in rows:
        path = box.write_config(text)
        box.run("-f").expect(CONFIG, f"{path}{line}", word)


@case("a configuration that is missing, a directory, a FIFO or a device: 78, no hang")
def odd_config(box):
    for path in (box.path("missing"), box.directory, box.fifo(), "/dev/zero"):
        one_line(box.run("-f", "-c", path).expect(CONFIG, str(path)))


@case("a configuration that others may write is refused: 78")
def writable_config(box):
    path = box.write_config("[cpu]\nenabled = no\n")
    path.chmod(0o646)
    one_line(box.run("-f").expect(CONFIG, str(path)))
    path.chmod(0o664)
    os.chown(path, 0, NOBODY)
    one_line(box.run("-f").expect(CONFIG, str(path)))
    path.chmod(0o644)
    os.chown(path, NOBODY, 0)
    one_line(box.run("-f").expect(CONFIG, str(path)))


@case("a configuration that cannot be read: 78")
def unreadable_config(box):
    need("setpriv")
    path = box.write_config("")
    path.chmod(0o600)
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    one_line(box.run("-l", wrapper=nobody).expect(CONFIG, str(path), "ermission"))


@case("no CAP_SYS_ADMIN: one line and 77, in the background too")
def no_permission(box):
    need("setpriv")
    wrappers = (
        ["setpriv", "--bounding-set=-sys_admin"],
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"],
        ["unshare", "--user", "--map-root-user"],
    )
    for wrapper in wrappers:
        one_line(box.run("-f", wrapper=wrapper).expect(NOPERM, "No permission"))
    background = ["-p", str(box.path("pid"))]
    one_line(box.run(*background, wrapper=wrappers[0]).expect(NOPERM, "No permission"))


@case("a pid file that cannot be made: 73")
def no_pid_file(box):
    box.run("-p", box.path("no/such/directory/pid")).expect(CANTCREAT, "no/such/directory/pid")
    box.run("-p", box.directory).expect(CANTCREAT, str(box.directory))


@case("--help, --version and -O list need no privilege and no configuration")
def harmless(box):
    need("setpriv")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    box.run("--help", wrapper=nobody).expect(0, "--fill-watermark")
    box.run("--version", wrapper=nobody).expect(0)
    box.run("-O", "namedpipe", wrapper=nobody).expect(0, "path")


@case("-W on a latching kernel is answered with a notice, -W 0 is not")
def watermark(box):
    for value, lines in (("0", 0), ("2048", 1), ("90%", 1)):
        rngd = box.start("-W", value)
        if rngd.status()["kernel"]["model"] != "latching":
            raise Skip("this kernel has a threshold")
        assert rngd.log().count("-W: not used") == lines, rngd.log()
        rngd.stop()


@case("RHEL's default line starts")
def rhel(box):
    line = "--fill-watermark=0 -x pkcs11 -x nist -x qrypt -x namedpipe -x jitter -D daemon:daemon"
    rngd = box.start(*line.split())
    rngd.wait_source("hwrng", lambda s: s["state"] == "idle", "is idle")
    rngd.stop()
