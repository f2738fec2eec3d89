"""The voter's screens: how long from the press of a button until the next screen is painted, in Chromium, with pads.

    python bench/bench_kiosk.py [VOTERS]

A voting machine of the standard group serves a ballot with every kind of contest to VOTERS (12) voters, who mark, look, print,
cast. Each screen is timed by the browser itself, from the start of the navigation, which is the press, to the first paint of what
it led to (First Contentful Paint); that holds the two requests, what the machine does in between (encryption, the journal on the
disk, both papers as PDF), and the browser's layout. To reach: 150 ms. The floor, in the same run, is a page of the same browser
that is reached in the same way, by a form and a redirect, and is made of one sentence; ratios are to its median, and its
own p99 shows how busy the machine was.
"""

import contextlib
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from ballot_helpers import every_contest, one_hand
from kiosk_helpers import NAMES, KeptPrinter, served
from scrutineer.ballots import STANDARD
from scrutineer.station.voting.kiosk import Kiosk, KioskSettings
from scrutineer.station.voting.machine import VotingMachine
from voting_helpers import PUBLIC

GOAL: Final = 150.0  # ms
PAINTED: Final = """() => new Promise((done) => {
  const look = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    paint ? done(paint.startTime) : setTimeout(look, 2);
  };
  look();
})"""
_FLOOR: Final = "<!DOCTYPE html><title>.</title><form method=post><button class=go>Next</button></form><p>One sentence."


def main(voters: int) -> None:
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1080, "height": 1920})
        keys = one_hand(every_contest(), STANDARD).keys
        machine = VotingMachine(Path(folder), keys, "north-1", "north-1/machine-1", styles=(1,))
        machine.begin(PUBLIC)
        kiosk = Kiosk(machine, KioskSettings(NAMES, "Old Granary"), KeptPrinter())
        with served(kiosk) as address, floor_served() as plain:
            page.goto(plain)
            floor = [painted(page, ".go") for _ in range(5 * voters)]
            for _ in range(voters):
                page.goto(f"{address}/vote")
                vote(page, machine, times)
        machine.stop()
        browser.close()
    base = statistics.median(floor)
    say("floor: a form, a redirect", floor, base)
    for name, own in times.items():
        say(name, own, base)
    every = [one for own in times.values() for one in own]
    worst = sorted(every)[min(len(every) - 1, len(every) * 99 // 100)]
    say("every screen", every, base)
    middle, plainest = statistics.median(every), sorted(floor)[len(floor) * 99 // 100]
    print(f"goal {GOAL:.0f} ms from press to paint: p50 {verdict(middle)}, p99 {verdict(worst)}")
    print(f"  p99 of the floor {verdict(plainest)}")


def vote(page: Page, machine: VotingMachine, times: dict[str, list[float]]) -> None:
    """One voter, from the activation to the cleared screen. Time between presses is a voter's, in which pads are drawn."""
    machine.activate(1)
    page.wait_for_selector("body.language")

    def press(name: str, button: str) -> None:
        times.setdefault(name, []).append(painted(page, button))

    press("language", 'button[value="language:en"]')
    page.get_by_text("Feather List").click()
    press("party", ".steps .go")
    page.get_by_text("Hermine Heron").click()
    press("contest", ".steps .go")
    press("contest", ".steps .go")
    press("notice", ".steps .go")
    page.locator(".point").nth(3).click()
    page.locator(".point").nth(6).click()
    press("contest", ".steps .go")
    if page.locator("body.notice").count():
        press("notice", ".steps .go")
    page.get_by_text("Yes").click()
    press("contest", ".steps .go")
    press("ranking", "button.choice >> nth=1")
    press("ranking", "button.choice >> nth=0")
    press("review", ".steps .go")
    page.wait_for_timeout(500)
    press("encrypt and print", 'button[value="print"]')
    press("cast", 'button[value="cast"]')
    press("finish", ".steps .go")


def painted(page: Page, button: str) -> float:
    """Milliseconds from a press to the first paint of what it leads to."""
    page.wait_for_timeout(30)
    with page.expect_navigation(wait_until="load"):
        page.locator(button).click()
    return float(page.evaluate(PAINTED))


@contextlib.contextmanager
def floor_served() -> Iterator[str]:
    """The smallest page that a form and a redirect lead to."""

    async def show(request: Request) -> Response:
        return RedirectResponse("/", 303) if request.method == "POST" else HTMLResponse(_FLOOR)

    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", show, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)


def verdict(value: float) -> str:
    return f"{value:.0f} ms {'reached' if value <= GOAL else 'MISSED'}"


def say(name: str, times: list[float], base: float) -> None:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    middle = statistics.median(times)
    print(f"{name:26} {len(times):4}  p50 {middle:6.1f} ms  p99 {p99:6.1f} ms  {middle / base:5.1f} x the floor")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
