"""Bad input on the command line: one line that says what is wrong and what to do, the right status, and nothing lost."""

import contextlib
import io
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from cli_helpers import HEADER, Service, call, command, opened, refused, rows, serving, signed
from scrutineer.cli import COMMANDS, main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An opened folder with two sheets and a bulletin in its log."""
    folder = opened(tmp_path_factory.mktemp("election") / "birds")
    bundle = signed(folder, rows(("north-1", "south-1")))
    with serving(folder) as service:
        call("submit", bundle, "--to", service.address, "--definition", folder / "record/definition.cose")
    call("bulletin", folder)
    return folder


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "birds"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[Service]:
    """A service that every test of refused statements may use: what it refuses changes nothing."""
    with serving(Path(shutil.copytree(made, tmp_path_factory.mktemp("served") / "birds"))) as service:
        yield service


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["frobnicate"], "No such command"),
            (["count"], "Missing argument"),
            (["count", "no-such-folder"], "does not exist"),
            (["count", ".", "--at", "0"], "--at"),
            (["count", ".", "--at", "three"], "--at"),
            (["count", ".", "--nonsense"], "No such option"),
            (["serve", ".", "--port", "70000"], "--port"),
            (["verify", ".", "--definition", "xyz"], "64 hexadecimal digits"),
            (["verify", ".", "--definition", "00"], "64 hexadecimal digits"),
            (["simulate", "--stations", "0", "--seed", "1", "--out", "x"], "--stations"),
            (["replay"], "replay needs FILE"),
            (["submit", "--to", "http://127.0.0.1:1"], "Missing argument"),
            (["qr", "no-such-file", "--to", "x.png"], "does not exist"),
        ],
    )
    def test_a_command_that_cannot_be_used_as_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert text in refused(*arguments, code=2)

    def test_help_of_every_command_is_documentation(self) -> None:
        for name in COMMANDS:
            text = call(name, "--help").out
            assert f"Usage: scrutineer {name}" in text
            assert len(text.splitlines()) > 8, name

    def test_a_folder_that_was_not_opened(self, tmp_path: Path) -> None:
        call("new", tmp_path / "new")
        for arguments in (["count"], ["bulletin"], ["certify"], ["serve"], ["publish", "--to", tmp_path / "site"]):
            assert "scrutineer open" in refused(arguments[0], tmp_path / "new", *arguments[1:], code=2)

    def test_sizes_units_and_contests_that_are_not_there(self, office: Path) -> None:
        assert "4 entries" in refused("count", office, "--at", 99, code=2)
        assert "'nowhere'" in refused("count", office, "--unit", "nowhere")
        assert "'nothing'" in refused("count", office, "--contest", "nothing", code=2)

    def test_a_folder_is_opened_once(self, office: Path) -> None:
        keys = {path.name: path.read_bytes() for path in (office / "keys").iterdir()}
        assert "has been opened before" in refused("open", office, code=2)
        assert "not empty" in refused("new", office, code=2)
        assert {path.name: path.read_bytes() for path in (office / "keys").iterdir()} == keys

    def test_an_opening_that_was_interrupted(self, tmp_path: Path) -> None:
        call("new", tmp_path / "birds")
        (tmp_path / "birds/keys").mkdir()
        (tmp_path / "birds/keys/officer-1.pem").write_text("something")
        assert "move it away" in refused("open", tmp_path / "birds", code=2)
        assert (tmp_path / "birds/keys/officer-1.pem").read_text() == "something"
        shutil.rmtree(tmp_path / "birds/keys")
        call("open", tmp_path / "birds")

    def test_an_opening_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        call("new", tmp_path / "birds")
        refused("open", tmp_path / "birds", "--officers", 0, code=2)
        (tmp_path / "birds/record").write_text("in the way")
        refused("open", tmp_path / "birds", code=2)
        assert sorted(path.name for path in (tmp_path / "birds").iterdir()) == ["election.toml", "record", "units.csv"]


class TestDefinition:
    """What `check` says, it says by file, line and field."""

    @pytest.mark.parametrize(
        ("name", "old", "new", "line", "field"),
        [
            ("units.csv", b",712", b",0", 4, "roll"),
            ("units.csv", b",712", b",-5", 4, "roll"),
            ("units.csv", b",712", b",NaN", 4, "roll"),
            ("units.csv", b",712", b",99999999999999999999", 4, "roll"),
            ("units.csv", b",712", b"", 4, ""),
            ("units.csv", b",712", b",712,1", 4, ""),
            ("units.csv", b"north-2,north", b"north-1,north", 5, "id"),
            ("units.csv", b"north,aviary", b"north,north", 3, "parent"),
            ("units.csv", b"aviary,,The Aviary", b"aviary,north,The Aviary", 2, ""),
            ("units.csv", b"south,aviary", b"south,nowhere", 7, "parent"),
            ("units.csv", b"Lakeside", b"Lakes\xffide", 6, ""),
            ("election.toml", b'rule = "majority"', b'rule = "minority"', 76, "contest[1].rule"),
            ("election.toml", b"2026-06-07", b"07.06.2026", 14, "election.date"),
            ("election.toml", b"Kingfisher", b"King\xfffisher", 0, ""),
            ("election.toml", b"[election]", b"[election", 0, ""),
        ],
    )
    def test_a_fault_is_named(self, tmp_path: Path, name: str, old: bytes, new: bytes, line: int, field: str) -> None:
        folder = tmp_path / "birds"
        call("new", folder)
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))
        result = call("check", folder, "--json", code=1)
        assert list(result.json[0]) == ["file", "line", "field", "message"]
        found = {(finding["file"], finding["line"] if line else 0, finding["field"] if field else "") for finding in result.json}
        assert (name, line, field) in found, result.json
        assert name in call("check", folder, code=1).out
        said = call("open", folder, code=1).err.splitlines()
        assert name in said[0]
        assert not (folder / "keys").exists()
        assert not (folder / "record").exists()

    @pytest.mark.parametrize("name", ["units.csv", "election.toml"])
    def test_a_file_that_is_empty_missing_or_a_folder(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "birds"
        call("new", folder)
        (folder / name).write_bytes(b"")
        assert name in call("check", folder, code=1).out
        (folder / name).unlink()
        assert name in call("check", folder, code=1).out
        (folder / name).mkdir()
        assert name in call("check", folder, code=1).out

    def test_a_definition_that_was_changed_after_it_was_opened(self, office: Path) -> None:
        for name in ("units.csv", "register.csv", "definition.cose"):
            path = office / "record" / name
            data = path.read_bytes()
            path.write_bytes(data.replace(b"1", b"2", 1))
            for arguments in (["count"], ["bulletin"], ["publish", "--to", office / "site"]):
                refused(arguments[0], office, *arguments[1:])
            path.write_bytes(data)
        assert call("count", office, "--json").json["size"] == 4


class TestTables:
    @pytest.mark.parametrize(
        ("table", "text"),
        [
            ("", "column"),
            ("station,votes\n", "'contest'"),
            (HEADER + "north-1,president,-1,2,3,4,,,,,,\n", "line 2, votes:heron: '-1'"),
            (HEADER + "north-1,president,NaN,2,3,4,,,,,,\n", "'NaN' is not a count"),
            (HEADER + "north-1,president,1.5,2,3,4,,,,,,\n", "'1.5' is not a count"),
            (HEADER + "north-1,president,٣,2,3,4,,,,,,\n", "is not a count"),
            (HEADER + "north-1,president,9223372036854775808,2,3,4,,,,,,\n", "is not a count"),
            (HEADER + f"north-1,president,{'9' * 5000},2,3,4,,,,,,\n", "is not a count"),
            (HEADER + f"north-1,president,1,2,3,4,,,,,,{'9' * 30}\n", "line 2"),
            (HEADER + f"north-1,president,1,2,3,4,,,,,,{'9' * 5000}\n", "line 2"),
            (HEADER + "north-1,president,1,2,3\n", "cells"),
            (HEADER + rows(("north-1",)) + "north-2,president,1,2,3,4,,,,,,,,,\n", "line 3"),
            (HEADER + "north-1,nothing,1,2,3,4,,,,,,\n", "'nothing'"),
            (HEADER + rows(("nowhere",)), "'nowhere'"),
            (HEADER + rows(("",)), "station"),
            (HEADER + rows(("a/b",)), "station"),
            (HEADER + '"north-1,president,1\n', "CSV"),
            (HEADER + "north-1,president,1\x00,2,3,4,,,,,,\n", "line"),
            ("station,contest,blank\nnorth-1,president,1\n", "votes:heron"),
            (HEADER.replace("blank", "votes:heron") + rows(("north-1",)), "votes:heron"),
        ],
    )
    def test_a_table_with_a_fault_signs_nothing(self, office: Path, tmp_path: Path, table: str, text: str) -> None:
        source, target = tmp_path / "table.csv", tmp_path / "table.bundle"
        source.write_text(table)
        line = call("sign", office, source, "--to", target, code=2).err
        assert text in line
        assert len(line) < 1_000
        assert not target.exists()

    def test_latin_1_a_bom_and_an_empty_table(self, office: Path, tmp_path: Path) -> None:
        source, target = tmp_path / "table.csv", tmp_path / "table.bundle"
        source.write_bytes((HEADER + "Ñandú,president,1,2,3,4,,,,,,\n").encode("latin-1"))
        assert "not UTF-8" in refused("sign", office, source, "--to", target, code=2)
        source.write_bytes(b"\xef\xbb\xbf" + (HEADER + rows(("north-1",))).encode())
        call("sign", office, source, "--to", target)
        assert "exists already" in refused("sign", office, source, "--to", target, code=2)
        source.write_text(HEADER)
        assert "no row" in refused("sign", office, source, "--to", tmp_path / "other", code=2)

    def test_targets_that_cannot_be_written(self, office: Path, tmp_path: Path) -> None:
        source = tmp_path / "table.csv"
        source.write_text(HEADER + rows())
        for target in (tmp_path / "nowhere/sheets", tmp_path, source / "below"):
            refused("sign", office, source, "--to", target, code=2)


class TestStatements:
    """Files for `submit`, and what the service refuses."""

    def submit(self, service: Service, office: Path, data: bytes, code: int) -> str:
        path = office.parent / "given.bundle"
        path.write_bytes(data)
        arguments = ("submit", path, "--to", service.address, "--definition", office / "record/definition.cose")
        result = call(*arguments, code=code)
        return result.err + result.out

    def test_files_that_hold_no_statements(self, service: Service, office: Path) -> None:
        sheets = signed(office, rows(("north-2",))).read_bytes()
        assert "is empty" in self.submit(service, office, b"", 1)
        for data in (sheets[:-1], sheets[:40], sheets + b"\x00", b"\x00\x00", b"\xff" * 1_000_000, sheets[2:-1]):
            assert "ends too early or is not a file of statements" in self.submit(service, office, data, 1)

    def test_statements_that_the_service_refuses(self, service: Service, office: Path) -> None:
        sheet = signed(office, rows(("north-2",))).read_bytes()[2:]
        for data in (
            sheet[:-1] + bytes([sheet[-1] ^ 1]),
            sheet.replace(b"tally-sheet", b"tally-shout"),
            sheet.replace(b"north-2", b"north-3"),
            sheet[:-10],
            b"\x00",
            b"\xa2\x01\x02\x01\x03",
            bytes(65_535),
        ):
            said = self.submit(service, office, len(data).to_bytes(2, "big") + data, 1)
            assert "refused (" in said, said

    def test_a_statement_alone_is_a_file_too(self, service: Service, office: Path) -> None:
        sheet = signed(office, rows(("north-3",))).read_bytes()[2:]
        assert "1 statements are in the log" in self.submit(service, office, sheet, 0)

    def test_addresses_where_no_service_is(self, office: Path) -> None:
        sheets = signed(office, rows(("north-2",)))
        definition = office / "record/definition.cose"
        for address in ("nonsense", "https://", "http://", "http://127.0.0.1:99999", "ftp://127.0.0.1", "http://[::1"):
            assert "http://host:port" in refused("submit", sheets, "--to", address, "--definition", definition, code=2)

    def test_a_definition_that_is_none(self, office: Path) -> None:
        sheets = signed(office, rows(("north-2",)))
        assert "pass --definition" in refused("submit", sheets, "--to", "http://127.0.0.1:1", code=2)
        one = office / "one.cose"
        one.write_bytes(sheets.read_bytes()[2:])
        assert "tally-sheet" in refused("submit", sheets, "--to", "http://127.0.0.1:1", "--definition", one, code=2)
        for data in (b"", b"\x00", b"\xd2\x84"):
            one.write_bytes(data)
            refused("submit", sheets, "--to", "http://127.0.0.1:1", "--definition", one)

    def test_a_journal_that_cannot_be_used_or_is_damaged(self, service: Service, office: Path) -> None:
        sheets = signed(office, rows(("north-3",)))
        arguments = ["submit", sheets, "--to", service.address, "--definition", office / "record/definition.cose", "--journal"]
        assert "choose another path" in refused(*arguments, office / "nowhere/journal", code=2)
        assert "choose another path" in refused(*arguments, office, code=2)
        journal = office / "journal"
        for data in (b"", b"\x00" * 33, b"nonsense" * 1000, bytes(range(256)) * 50):
            journal.write_bytes(data)
            assert "1 statements are in the log" in call(*arguments, journal).out


class TestDecisions:
    def test_decisions_that_no_intake_would_admit_are_not_recorded(self, office: Path) -> None:
        reason = ("--reason", "The paper sheet says so.")
        for code, *arguments in (
            (1, "nowhere", "president", "--exclude", *reason),
            (1, "north-1", "nothing", "--exclude", *reason),
            (1, "north-1", "president", "--exclude", "--reason", " "),
            (1, "north-1", "president", "--exclude", "--reason", "x" * 100_000),
            (2, "north-1", "president", "--accept", "0", *reason),
            (2, "north-1", "president", "--accept", "3", *reason),
            (2, "north-2", "president", "--accept", "1", *reason),
            (2, "north-1", "president", "--accept", "99", *reason),
            (2, "north-1", "president", "--accept", "-1", *reason),
            (2, "north-1", "president", *reason),
            (2, "north-1", "president", "--exclude", "--accept", "1", *reason),
        ):
            refused("decide", office, *arguments, code=int(code))
        assert call("count", office, "--json").json["size"] == 4

    def test_nothing_is_certified_while_stations_are_outstanding(self, office: Path) -> None:
        assert "4 outstanding" in refused("certify", office, code=2)
        assert call("count", office, "--json").json["size"] == 4


class TestKeys:
    @pytest.mark.parametrize("name", ["officer-1.pem", "log-ed25519.pem", "log-ml-dsa-44.pem"])
    def test_a_missing_or_damaged_key(self, office: Path, name: str) -> None:
        path = office / "keys" / name
        pem = path.read_bytes()
        other = (office / "keys/stations.pem").read_bytes()
        for data in (None, b"", b"nonsense", pem[:40], pem.replace(b"PRIVATE", b"PUBLIC"), other):
            if data is None:
                path.unlink()
            else:
                path.write_bytes(data)
            refused("bulletin", office, code=1 if data == other and name == "officer-1.pem" else 2)
            path.write_bytes(pem)
        assert call("count", office, "--json").json["size"] == 4

    def test_the_keys_of_another_election(self, office: Path, tmp_path: Path) -> None:
        other = opened(tmp_path / "other")
        shutil.rmtree(office / "keys")
        shutil.copytree(other / "keys", office / "keys")
        assert "is not one of 'authority/officer-1'" in refused("bulletin", office)
        for arguments in (["publish", "--to", tmp_path / "site"], ["serve", "--port", 0]):
            assert "keys" in refused(arguments[0], office, *arguments[1:], code=2)

    def test_counting_needs_no_key(self, office: Path) -> None:
        shutil.rmtree(office / "keys")
        assert call("count", office, "--json").json["size"] == 4


class TestStore:
    """The log's file, damaged in every way that a disk or a person knows."""

    trials = 0

    def test_a_store_that_is_cut_or_changed_is_never_signed_anew(self, office: Path) -> None:
        store = office / "record/log.db"
        for extra in ("log.db-wal", "log.db-shm"):
            (office / "record" / extra).unlink(missing_ok=True)
        data = store.read_bytes()
        draw = random.Random(7)
        pages = len(data) // 4096
        outcomes = [self.fails_or_is_whole(office, data[:cut]) for cut in (0, 1, 100, 4096, len(data) // 2, len(data) - 4096)]
        assert not any(outcomes)
        for _ in range(40):
            changed = bytearray(data)
            place = draw.randrange(pages) * 4096 + draw.choice((0, 1, 5, draw.randrange(4096)))
            changed[place] ^= 1 << draw.randrange(8)
            self.fails_or_is_whole(office, bytes(changed))
        assert self.fails_or_is_whole(office, data)

    def fails_or_is_whole(self, office: Path, data: bytes) -> bool:
        """A changed byte may lie where nothing is kept; otherwise the command says what is wrong. Whether `count` went well."""
        outcomes = []
        for name in ("count", "bulletin"):
            # A folder of its own each time: this process may still hold files of the last one open.
            self.trials += 1
            copy = Path(shutil.copytree(office, office.parent / f"copy-{self.trials}"))
            (copy / "record/log.db").write_bytes(data)
            outcomes.append(self.try_(name, copy))
        return outcomes[0]

    def try_(self, name: str, office: Path) -> bool:
        err = io.StringIO()
        with (
            mock.patch.object(sys, "argv", ["scrutineer", name, str(office), "--json"]),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                if end.code == 0:
                    return True
        (line,) = err.getvalue().strip().splitlines()
        assert line.startswith("scrutineer: ")
        return False

    def test_no_store(self, office: Path) -> None:
        for path in (office / "record").glob("log.db*"):
            path.unlink()
        for name in ("count", "bulletin", "serve"):
            assert "there is no such file" in refused(name, office)
        (office / "record/log.db").mkdir()
        for name in ("count", "bulletin", "serve"):
            refused(name, office)

    def test_a_store_of_another_election(self, office: Path, tmp_path: Path) -> None:
        other = opened(tmp_path / "other")
        for path in (office / "record").glob("log.db*"):
            path.unlink()
        shutil.copy(other / "record/log.db", office / "record/log.db")
        for name in ("count", "bulletin", "serve"):
            refused(name, office)


class TestService:
    def test_a_port_in_use(self, office: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert f"port {port}" in refused("serve", office, "--port", port, code=2)
            site = office.parent / "site"
            call("publish", office, "--to", site)
            done = subprocess.run(
                command(["serve", office, "--port", 0, "--site", site, "--site-port", port]),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 2
            assert f"port {port}" in done.stderr
            assert "Traceback" not in done.stderr
        with serving(office):
            pass

    def test_an_address_that_is_none(self, office: Path) -> None:
        assert "check host and port" in refused("serve", office, "--host", "no.such.host.invalid", "--port", 0, code=2)

    def test_one_folder_has_one_service(self, office: Path) -> None:
        with serving(office) as first:
            assert "another process" in refused("serve", office, "--port", 0)
            assert first.process.poll() is None
            assert call("count", office, "--json").json["size"] == 4


class TestDisk:
    """A disk that is full: a limit on the size of files gives the same error at the same place."""

    @staticmethod
    def limited(size: int, *arguments: object) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        return subprocess.run(
            command(arguments),
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=limit,
            check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def full(self, size: int, *arguments: object) -> None:
        done = self.limited(size, *arguments)
        assert done.returncode in (1, 2), done
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("scrutineer: "), done

    def test_open(self, tmp_path: Path) -> None:
        call("new", tmp_path / "birds")
        for size in (0, 50, 300, 2_000, 20_000):
            self.full(size, "open", tmp_path / "birds")
            assert sorted(path.name for path in (tmp_path / "birds").iterdir()) == ["election.toml", "units.csv"]
        call("open", tmp_path / "birds")

    def test_new_sign_and_simulate(self, office: Path, tmp_path: Path) -> None:
        self.full(100, "new", tmp_path / "new")
        table = tmp_path / "table.csv"
        table.write_text(HEADER + rows())
        self.full(500, "sign", office, table, "--to", tmp_path / "sheets")
        assert not (tmp_path / "sheets").exists()
        self.full(60_000, "simulate", "--stations", 500, "--seed", 1, "--out", tmp_path / "simulated")

    def test_bulletin_keeps_what_is_recorded(self, office: Path) -> None:
        self.full(10_000, "bulletin", office)
        assert call("count", office, "--json").json["size"] == 4
        call("bulletin", office)
        assert call("count", office, "--json").json["size"] == 5

    def test_publish_can_be_tried_again(self, office: Path, tmp_path: Path) -> None:
        self.full(3_000, "publish", office, "--to", tmp_path / "site")
        assert not (tmp_path / "site/manifest").exists()
        call("publish", office, "--to", tmp_path / "site")
        call("verify", tmp_path / "site")

    def test_a_file_in_place_of_a_folder(self, office: Path, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        assert refused("publish", office, "--to", file)
        refused("publish", office, "--to", file / "below")
        refused("new", file, code=2)
        refused("new", file / "below", code=2)
        refused("simulate", "--stations", 10, "--seed", 1, "--out", file, code=2)
        refused("verify", file)
        refused("verify", tmp_path / "nowhere")

    def test_a_folder_that_is_read_only(self, office: Path, tmp_path: Path) -> None:
        frozen = tmp_path / "frozen"
        frozen.mkdir()
        if os.geteuid() == 0:
            # Permissions do not bind this user: only a flag of the file system does, where it has one.
            done = subprocess.run(["chattr", "+i", str(frozen)], capture_output=True, check=False)
            if done.returncode:
                pytest.skip("this user may write everywhere, and chattr +i does not work on this file system")
        else:
            frozen.chmod(0o500)
        try:
            refused("publish", office, "--to", frozen)
            refused("publish", office, "--to", frozen / "site")
            refused("new", frozen, code=2)
            refused("new", frozen / "birds", code=2)
            refused("simulate", "--stations", 10, "--seed", 1, "--out", frozen, code=2)
        finally:
            if os.geteuid() == 0:
                subprocess.run(["chattr", "-i", str(frozen)], check=True)


class TestSites:
    def test_a_site_of_another_election_is_never_overwritten(self, office: Path, tmp_path: Path) -> None:
        other = opened(tmp_path / "other")
        call("publish", other, "--to", tmp_path / "site")
        assert "another election" in refused("publish", office, "--to", tmp_path / "site")
        call("verify", tmp_path / "site")
        (tmp_path / "full").mkdir()
        (tmp_path / "full/letter.txt").write_text("mine")
        assert "choose another folder" in refused("publish", office, "--to", tmp_path / "full")
        assert (tmp_path / "full/letter.txt").read_text() == "mine"

    def test_the_expected_definition_is_another(self, office: Path, tmp_path: Path) -> None:
        call("publish", office, "--to", tmp_path / "site")
        result = call("verify", tmp_path / "site", "--definition", "00" * 32, "--json", code=1)
        assert result.json["findings"][0]["where"] == "definition/definition.cose"

    def test_names_that_no_terminal_should_see(self, office: Path, tmp_path: Path) -> None:
        call("publish", office, "--to", tmp_path / "site")
        (tmp_path / "site/a\nPASS: every signature\x1b[2J").touch()
        (tmp_path / "site/b\udcff").touch()
        for options in ([], ["--json"]):
            said = call("verify", tmp_path / "site", *options, code=1).out
            assert "\x1b" not in said
            assert not any(line.startswith("PASS") for line in said.splitlines())
