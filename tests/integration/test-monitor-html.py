#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-monitor-html.py ENTROPY-MONITOR RECORDING: the page of plot --html in a real browser, without a network."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import style

# Run behind the page's own script: uses it as a hand with a mouse does, and leaves what came of it in the DOM.
PROBE = """<script>
{ const p = panels[0], c = p.canvas, box = c.getBoundingClientRect(), out = {};
  const at = (type, x, more) => c.dispatchEvent(new (type === "wheel" ? WheelEvent : PointerEvent)(type,
    { clientX: box.left + x, clientY: box.top + 150, bubbles: true, cancelable: true, ...more }));
  out.panels = panels.length;
  const image = (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height);
  const pixels = (q) => new Set(new Uint32Array(image(q.canvas).data.buffer)).size;
  out.colours = pixels(p);
  const before = p.to - p.from;
  for (let i = 0; i < 10; i++) at("wheel", 400, { deltaY: -1 });
  out.zoomed = (p.to - p.from) / before;
  const from = p.from;
  c.setPointerCapture = () => {};
  at("pointerdown", 400, { pointerId: 1 });
  at("pointermove", 300, { pointerId: 1 });
  at("pointerup", 300, { pointerId: 1 });
  out.moved = p.from - from;
  at("pointermove", box.width - 60);
  out.tip = document.getElementById("tip").textContent;
  out.tipShown = document.getElementById("tip").style.display;
  at("pointerleave", 0);
  out.tipHidden = document.getElementById("tip").style.display;
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
  out.all = p.from === p.first && p.to === p.last;
  out.loaded = performance.getEntriesByType("resource").length;
  document.body.dataset.probe = JSON.stringify(out); }
</script>
</body>"""


def browse(browser, directory, page):
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--no-first-run", "--window-size=1280,900",
            f"--user-data-dir={directory / 'profile'}", "--dump-dom", f"file://{page}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    match = re.search(r'data-probe="([^"]*)"', done.stdout)
    if not match:
        return None
    return json.loads(match.group(1).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def main():
    monitor, recording = sys.argv[1:]
    names = ("chromium", "chromium-browser", "headless_shell", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if not browser:
        style.skip("no chromium")
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        page = directory / "page.html"
        subprocess.run([monitor, "plot", "--html", "-o", str(page), recording, recording], check=True, timeout=30)
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("</body>", PROBE), encoding="utf-8")
        out = browse(browser, directory, page)

    cases = [("the page runs without an error", out is not None)]
    if out:
        cases += [
            ("one panel for each recording", out["panels"] == 2),
            ("something is drawn", out["colours"] > 20),
            ("the wheel zooms", 0.05 < out["zoomed"] < 0.2),
            ("dragging moves", out["moved"] > 0),
            ("the pointer's place is told", out["tipShown"] == "block" and " s" in out["tip"] and "level" in out["tip"]),
            ("and hidden again", out["tipHidden"] == "none"),
            ("0 shows all", out["all"]),
            ("nothing is loaded", out["loaded"] == 0),
        ]
    failed = 0
    for number, (what, passed) in enumerate(cases, 1):
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {what}")
    if failed:
        print(f"# {out}")
    print(f"# counts passed={len(cases) - failed} failed={failed} skipped=0")
    return 1 if failed else 0


sys.exit(main())
