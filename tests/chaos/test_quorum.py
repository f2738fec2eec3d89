"""Three witnesses and a quorum of two, all real processes: outages, kills, a fork and a restored old backup."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import httpx
import pytest

from cli_helpers import Result, call, rows, signed
from cosigning_helpers import Serving, Watched, wait_for, watched
from scrutineer.cli.office import Office
from scrutineer.log import Checkpoint, sign_checkpoint
from scrutineer.witness.answers import format_request

KILLS = min(6, int(os.environ.get("SCRUTINEER_CHAOS", "2")))
STATIONS = ("north-1", "north-2", "north-3", "south-1", "south-2", "south-3")


def sheets(of: Watched, count: int = 4) -> list[Path]:
    """A file with the sheet of each station."""
    return [signed(of.folder, rows([station]), f"sheet-{station}") for station in STATIONS[:count]]


def submit(bundle: Path, service: Serving) -> None:
    assert service.url, service.said
    assert call("submit", bundle, "--to", service.url, "--json").json["refused"] == []


def verify(of: Watched, site: Path, code: int = 0) -> Result:
    definition = Office.load(of.folder).election.hash.hex()
    return call("verify", site, "--definition", definition, code=code)


def test_witnesses_go_and_come_and_intake_goes_on(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with watched(tmp_path) as of:
        heron, owl, wren = of.witnesses
        first, second, third, fourth = sheets(of)
        service = Serving(of)
        try:
            wait_for(lambda: of.cosigned == 1, service.said)
            submit(first, service)
            wait_for(lambda: of.cosigned == 2, service.said)
            # One is down: the quorum is had, and one line says so.
            wren.stop()
            submit(second, service)
            wait_for(lambda: of.cosigned == 3, service.said)
            wait_for(lambda: f"Witness {wren.name} does not cosign" in service.said, service.said)
            assert call("publish", of.folder, "--to", site, *of.options, "--json").json["witnesses"]["cosigned"] == 3
            page = (site / "index.html").read_text()
            assert "2 of 3 witnesses have cosigned this head of the log" in page
            assert "Witnesses: 2 of 3 witnesses have cosigned" in verify(of, site).out
            # Two are down: what comes in is receipted, the head is pending, and the site stays.
            owl.stop()
            submit(third, service)
            wait_for(lambda: "The newest head is pending: 1 of 3 witnesses has cosigned" in service.said, service.said)
            assert of.cosigned == 3
            published = call("publish", of.folder, "--to", site, *of.options, "--json").json
            assert (published["size"], published["witnesses"]["cosigned"], published["witnesses"]["pending"]) == (3, 3, 4)
            assert (site / "log/checkpoint").read_bytes().split(b"\n")[1] == b"3"
            assert (site / "log/checkpoint.pending").read_bytes().split(b"\n")[1] == b"4"
            assert "A newer head of 4 entries waits" in (site / "index.html").read_text()
            verify(of, site)
            lines = of.status()
            assert lines["Service"].startswith("running at ")
            assert "1 entries are pending" in lines["Cosigned"]
            assert "cannot be reached" in lines[f"Witness {owl.name}"]
            assert lines[f"Witness {heron.name}"].startswith("can be reached")
            # They come back.
            owl.start(of.definition)
            wren.start(of.definition)
            wait_for(lambda: of.cosigned == 4, service.said)
            wait_for(lambda: service.said.count(" cosigns again.") == 2, service.said)
            assert service.said.count("The newest head is pending") == 1
            assert service.said.count("The quorum is complete again") == 1
            submit(fourth, service)
            wait_for(lambda: of.cosigned == 5, service.said)
            lines = of.status()
            assert not [words for what, words in lines.items() if what.startswith(("Witness", "Cosigned")) and words[0] == "!"]
            assert lines["Cosigned"].startswith("5 entries: 3 of 3 witnesses have cosigned")
            assert call("publish", of.folder, "--to", site, *of.options, "--json").json["witnesses"]["pending"] is None
            assert not (site / "log/checkpoint.pending").exists()
            verify(of, site)
        finally:
            assert service.stop() == 0, service.said
        assert "not running; it was stopped" in of.status()["Service"]


def test_without_any_quorum_nothing_is_shown_as_the_head(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with watched(tmp_path) as of:
        for witness in of.witnesses[1:]:
            witness.stop()
        refusal = call("publish", of.folder, "--to", site, *of.options, code=1).err
        assert "no head of this log carries the quorum" in refusal
        assert of.witnesses[1].name in refusal
        assert not site.exists()
        assert "pending" in call("publish", of.folder, "--to", site, *of.options, "--pending").out
        shown = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
        assert "log/checkpoint.pending" in shown
        assert not {path for path in shown if path.endswith(".html") or path.startswith("data/") or path == "log/checkpoint"}
        assert "is pending, and no result is shown" in verify(of, site, code=1).out
        of.witnesses[1].start(of.definition)
        call("publish", of.folder, "--to", site, *of.options)
        assert not (site / "log/checkpoint.pending").exists()
        verify(of, site)
        # What was cosigned stays shown when nobody cosigns any more, and never becomes pending again.
        of.witnesses[0].stop()
        (of.folder / "record/checkpoint.cosigned").unlink()
        assert call("publish", of.folder, "--to", site, *of.options, "--pending", "--json").json["size"] == 1
        verify(of, site)


def show_another_history(of: Watched, witness: int, size: int) -> None:
    """As whoever holds the log's keys could: a witness that has cosigned `size` entries, 1 or 2, is shown another next one."""
    log = Office.load(of.folder).sign_log()
    signer, fork = Office.load(of.folder).log_signer(), bytes(32)
    root = hashlib.sha256(b"\x01" + log.root(size) + fork).digest()
    log.close()
    request = format_request(size, (fork,), sign_checkpoint(Checkpoint(signer.origin, size + 1, root), signer.note_signers))
    answer = httpx.post(f"{of.witnesses[witness].url}/add-checkpoint", content=request)
    assert answer.status_code == 200, answer.text


def test_one_witness_with_another_history_is_an_alarm_and_two_stop_everything(tmp_path: Path) -> None:
    with watched(tmp_path) as of:
        first, second = sheets(of, 2)
        service = Serving(of)
        try:
            wait_for(lambda: of.cosigned == 1, service.said)
            show_another_history(of, 0, 1)
            submit(first, service)
            # The others make up the quorum: one organisation cannot stop an election.
            wait_for(lambda: of.cosigned == 2, service.said)
            wait_for(lambda: f"ALARM: witness {of.witnesses[0].name}" in service.said, service.said)
            assert service.process.poll() is None
            show_another_history(of, 1, 2)
            submit(second, service)
            wait_for(lambda: service.process.poll() is not None, service.said)
        finally:
            code = service.stop()
        assert code == 1
        assert "2 of 3 witnesses have cosigned another history" in service.said
        cases = sorted((of.folder / "record/evidence").iterdir())
        assert [case.name.rpartition("-")[0] for case in cases] == ["contradicted-2", "contradicted-3"]
        assert {path.name for path in cases[0].iterdir()} == {"ours.note", "cosigned-before.note", "reason.txt"}
        assert of.status()["Frozen"].startswith("! nothing is taken in: 2 of 3 witnesses have cosigned another history")
        # Neither a restart nor a publication gets past it.
        assert "this log was frozen" in call("publish", of.folder, "--to", tmp_path / "site", code=1).err
        again = Serving(of)
        assert again.stop() == 1
        assert "this log was frozen" in again.said


@pytest.mark.parametrize("all_of_it", [True, False] if "SCRUTINEER_CHAOS" in os.environ else [True])
def test_a_restored_old_backup_takes_nothing_in(tmp_path: Path, all_of_it: bool) -> None:
    """Of the log alone, which the kept checkpoint shows; and of the whole folder, which only the witnesses can tell."""
    with watched(tmp_path) as of:
        first, second = sheets(of, 2)
        backup = tmp_path / "backup"
        service = Serving(of)
        try:
            submit(first, service)
            wait_for(lambda: of.cosigned == 2, service.said)
        finally:
            assert service.stop() == 0
        shutil.copytree(of.folder / "record", backup)
        service = Serving(of)
        try:
            submit(second, service)
            wait_for(lambda: of.cosigned == 3, service.said)
        finally:
            assert service.stop() == 0
        for path in (of.folder / "record").iterdir():
            if all_of_it or not path.name.startswith("checkpoint"):
                path.unlink()
        for path in backup.iterdir():
            if all_of_it or not path.name.startswith("checkpoint"):
                shutil.copy(path, of.folder / "record")
        service = Serving(of)
        assert service.stop() == 1, service.said
        assert not service.url
        assert ("that it has cosigned 3 entries" if all_of_it else "its witnesses have cosigned 3") in service.said
        assert "older copy" in service.said
        refusal = call("publish", of.folder, "--to", tmp_path / "site", *of.options, code=1).err
        assert "frozen" in refusal or "older copy" in refusal


def test_killed_between_collecting_and_keeping(tmp_path: Path) -> None:
    """What witnesses have cosigned and we have not kept is asked for again; what is kept is never older than before."""
    with watched(tmp_path, birds=("heron", "owl")) as of:
        before = 0
        bundles = sheets(of, KILLS)
        for number, bundle in enumerate(bundles):
            service = Serving(of)
            submit(bundle, service)
            # From the moment of the receipt on, the companion asks and keeps: each kill meets it at another point.
            time.sleep(0.25 * number)
            service.kill()
            assert before <= of.cosigned <= number + 2
            before = of.cosigned
        service = Serving(of)
        try:
            wait_for(lambda: of.cosigned == len(bundles) + 1, service.said)
            assert "ALARM" not in service.said
        finally:
            assert service.stop() == 0
        assert not (of.folder / "record/evidence").exists()
        assert [path.name for path in (of.folder / "record").glob("checkpoint.cosigned*.new")] == []
