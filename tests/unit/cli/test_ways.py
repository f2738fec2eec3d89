"""The ways by which a sheet travels: however many it takes, it counts once; bundles and pictures, with all their faults."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from cli_helpers import STATIONS, Service, call, command, opened, refused, rows, serving, signed
from intake_helpers import AUTHORITIES, republic, station_key
from photographs import Conditions, page_of_codes, photograph
from relay_helpers import RelayProcess, ask
from scrutineer.cli.statement_files import read_statements
from scrutineer.election import Contest, Option
from scrutineer.http.problems import Problem
from scrutineer.statements import TallySheet, parse_statement, sign_statement, statement_hash
from scrutineer.statements.qr import qr_codes, qr_parts
from scrutineer.station.bundle import Bundle, decode_bundle, read_bundle, write_bundle
from scrutineer.station.outbox import Outbox

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed: pip install 'scrutineer[scan]'")
pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: pip install 'scrutineer[scan]'")

SMALL = (1800, 1350)


class World:
    """An election with its service, and its sheets."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.service = service
        self.election = folder / "birds"
        self.definition = self.election / "record" / "definition.cose"
        self.sheets = list(read_statements(signed(self.election, rows())))
        self.hash = statement_hash(self.definition.read_bytes())

    def submit(self, *arguments: object, code: int = 0) -> Any:
        return call("submit", *arguments, "--to", self.service.address, "--definition", self.definition, code=code)

    @property
    def log_size(self) -> int:
        return int(call("count", self.election, "--json").json["size"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("ways")
    opened(folder / "birds")
    with serving(folder / "birds") as service:
        yield World(folder, service)


def drawn(data: bytes, folder: Path) -> list[Path]:
    """The codes of a statement as pictures."""
    paths = []
    for number, code in enumerate(qr_codes(data)):
        path = folder / f"{statement_hash(data).hex()[:8]}-{number}.png"
        code.save(str(path), kind="png", scale=6, border=4)
        paths.append(path)
    return paths


def photo(path: Path, codes: list[Path], seed: int, **how: Any) -> Path:
    rng = np.random.default_rng(seed)
    conditions = Conditions(turned=7, angle=0.03, light=0.5, blur=0.5, noise=4, quality=75, size=SMALL, **how)
    path.write_bytes(photograph(page_of_codes(codes), conditions, rng))
    return path


def large_sheet() -> bytes:
    """A sheet that needs three codes, though of an election that the service does not run."""
    land = republic(4)
    contest = Contest("lists", "Lists", "dhondt", tuple(Option(f"o{n}", f"List {n}") for n in range(300)), seats=9)
    definition = msgspec.structs.replace(land.election.definition, contests=(contest,))
    election = statement_hash(sign_statement(definition, "authority/0", AUTHORITIES[0]))
    sheet = TallySheet(election, "n1", "lists", tuple(70_000 + n for n in range(300)))
    return sign_statement(sheet, "station/n1", station_key("n1"))


def test_four_ways_count_once(world: World, tmp_path: Path) -> None:
    """Straight to the intake, through a relay, in a bundle, and on paper: each sheet is in the log once, with one receipt."""
    size = world.log_size
    single = tmp_path / "one.cose"
    single.write_bytes(world.sheets[0])
    relay = RelayProcess(tmp_path / "relay", world.definition, world.service.address)
    try:
        for sheet in world.sheets:
            assert ask(relay.url, "POST", "/entries", sheet).status in (200, 202)
        world.submit(single)
        bundle = tmp_path / "station.bundle"
        write_bundle(bundle, Bundle.of_statements(world.hash, world.sheets))
        assert "6 statements are in the log" in world.submit(bundle).out
        codes = [path for sheet in world.sheets for path in drawn(sheet, tmp_path)]
        pictures = [photo(tmp_path / f"{n}.jpg", codes[3 * n : 3 * n + 3], n) for n in range(2)]
        said = world.submit("--image", *pictures).out
        assert "6 statements are in the log" in said
        assert all(said.count(f"tally-sheet {station}/president by station/{station}") == 1 for station in STATIONS)
        receipts = dict(read_bundle(tmp_path / "station.bundle.receipts").pairs())
        deadline = time.monotonic() + 20
        for sheet in world.sheets:
            path = f"/receipts/{statement_hash(sheet).hex()}"
            while (reply := ask(relay.url, "GET", path)).status != 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert reply.status == 200
            assert len(reply.body) > 100
        assert receipts.keys() == {statement_hash(sheet) for sheet in world.sheets}
    finally:
        code, _, err = relay.terminate()
    assert (code, "Traceback" in err) == (0, False), err
    assert world.log_size == size + 6
    counted = call("count", world.election, "--json").json
    assert counted["contests"][0]["counted"] == 6


def test_the_same_bundle_twice_changes_nothing(world: World, tmp_path: Path) -> None:
    bundle = tmp_path / "s.bundle"
    write_bundle(bundle, Bundle.of_statements(world.hash, world.sheets))
    said = world.submit(bundle, "--json").json
    assert (said["registered"], said["refused"]) == (6, [])
    first, size = (tmp_path / "s.bundle.receipts").read_bytes(), world.log_size
    (tmp_path / "s.bundle.journal").unlink()
    assert "Receipts to carry back" in world.submit(bundle).out
    assert decode_bundle((tmp_path / "s.bundle.receipts").read_bytes()).names == decode_bundle(first).names
    assert world.log_size == size


def test_a_bundle_with_a_refused_statement_brings_the_other_receipts(world: World, tmp_path: Path) -> None:
    sheet = parse_statement(world.sheets[0]).payload
    assert isinstance(sheet, TallySheet)
    strange = sign_statement(sheet._replace(time=9), "observer/nobody", station_key("x"))
    write_bundle(tmp_path / "s.bundle", Bundle.of_statements(world.hash, [strange, world.sheets[1]]))
    said = world.submit(tmp_path / "s.bundle", code=1).out
    assert "statement 0: refused (unknown-issuer)" in said
    assert read_bundle(tmp_path / "s.bundle.receipts").names == (statement_hash(world.sheets[1]),)


def test_files_that_are_no_whole_bundle_are_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "s.bundle"
    write_bundle(path, Bundle.of_statements(world.hash, world.sheets))
    whole = path.read_bytes()
    to = ("--to", world.service.address, "--definition", world.definition)
    path.write_bytes(whole[: len(whole) // 2])
    assert "ends within statement" in refused("submit", path, *to)
    path.write_bytes(whole[:400] + bytes([whole[400] ^ 1]) + whole[401:])
    assert "altered: statement 1 of 6" in refused("submit", path, *to)
    write_bundle(path, Bundle.of_receipts(world.hash, [(bytes(32), b"receipt")]))
    assert "scrutineer station receipts" in refused("submit", path, *to, code=2)


def test_parts_of_a_large_sheet_over_several_pictures(world: World, tmp_path: Path) -> None:
    large = large_sheet()
    codes = drawn(large, tmp_path)
    assert len(codes) == len(qr_parts(large)) == 3
    pictures = [photo(tmp_path / "b.jpg", [codes[2], codes[0]], 1), photo(tmp_path / "a.jpg", [codes[1], codes[0]], 2)]
    # Read whole, and then refused: its station is of another election.
    said = world.submit("--image", *pictures, "--json", code=1).json
    assert said["refused"][0]["code"] == "unknown-issuer"
    assert said["incomplete"] == []
    assert [[part["part"] for part in picture["parts"]] for picture in said["pictures"]] == [[1, 3], [1, 2]]


def test_a_missing_part_is_named_and_the_rest_is_submitted(world: World, tmp_path: Path) -> None:
    codes = drawn(large_sheet(), tmp_path)
    picture = photo(tmp_path / "p.jpg", [codes[0], codes[2], *drawn(world.sheets[0], tmp_path)], 3)
    said = world.submit("--image", picture, code=1).out
    assert "1 statements are in the log" in said
    assert "part 1 of 3" in said
    assert "part 2 is missing" in said
    assert "tally-sheet" in said


def test_pictures_without_a_sheet_are_said(world: World, tmp_path: Path) -> None:
    import segno

    blank, other, broken = tmp_path / "blank.png", tmp_path / "other.png", tmp_path / "broken.jpg"
    Image.new("L", (300, 300), 200).save(blank)
    segno.make_qr("https://example.org/").save(str(other), scale=5)
    broken.write_bytes(b"not a picture")
    said = world.submit("--image", blank, other, broken, code=1).out
    assert "blank.png: no code of a statement" in said
    assert "other.png: 1 code that is not a statement's" in said
    assert "broken.jpg: cannot be read as a picture" in said
    assert "are in the log" not in said
    with_sheet = world.submit("--image", blank, *drawn(world.sheets[2], tmp_path), code=1).out
    assert "1 statements are in the log" in with_sheet


@pytest.mark.parametrize("seed", range(2))
def test_photographs_as_telephones_take_them(seed: int, tmp_path: Path) -> None:
    from scrutineer.cli.pictures import Pictures

    rng = np.random.default_rng(100 + seed)
    land = republic(4)
    sheets = [land.sheet(station) for station in land.stations[:2]]
    codes = [path for data in (*sheets, large_sheet()) for path in drawn(data, tmp_path)]
    path = tmp_path / "photo.jpg"
    path.write_bytes(photograph(page_of_codes(codes[:4]), Conditions.draw(rng, (2400, 1800)), rng))
    second = tmp_path / "second.jpg"
    second.write_bytes(photograph(page_of_codes(codes[4:]), Conditions.draw(rng, (2400, 1800)), rng))
    pictures = Pictures()
    for picture in (path, second):
        pictures.look(picture)
    assert sorted(pictures.statements) == sorted([*sheets, large_sheet()])
    assert not pictures.trouble


def test_relay_options(tmp_path: Path) -> None:
    folder = opened(tmp_path / "birds")
    definition = folder / "record" / "definition.cose"
    relay = tmp_path / "relay"
    assert "where to forward" in refused("relay", relay, "--definition", definition, code=2)
    to = ("--to", "http://127.0.0.1:9")
    assert "together" in refused("relay", relay, "--definition", definition, *to, "--tls-key", definition, code=2)
    sheet = tmp_path / "sheet.cose"
    sheet.write_bytes(next(iter(read_statements(signed(folder, rows())))))
    assert "pass the definition" in refused("relay", relay, "--definition", sheet, *to, code=2)
    (folder / "record" / "register.csv").write_text("changed")
    assert "register.csv" in refused("relay", relay, "--definition", definition, *to)
    assert not (relay / "outbox.sqlite").exists()


def test_a_stick_goes_to_the_centre_and_back(world: World, tmp_path: Path) -> None:
    station, stick = tmp_path / "station", tmp_path / "stick.bundle"
    call("station", "init", station, "--definition", world.definition)
    call("station", "queue", station, world.folder / "sheets.bundle")
    call("station", "bundle", station, "--to", stick)
    assert "6 statements are in the log" in world.submit(stick).out
    for _ in range(2):
        call("station", "receipts", station, tmp_path / "stick.bundle.receipts")
    outbox = Outbox.open(station / "outbox.sqlite")
    assert (outbox.tally().receipted, outbox.tally().waiting) == (6, 0)
    outbox.close()


def test_a_definition_on_the_stick_does_not_choose_the_log(world: World, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_bundle(stick / "s.bundle", Bundle.of_statements(world.hash, world.sheets))
    beside = stick / "definition.cose"
    beside.write_bytes(republic(4).definition)
    to = ("--to", world.service.address)
    assert "belongs to election " + world.hash.hex()[:16] in refused("submit", stick / "s.bundle", *to, code=2)
    said = refused("submit", stick / "s.bundle", *to, "--definition", beside, code=2)
    assert "from a place that you trust" in said
    assert [path.name for path in stick.iterdir() if path not in (beside, stick / "s.bundle")] == []


def test_which_definition_was_found_is_said(world: World, tmp_path: Path) -> None:
    bundle, beside = tmp_path / "s.bundle", tmp_path / "definition.cose"
    write_bundle(bundle, Bundle.of_statements(world.hash, world.sheets))
    beside.write_bytes(world.definition.read_bytes())
    to = ("--to", world.service.address)
    assert str(beside) in call("submit", bundle, *to).err
    done = call("submit", bundle, *to, "--json")
    assert (done.json["definition"], done.err) == ({"file": str(beside), "election": world.hash.hex()}, "")
    given = world.submit(bundle)
    assert (given.err, "definition" in world.submit(bundle, "--json").json) == ("", False)


def test_a_busy_service_is_waited_for_in_words_until_it_is_broken_off(world: World, tmp_path: Path) -> None:
    """Without end, as long as a person wants it: Ctrl-C ends the longest pause."""
    sheet = tmp_path / "one.cose"
    sheet.write_bytes(world.sheets[0])
    body = Problem("key-busy", "the relay keeps at most 256").encode()
    busy = b"HTTP/1.1 429 X\r\nretry-after: 9999\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        to = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            command(["submit", sheet, "--to", to, "--definition", world.definition]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                asked = b""
                while world.sheets[0] not in asked:
                    asked += connection.recv(65536)
                connection.sendall(busy)
                assert process.stderr is not None
                said = process.stderr.readline()
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
    assert "the relay keeps at most 256 (key-busy); again in " in said
    assert int(said.split()[-2]) >= 600
    assert process.returncode == 130
    assert err.strip().startswith("Interrupted.")


def test_a_relay_does_not_move_into_an_election(world: World) -> None:
    election = world.folder / "birds"
    definition = election / "record/definition.cose"
    said = refused("relay", election, "--definition", definition, "--to", "http://127.0.0.1:9", code=2)
    assert "is the folder of an election" in said
    assert not (election / "outbox.sqlite").exists()


def test_a_table_with_other_separators_is_told_so(world: World, tmp_path: Path) -> None:
    table = tmp_path / "sheets.csv"
    table.write_text("station;contest;votes:heron\nnorth-1;president;3\n")
    said = refused("sign", world.folder / "birds", table, "--to", tmp_path / "sheets.bundle", code=2)
    assert "separated by ';'" in said
