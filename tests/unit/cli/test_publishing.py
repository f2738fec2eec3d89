"""`publish` again and again: what a site was given holds, and --every follows a log that grows."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from cli_helpers import call, command, opened, refused, rows, signed
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.language import LANGUAGES


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return opened(tmp_path / "birds")


def options(site: Path) -> dict[str, object]:
    info = json.loads((site / "site.json").read_bytes())
    return {name: info[name] for name in ("pages", "nist", "languages", "translated")}


def test_a_site_keeps_what_it_was_given(office: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    call("publish", office, "--to", site)
    first = {"pages": "stations", "nist": "stations", "languages": list(LANGUAGES), "translated": "stations"}
    assert options(site) == first
    call("publish", office, "--to", site, "--languages", "es,en", "--translated", "units")
    second = first | {"languages": ["es", "en"], "translated": "units"}
    assert options(site) == second
    assert (site / "en" / "index.html").is_file()
    assert not (site / "es").exists()
    assert not (site / "fr").exists()
    call("publish", office, "--to", site)
    assert options(site) == second
    call("publish", office, "--to", site, "--pages", "units", "--workers", 1)
    assert options(site) == second | {"pages": "units", "nist": "units"}
    assert not (site / "stations").exists()
    call("publish", office, "--to", site, "--all", "--pages", "stations", "--languages", "ar")
    assert options(site) == second | {"languages": ["ar"]}


@pytest.mark.parametrize("codes", ["", "xx", "en,en", "en,,es"])
def test_languages_that_cannot_be_used_are_named(office: Path, tmp_path: Path, codes: str) -> None:
    assert "languages" in refused("publish", office, "--to", tmp_path / "site", "--languages", codes)
    assert not (tmp_path / "site").exists()


def test_a_damaged_site_json_is_not_passed_over(office: Path, tmp_path: Path) -> None:
    call("publish", office, "--to", tmp_path / "site", "--languages", "en")
    (tmp_path / "site" / "site.json").write_text("{}")
    assert "site.json" in refused("publish", office, "--to", tmp_path / "site")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_every_follows_the_log_until_it_is_asked_to_stop(office: Path, tmp_path: Path, sent: signal.Signals) -> None:
    site = tmp_path / "site"
    statements = list(read_statements(signed(office, rows())))
    arguments = ["publish", office, "--to", site, "--every", 1, "--languages", "en", "--json"]
    process = subprocess.Popen(command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline())]
        for statement in statements[:2]:
            log = Office.load(office).open_log()
            log.append([statement])
            log.close()
            told.append(json.loads(process.stdout.readline()))
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert not out, "nothing was new, and a line was printed"
    sizes = [one["size"] for one in told]
    assert sizes == [sizes[0], sizes[0] + 1, sizes[0] + 2]
    definition = call("count", office, "--json").json["election"]
    assert "PASS" in call("verify", site, "--definition", definition).out
    assert len(json.loads((site / "snapshots" / "index.json").read_bytes())["snapshots"]) == 3


def test_what_stops_the_first_publication_is_an_error(office: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("mine")
    assert "holds no published site" in refused("publish", office, "--to", tmp_path / "site", "--every", 60)
