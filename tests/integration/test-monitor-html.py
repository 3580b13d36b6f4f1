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
{ const p = panels[0], svg = p.svg, box = svg.getBoundingClientRect(), out = {};
  const at = (type, x, more) => svg.dispatchEvent(new (type === "wheel" ? WheelEvent : PointerEvent)(type,
    { clientX: box.left + x, clientY: box.top + 150, bubbles: true, cancelable: true, ...more }));
  const shown = (selector) => [...svg.querySelectorAll(selector)].filter((e) => e.getClientRects().length).length;
  const text = () => [...svg.querySelectorAll("text")].filter((e) => e.getClientRects().length).map((e) => e.textContent);
  out.panels = panels.length;
  out.fits = svg.viewBox.baseVal.width === svg.parentElement.clientWidth;
  out.text = text();
  out.shapes = shown("rect, line, path, polyline, polygon");
  out.first = p.levelAt(p.times[0])[0];
  const before = p.to - p.from;
  at("wheel", 400, { deltaY: -1 });
  out.scrolled = p.to - p.from === before;
  for (let i = 0; i < 10; i++) at("wheel", 400, { deltaY: -1, ctrlKey: true });
  out.zoomed = (p.to - p.from) / before;
  const view = svg.querySelector(".box").viewBox.baseVal, scale = DRAWN_WIDTH / (p.last - p.drawnFrom);
  out.level = Math.abs(view.width - (p.to - p.from) * scale) < 1 && Math.abs(view.x - (p.from - p.drawnFrom) * scale) < 1;
  const from = p.from;
  svg.setPointerCapture = () => {};
  at("pointerdown", 400, { pointerId: 1 });
  at("pointermove", 300, { pointerId: 1 });
  at("pointerup", 300, { pointerId: 1 });
  out.moved = p.from - from;
  at("pointermove", box.width - 60);
  out.tip = document.getElementById("tip").textContent;
  out.tipShown = document.getElementById("tip").style.display;
  at("pointerleave", 0);
  out.tipHidden = document.getElementById("tip").style.display;
  at("dblclick", 400);
  out.all = p.from === p.first && p.to === p.last;
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
  out.keyed = (p.to - p.from) / (p.last - p.first);
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
  out.again = p.from === p.first && p.to === p.last;
  document.querySelector("input[value=marks]").click();
  out.toggled = shown(".marks *");
  out.foreign = document.querySelectorAll("svg script, svg svg svg, b, img").length;
  out.loaded = performance.getEntriesByType("resource").length;
  document.body.dataset.probe = JSON.stringify(out); }
</script>
</body>"""

# A name that would end the page's text, if it were not written as one.
HOSTILE = "</script><svg><b>"


def make_hostile(recording, path):
    document = json.loads(pathlib.Path(recording).read_text(encoding="utf-8"))
    document["blocked"][0]["name"] = HOSTILE[:15]
    document["events"].append({"at_usec": document["started_usec"] + 1, "kind": "uninitialized-read", "text": HOSTILE})
    document["rng"]["hwrng"] = HOSTILE
    document["reports"] = {"rngd": {"sources": [{"name": HOSTILE, "bytes": 1, "at_usec": document["started_usec"]}]}}
    path.write_text(json.dumps(document), encoding="utf-8")


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
        hostile = directory / "<img src=x>.json"
        make_hostile(recording, hostile)
        subprocess.run([monitor, "plot", "--html", "-o", str(page), recording, str(hostile)], check=True, timeout=30)
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("</body>", PROBE), encoding="utf-8")
        out = browse(browser, directory, page)

    cases = [("the page runs without an error", out is not None)]
    if out:
        cases += [
            ("one panel for each recording", out["panels"] == 2),
            ("as wide as the window", out["fits"]),
            ("something is drawn", out["shapes"] > 20),
            ("what the picture says", {"ready", "monitor", "boot finished", "level (bits)", "not ready: getrandom() waits",
                                       "seconds since the kernel started", "ready at 256"} <= set(out["text"])),
            ("levels are exact", out["first"] == 5),
            ("the wheel alone does not zoom", out["scrolled"]),
            ("the wheel zooms with Ctrl", 0.05 < out["zoomed"] < 0.2),
            ("the level, too", out["level"]),
            ("dragging moves", out["moved"] > 0),
            ("the pointer's place is told", out["tipShown"] == "block" and " s" in out["tip"] and "level" in out["tip"]),
            ("and hidden again", out["tipHidden"] == "none"),
            ("a double click shows all", out["all"]),
            ("+ zooms", 0.7 < out["keyed"] < 0.9),
            ("0 shows all", out["again"]),
            ("events can be hidden", out["toggled"] == 0),
            ("names of others are text", out["foreign"] == 0),
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
