"""The shell blocks of docs/how-to/vote-on-encrypted-ballots.md, pasted as a reader would, with a browser for its voters."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import chromium
from cli_helpers import call, run_afresh
from free_ports import free_ports
from kiosk_browser import PORTRAIT
from pasted import blocks_of
from warm_program import warm_environment

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "vote-on-encrypted-ballots.md").read_text(encoding="utf-8")
VOTERS = "## 4. Vote"
SECONDS = 60


def fill_in(board: Page, screen: Page, option: int, act: str) -> str:
    """One voter, from the board to the end; returns the tracking code."""
    board.goto(board.url.partition("?")[0] + ("provisional" if act == "provisional" else "activate"))
    board.locator("main button.big").click()
    screen.locator('button[value="language:en"]').click(timeout=SECONDS * 1000)
    screen.locator(f'label:has(input[name=mark][value="{option}"])').click()
    screen.locator(".steps .go").click()
    screen.locator('button[value="print"]').click()
    expect(screen.locator("body")).to_have_class("voting prepared")
    found = re.search(r"(?:[a-z]{5}-\s*){5}[a-z]{5}", screen.inner_text(".own"))
    assert found is not None
    if act in ("cast", "provisional"):
        screen.locator('button[value="cast"]').click()
        screen.locator('button[value="finish"]').click()
    else:
        screen.locator(f'button[value="ask-{act}"]').click()
        screen.locator(f'button[value="{act}"]').click()
        expect(screen.locator("body")).to_have_class("voting opened" if act == "test" else "voting review")
        board.goto(board.url.partition("?")[0] + "cancel")
        board.locator("main button.big").click()
    return re.sub(r"\s", "", found.group())


def vote(browser: Browser, addresses: str) -> dict[str, str]:
    """Everybody of section 4; returns tracking codes by what became of the ballot."""
    kiosk, entry = re.findall(r"http://\S+", addresses)[:2]
    board, screen = browser.new_page(), browser.new_page(viewport=PORTRAIT)  # type: ignore[arg-type]
    screen.goto(kiosk)
    board.goto(entry)
    fill_in(board, screen, 1, "cast")
    fill_in(board, screen, 2, "cast")
    return {
        "cast": fill_in(board, screen, 2, "cast"),
        "challenged": fill_in(board, screen, 3, "test"),
        "spoiled": fill_in(board, screen, 4, "return"),
        "provisional": fill_in(board, screen, 1, "provisional"),
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt install openssl")
def test_a_whole_election_day(tmp_path: Path) -> None:
    before, after = PAGE.split(VOTERS)
    script = f"{blocks_of(before)}\ntouch open\nuntil [ -e voted ]; do sleep 0.2; done\n{blocks_of(after)}"
    intake, kiosk, board = free_ports(3)
    script = script.replace("scrutineer serve aviary", f"scrutineer serve aviary --port {intake}").replace(
        "127.0.0.1:8470", f"127.0.0.1:{intake}"
    )
    script = script.replace("station vote booth", f"station vote booth --port {kiosk} --board-port {board}")
    # A reader is told how long to wait; here everything is waited for, and for no longer.
    for told, meant in (
        ("&\nsleep 3\n", f"&\nuntil (: < /dev/tcp/127.0.0.1/{intake}) 2>/dev/null; do sleep 0.1; done\n"),
        ("&\nsleep 5\n", "&\nuntil grep -q /enter machine.txt; do sleep 0.1; done\n"),
        ("kill %2\nsleep 2\n", "kill %2\nwait %2 || true\n"),
    ):
        assert script.count(told) == 1
        script = script.replace(told, meant)
    script = f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill; touch open' EXIT\n{script}"
    with (
        chromium() as browser,
        (tmp_path / "said.txt").open("w") as said,
        subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path, env=warm_environment(COLUMNS="120"), stdout=said, stderr=said
        ) as shell,
    ):
        codes: dict[str, str] = {}
        while not (tmp_path / "open").exists() and shell.poll() is None:
            time.sleep(0.2)
        try:
            if shell.poll() is None:
                codes = vote(browser, (tmp_path / "machine.txt").read_text(encoding="utf-8"))
        finally:
            (tmp_path / "voted").touch()
            shell.wait()
    out = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert shell.returncode == 0, out
    assert "Closed north-1: 3 ballots in the box, 1 provisional." in out
    assert "Signed by Cleo Coot." in out
    assert "Encrypted ballots: 6 of 1 station(s), 3 of them cast" in out
    assert out.count("PASS: ") == 1
    assert "found: exit status 1" in out
    assert "ballots/north-1.jsonl: does not belong to this result: its SHA-256 is" in out
    for status, code in codes.items():
        assert call("track", code, "--from", tmp_path / "site", "--json").json["status"] == status
    # Once as it is started by people.
    assert "cast" in run_afresh("track", codes["cast"], "--from", tmp_path / "site").out
