# SPDX-License-Identifier: MIT
"""entropy-monitor status in guests that are seeded by nothing, by the kernel's jitter, by entropy-seeder and by rngd."""

import json
import pathlib

from harness.bed import check
from harness.runner import vm_test

import test_monitor as monitor
import test_seeder as seeder
import test_sources as sources

SEEDED, JITTER, NOT_READY, UNKNOWN = range(4)


def status(vm, code, by):
    """The answer as JSON, which the text and the metrics must agree with."""
    answer, text, metrics = (vm.run(monitor.MONITOR, "status", *option) for option in (["--json"], [], ["--prometheus"]))
    codes = [done.get("code") for done in (answer, text, metrics)]
    check(codes == [code] * 3, f"exit status {codes}, expected {code}: {text['out']}")
    told = json.loads(answer["out"])
    check(told["code"] == code and by in told["by"], f"{told}, expected to name {by!r}")
    check(told["by"] in text["out"].splitlines()[0], text["out"])
    check(f"\nguest_entropy_status {code}\n" in metrics["out"], metrics["out"])
    check(told["ready"] == (code != NOT_READY) and f"\nguest_entropy_ready {told['ready']:d}\n" in metrics["out"], f"{told}")
    return told, text["out"]


@vm_test()
def test_starved(bed):
    """Not ready; then ready by the jitter loop, as the kernel's log and the recording say; and nobody is left to say so."""
    vm = bed.linux(image=monitor.monitor_image(bed), init=monitor.MONITOR, append="log_buf_len=64k")
    status(vm, NOT_READY, "nothing")
    vm.ask("spawn", "log=/tmp/dd", "--", "/bin/dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")
    vm.wait_until(lambda: vm.random()["ready"], 20, "the jitter loop made the RNG ready")
    told, _ = status(vm, JITTER, "the kernel alone")
    vm.wait_until(lambda: vm.shell("for i in $(busybox seq 500); do echo '<6>" + "x" * 200 + "' >/dev/kmsg; done") == ""
                  and not any("Linux version" in str(line) for line in vm.kmsg()), 20, "the log has lost its first line")
    lost, _ = status(vm, UNKNOWN, "nobody says")
    check(not lost["since_usec"] and told["since_usec"], f"since {told['since_usec']}, and {lost['since_usec']} without the log")
    recording = monitor.finish(vm)
    status(vm, JITTER, "as the recording of this boot shows")
    page = vm.run(monitor.MONITOR, "report")["out"]
    check("by the kernel's own jitter loop" in page, page)
    # Another boot's recording says nothing of this one.
    vm.write(monitor.RECORDING, json.dumps({**recording, "boot_id": "0f32a9c4-5a3d-4a5c-9a0e-2d1c8b7e6f01"}))
    status(vm, UNKNOWN, "nobody says")


@vm_test()
def test_reports(bed):
    """entropy-seeder makes the RNG ready in the initramfs, rngd feeds later: status, recording, report and plot name both."""
    bed.only_ours()
    server = bed.server()
    (bed.directory / "item").write_bytes(sources.seed("item", 64))
    image = monitor.monitor_image(bed)
    image.program(pathlib.Path(bed.rngd).parents[1] / "seeder/entropy-seeder", seeder.SEEDER)
    image.data("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    image.data("etc/guest-entropy.conf", "[platform]\ntrust = always\n")
    vm = bed.linux(image=image, init=monitor.MONITOR, modules=("virtio_pci", "virtio_rng"), load=("qemu_fw_cfg",), devices=[
        *server.device(), "-fw_cfg", f"name=opt/guest-entropy/seed,file={bed.directory / 'item'}"])
    status(vm, NOT_READY, "nothing")
    fed = seeder.run(vm, "--initramfs")
    told, _ = status(vm, SEEDED, "entropy-seeder (platform fw_cfg)")
    check(told["seeder_credited_bits"] == 512 and not told["rngd_running"], f"{told}")
    # The run report of the real root, where the same seed counts for nothing, is merged with that of the initramfs.
    again = seeder.run(vm, "--real-root", "--source=platform")
    check(fed.bits() == 512 and again.bits() == 0, f"{fed.note()}; {again.note()}")
    told, text = status(vm, SEEDED, "entropy-seeder (platform fw_cfg)")
    check(told["seeder_credited_bits"] == 512 and "512 bits credited, most by platform fw_cfg" in text, text)

    vm.load("virtio_pci")
    vm.load("virtio_rng")
    daemon = bed.start(vm)
    daemon.wait_status(lambda s: s["last_feed"], 5, "a first feed")
    told, text = status(vm, SEEDED, "entropy-seeder")
    check(told["rngd_running"] and told["rngd_credited_bits"] >= 256 and told["last_feed_usec"], f"{told}")
    check("most by hwrng, 0 VM forks" in text and told["kernel"]["hwrng"] == "virtio_rng.0", text)

    recording = monitor.finish(vm)
    run_reports = recording["reports"]
    check(set(run_reports) == {"seeder-initramfs", "seeder", "rngd"}, f"run_reports: {list(run_reports)}")
    line = next(s for s in run_reports["seeder-initramfs"]["sources"] if s["name"] == "platform fw_cfg")
    ready = recording["rng"]["ready_usec"]
    check(line["credited_bits"] == 512 and abs(line["at_usec"] - ready) < 100_000, f"{line}, ready at {ready}")
    check(any(s["name"] == "hwrng" and s["credited_bits"] >= 256 for s in run_reports["rngd"]["sources"]), f"{run_reports['rngd']}")
    check(sources.seed("item", 64).hex() not in json.dumps(run_reports), "the seed itself is in the recording")
    events = [e["text"] for e in recording["events"] if e["kind"] == "seeder"]
    check(events and events[0].startswith("kernel RNG ready at"), f"events: {recording['events']}")

    page = vm.run(monitor.MONITOR, "report")["out"]
    bed.note(" | ".join(row for row in page.splitlines() if " B, +" in row or row.startswith("Ready")))
    check(", by entropy-seeder\n" in page and "seeder-initramfs platform fw_cfg: 64 B, +512 bits at" in page, page)
    check("rngd hwrng: " in page, page)
    picture = vm.run(monitor.MONITOR, "plot")["out"]
    check("+512 seeder-initramfs" in picture and "rngd" in picture, picture[-3000:])


@vm_test()
def test_rngd_alone(bed):
    """Without a seeder and without a hwrng, rngd is why the guest is seeded."""
    bed.only_ours()
    image = sources.image(bed)
    image.program(pathlib.Path(bed.agent).parents[2] / "monitor/entropy-monitor", monitor.MONITOR)
    vm = bed.linux(image=image)
    sources.start_server(vm, "unix:/run/egd-pool")
    daemon = bed.start(vm, config="[egd]\naddress = unix:/run/egd-pool\n")
    daemon.wait_status(lambda s: s["last_feed"] and s["kernel"]["ready"], 10, "rngd made the kernel ready")
    told, text = status(vm, SEEDED, "rngd (egd)")
    check(told["rngd_credited_bits"] >= 256 and told["seeder_credited_bits"] == 0 and told["since_usec"], text)
    daemon.stop()
    _, text = status(vm, UNKNOWN, "rngd ran, but does not answer")
    check("does not run, or does not answer" in text, text)


@vm_test()
def test_later_runs(bed):
    """The seeder's first run finds nothing, a later one makes the RNG ready: that is what status and the recording name."""
    bed.only_ours()
    image = sources.image(bed)
    image.program(pathlib.Path(bed.agent).parents[2] / "monitor/entropy-monitor", monitor.MONITOR)
    image.program(pathlib.Path(bed.rngd).parents[1] / "seeder/entropy-seeder", seeder.SEEDER)
    image.data("etc/guest-entropy.conf", "[egd]\naddress = unix:/run/egd-pool\n")
    vm = bed.linux(image=image, init=monitor.MONITOR)
    sources.start_server(vm, "unix:/run/egd-pool")
    seeder.run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=seeder.NOT_READY)
    told, _ = status(vm, NOT_READY, "nothing")
    check(told["seeder_credited_bits"] == 0, f"{told}")
    fed = seeder.run(vm, "--real-root", "--source=egd")
    told, text = status(vm, SEEDED, "entropy-seeder (egd)")
    check(fed.bits() >= 256 and told["seeder_credited_bits"] == fed.bits() and "most by egd" in text, f"{fed.note()}; {text}")
    third = seeder.run(vm, "--real-root", "--source=egd")
    told, text = status(vm, SEEDED, "entropy-seeder (egd)")
    check(told["seeder_credited_bits"] == fed.bits() + third.bits(), f"{third.note()}; {text}")
    recording = monitor.finish(vm)
    check(set(recording["reports"]) == {"seeder", "seeder-2", "seeder-3"}, f"run_reports: {list(recording['reports'])}")
    page = vm.run(monitor.MONITOR, "report")["out"]
    bed.note(" | ".join(row for row in page.splitlines() if " B, +" in row or row.startswith("Ready")))
    check(", by entropy-seeder\n" in page and "seeder-2 egd: " in page, page)
