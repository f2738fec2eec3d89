"""`status` says on one screen how it stands, in words, and its exit status says whether somebody is needed."""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from cli_helpers import Result, call, opened, rows, serving, signed
from cosigning_helpers import wait_for
from scrutineer.cli.service_check import LOW_DISK, _disk, _incidents, _services
from scrutineer.cli.service_status import STALE, StatusWriter, is_alive, read_statuses
from scrutineer.intake.server import Progress
from scrutineer.log import Log, LogSigner, SqliteStore
from site_servers import reading

NOW = 1_750_000_000.0


def lines(result: Result) -> dict[str, str]:
    return {line["what"]: ("" if line["good"] else "! ") + line["words"] for line in result.json["places"][0]["lines"]}


def test_from_opened_to_served_to_stopped(tmp_path: Path) -> None:
    folder = opened(tmp_path / "aviary")
    said = lines(call("status", folder, "--json", code=1))
    assert said["Service"] == "! none has run here yet"
    assert said["Log"].startswith("1 entries; the newest head is of ")
    assert said["Witnesses"] == "the definition names none"
    assert said["Published"] == "nothing has been published from here yet"
    assert said["Disk"].partition(" ")[0].replace(",", "").replace(".", "").isdigit()
    site = tmp_path / "site"
    call("publish", folder, "--to", site)
    with serving(folder) as service:
        call("submit", signed(folder, rows()), "--to", service.address, "--definition", folder / "record/definition.cose")
        wait_for(lambda: any(one.size == 7 for one in read_statuses(folder / "record")), "no word of the service")
        text = call("status", folder).out
        assert f"running at {service.address} (process {service.process.pid})" in text
        assert "1 entries, 6 entries behind the log" in text
        assert text.endswith("All is well.\n")
        with reading(site) as address:
            both = call("status", folder, address).out
            assert f"{address} shows the log at 1 entries" in both
            assert "6 entries behind the newest head seen here" in both
        assert "! Site  http://127.0.0.1:1" in call("status", "http://127.0.0.1:1/", code=1).out
        service.kill()
        # It ended without a word, and its process is gone.
        said = lines(call("status", folder, "--json", code=1))
        assert "ended without a word" in said["Service"]
    with serving(folder) as service:
        # The address is said before the file is written.
        wait_for(lambda: any(is_alive(one, time.time()) for one in read_statuses(folder / "record")), "no word of the service")
        assert f"running at {service.address}" in call("status", folder).out
    assert "not running; it was stopped" in lines(call("status", folder, "--json", code=1))["Service"]


def test_what_is_missing_or_damaged_is_one_line(tmp_path: Path) -> None:
    folder = opened(tmp_path / "aviary")
    (folder / "record/frozen").write_text("witness heron\x1b[2J will not cosign\n")
    (folder / "record/log.db").write_bytes(b"no database" * 100)
    done = call("status", folder, code=1)
    assert done.out.isascii() or "\x1b" not in done.out
    said = lines(call("status", folder, "--json", code=1))
    assert said["Frozen"] == "! nothing is taken in: witness heron [2J will not cosign"
    assert said["Store"].startswith("! ")
    (folder / "record/status.json").write_text("{")
    assert "status.json is not what this program writes" in call("status", folder, code=2).err
    assert "has not been opened" in call("status", tmp_path / "nowhere", code=2).err


@pytest.fixture
def writer(tmp_path: Path) -> StatusWriter:
    signer = LogSigner("log.example/wetland", b"1" * 32, b"2" * 32)
    log = Log.open(SqliteStore.open(tmp_path / "log.db", create=True), signer)
    log.append([b"heron"])
    return StatusWriter(tmp_path, log, store="a file", clock=lambda: NOW)


def test_the_file_is_whole_and_says_whether_it_is_alive(tmp_path: Path, writer: StatusWriter) -> None:
    writer.listening("http://127.0.0.1:8470")
    writer(Progress({"accepted": 1}, 1, 1, 0, "follows", "the database cannot be reached"))
    (status,) = read_statuses(tmp_path)
    assert (status.pid, status.size, status.role, status.counts) == (os.getpid(), 1, "follows", {"accepted": 1})
    assert status.trouble == "the database cannot be reached"
    assert is_alive(status, NOW + STALE)
    assert not is_alive(status, NOW + STALE + 1)
    text = json.loads((tmp_path / "status.json").read_bytes())
    text["pid"] = 2**22 + 5  # no process has such a number here
    text["more"] = "of a later version"
    (tmp_path / "status.json").write_text(json.dumps(text))
    assert not is_alive(read_statuses(tmp_path)[0], NOW)
    text["machine"] = f"not-{socket.gethostname()}"
    (tmp_path / "status.json").write_text(json.dumps(text))
    assert is_alive(read_statuses(tmp_path)[0], NOW)
    writer.stopped("the disk failed")
    (status,) = read_statuses(tmp_path)
    assert (status.stopped, is_alive(status, NOW)) == ("the disk failed", False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".json", ".new")) == ["status.json"]


def test_one_of_several_that_is_gone_needs_somebody(tmp_path: Path, writer: StatusWriter) -> None:
    writer.listening("http://127.0.0.1:8470")
    (status,) = read_statuses(tmp_path)
    there = replace(status, url="http://127.0.0.1:8471", role="follows")
    killed, reused = replace(there, pid=2**22 + 5), replace(there, time=int(NOW - STALE) - 1)
    failed, asked = replace(there, stopped="the disk is full"), replace(there, stopped="")
    for others, said in (
        ([there], []),
        ([asked], []),
        ([killed], ["not running; it ended without a word, last heard of"]),
        ([reused], ["not answering; a process of its number is there and says nothing, last heard of"]),
        ([failed], ["not running; it stopped: the disk is full, last heard of"]),
        ([asked, failed, killed], ["not running; it stopped", "not running; it ended"]),
    ):
        found = _services([status, *others], NOW, {})
        assert found[0].words.startswith(f"running at {status.url} (process {os.getpid()}, it leads)")
        bad = [line.words for line in found if not line.good]
        assert len(bad) == len(said)
        for words, beginning in zip(bad, said, strict=True):
            assert words.startswith(beginning)
            assert f"at {there.url} (process " in words
            assert "start it again; where it is not to come back, remove its status file" in words
    # Where nobody is left, each one that is missed is named, and of those that were stopped the last one.
    assert [line.good for line in _services([killed, failed, asked], NOW, {})] == [False, False]
    (line,) = _services([asked, asked], NOW, {})
    assert line.words.startswith("not running; it was stopped, last heard of")


def test_a_machine_whose_processes_follow_needs_nobody(tmp_path: Path, writer: StatusWriter) -> None:
    writer.listening("http://127.0.0.1:8470")
    (leads,) = read_statuses(tmp_path)
    follows, waits = replace(leads, role="follows"), replace(leads, role="waits for the store", trouble="the database is away")
    for alone in ([follows], [follows, follows]):
        lines = _services(alone, NOW, {})
        assert all(line.good for line in lines)
        assert lines[-1].words == "a process on another machine leads: it writes the log"
    for stuck in ([waits], [follows, waits]):
        assert [line.words for line in _services(stuck, NOW, {}) if not line.good] == [
            "the database is away",
            "none of its processes writes the log at the moment: statements are not recorded",
        ]
    assert not any("another machine" in line.words for line in _services([leads, follows], NOW, {}))


def test_a_record_of_refusals_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    line = _incidents(tmp_path / "gone", NOW, {})
    assert (line.what, line.good) == ("Refused", False)
    assert "cannot be listed" in line.words


def test_a_disk_that_does_not_take_it_stops_nothing(tmp_path: Path, writer: StatusWriter) -> None:
    (tmp_path / "status.json").mkdir()
    writer(Progress({}, 1, 1, 0))


def test_a_disk_that_runs_full_needs_somebody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for free, good in ((LOW_DISK - 1, False), (LOW_DISK, True)):
        usage = type("usage", (), {"free": free, "total": 10 * LOW_DISK})
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        assert _disk(tmp_path, {}).good is good
