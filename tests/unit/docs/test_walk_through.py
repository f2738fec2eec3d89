"""The shell blocks of the documents, run as a reader would paste them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pasted import DOCS, paste

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("tutorial")
    return folder, paste(DOCS / "tutorial.md", folder, waits=[("8470",)]).stdout


def test_tutorial(tutorial: tuple[Path, str]) -> None:
    _, printed = tutorial
    assert "6 statements are in the log; every receipt was checked." in printed
    assert "in quarantine: south-3, entry 6: sum, above-voters" in printed
    assert "6 of 6 stations counted" in printed
    assert "data/president/results.csv: was changed after publication" in printed
    assert "exit status 1" in printed
    assert printed.count("PASS: every signature, total and file is what the log gives.") == 2


def test_check_without_this_program(tutorial: tuple[Path, str]) -> None:
    folder, printed = tutorial
    found = re.search(r"^Definition: ([0-9a-f]{64})$", printed, re.MULTILINE)
    assert found is not None
    text = paste(DOCS / "how-to/check-without-this-program.md", folder, ports=()).stdout
    assert f"{found[1]}  -\n" in text
    assert re.search(r"^scrutineer/aviary-2026\+[0-9a-f]{8}\+A", text, re.MULTILINE)
    assert "6 stations counted; 965 votes for heron\n" in text


def check_site(site: Path, *entries: str) -> subprocess.CompletedProcess[str]:
    program = DOCS / "how-to" / "check_site.py"
    return subprocess.run([sys.executable, program, site, *entries], capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt install openssl")
def test_check_site_program(tutorial: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = tutorial
    run = check_site(folder / "site", "1", "6")
    assert run.returncode == 0, run.stderr
    assert "president: 6 counted stations add up" in run.stdout
    assert "station/south-3: signature holds" in run.stdout
    forged = shutil.copytree(folder / "site", tmp_path / "site")
    (bundle,) = (forged / "log/tile/entries").glob("000.p/*")
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    run = check_site(forged)
    assert run.returncode == 1
    assert "FAIL: the entries do not give the root" in run.stderr


def test_tour_of_the_readme(tmp_path: Path) -> None:
    printed = paste(DOCS.parent / "README.md", tmp_path, waits=[("8470",)]).stdout
    assert "3 of 6 stations counted, 2 outstanding, 1 in quarantine" in printed
    assert "PASS: every signature, total and file is what the log gives." in printed
    assert "tally-sheet by station/north-1; wrote sheet.cose" in printed


def test_layout_from_nothing(tmp_path: Path) -> None:
    printed = paste(DOCS / "how-to/add-a-layout.md", tmp_path, ports=()).stdout
    assert "Replayed from published data (The Aviary Gazette;" in printed
    assert "All sheets, counted or in quarantine: 1,115 votes on options." in printed
    assert "PASS: every signature, total and file is what the log gives." in printed


def test_an_announcement_from_nothing(tmp_path: Path) -> None:
    printed = paste(DOCS / "how-to/check-an-announcement.md", tmp_path, ports=(), installed=True).stdout
    assert "Votes and percentages fit a total of 10,070, as shares of the valid votes." in printed
    assert "Not decided: Grey Heron leads Kingfisher by 711, and what is still open exceeds that" in printed
    assert "No, not by adding sheets alone: Kingfisher: 4,401 after 4,462: −61 votes." in printed
    assert printed.count("exit status 1") == 1
    assert "The announced totals and these 3 published sheets are compatible" in printed
    assert "Quoted in the log as entry 1." in printed


def test_a_mirror_from_nothing(tmp_path: Path) -> None:
    printed = paste(DOCS / "how-to/mirror-a-result.md", tmp_path, ("8480", "8481"), [("8480",)]).stdout
    assert "copy/site is new: log size 1," in printed
    assert "This mirror follows the first definition that it saw, with the hash" in printed
    assert "second/site is new: log size 2," in printed
    assert re.search(r"^http://127\.0\.0\.1:[0-9]+/ lags: it shows the log at 1 entries, 1 fewer than 2$", printed, re.MULTILINE)
    assert printed.count("exit status 1") == 1
    assert "gives no answer that can be used" in printed
    assert printed.count("PASS: every signature, total and file is what the log gives.") == 2
