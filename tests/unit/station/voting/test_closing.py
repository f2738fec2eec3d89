"""The day of poll workers: opened and closed by two of them, sheets that equal the record, on paper as they were signed."""

import hashlib
import random
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from ballot_helpers import SMALL
from ceremony_helpers import decrypt
from poll_day_helpers import (
    AGENTS,
    NAMES,
    STRANGER,
    TIME,
    WORKERS,
    Clock,
    day,
    end,
    kinds,
    pair,
    pem,
    reeds,
    station_folder,
    vote,
)
from scrutineer.ballots.bundle import read_line
from scrutineer.ballots.record import BundleClosing, BundleHeader
from scrutineer.errors import BallotError, PolicyError, StoreError, UsageError
from scrutineer.statements import Endorsement, SigningKey, StationOpened, TallySheet, statement_hash
from scrutineer.statements.incident import Incident
from scrutineer.statements.policy import Policy
from scrutineer.statements.qr import QrCollector
from scrutineer.station.outbox import Outbox
from scrutineer.station.voting.choices import Choices, Marks, ballot_choices
from scrutineer.station.voting.closing import read_closing
from scrutineer.station.voting.day import PollDay
from scrutineer.station.voting.people import Pair, read_private_key
from scrutineer.station.voting.place import Place, software_fingerprint
from scrutineer.station.voting.readable import names_of, parties_of, readable
from scrutineer.station.voting.tally_paper import closing_words
from voting_helpers import choices

LAND = reeds()


def opened(folder: Path) -> PollDay:
    of = day(station_folder(folder))
    of.open(pair(of))
    return of


def voted(of: PollDay, voters: int = 8) -> None:
    """Voters, of whom one is provisional, one tests the machine, and one leaves."""
    chance = random.Random(4)
    for _ in range(voters):
        vote(of, chance)
    vote(of, chance, provisional=True)
    machine = of.machine
    machine.activate(1)
    machine.prepare(choices(of.place.record.manifest, 1, chance))
    machine.challenge()
    machine.prepare(choices(of.place.record.manifest, 1, chance))
    machine.cancel()


def codes_in(pdf: bytes, folder: Path) -> list[bytes]:
    """The statements that the codes of a printed PDF hold, read from pictures of its pages."""
    (folder / "print.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", folder / "print.pdf", folder / "page"], check=True)
    collector = QrCollector()
    for page in sorted(folder.glob("page-*.png")):
        for found in zxingcpp.read_barcodes(Image.open(page), formats=zxingcpp.BarcodeFormat.QRCode):
            collector.add(found.text)
    return collector.statements


def printed_text(pdf: bytes, folder: Path) -> str:
    (folder / "text.pdf").write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", folder / "text.pdf", "-"], check=True, capture_output=True, text=True).stdout


def test_opening_is_signed_by_station_and_two_poll_workers(tmp_path: Path) -> None:
    of = opened(tmp_path)
    assert kinds(of.outbox) == ["station-opened", "endorsement", "endorsement"]
    policy = Policy(of.place.election)
    statements = [policy.admit(entry.statement) for entry in of.outbox.entries()]
    payload = statements[0].payload
    assert isinstance(payload, StationOpened)
    assert (payload.station, payload.time, payload.software) == ("reed-1", TIME, software_fingerprint())
    assert [one.issuer for one in statements[1:]] == ["poll-worker/finch", "poll-worker/lark"]
    for one in statements[1:]:
        assert isinstance(one.payload, Endorsement)
        assert one.payload.statement == statements[0].hash
    with pytest.raises(BallotError, match="cannot be done twice"):
        of.open(pair(of))
    end(of)


def test_zero_tape_on_paper(tmp_path: Path) -> None:
    of = opened(tmp_path)
    tape = (of.place.folder / "printed" / "zero-tape.pdf").read_bytes()
    assert tape == of.zero_tape()
    assert of.opening is not None
    assert codes_in(tape, tmp_path) == [of.opening.statement]
    text = "".join(printed_text(tape, tmp_path).split())
    for part in (of.place.key.public_key.hex(), software_fingerprint().hex(), "FennaFinch", "Everycountiszero"):
        assert part in text
    end(of)


@pytest.mark.parametrize("names", [("finch", "finch"), ("coot", "finch"), ("stranger", "finch")])
def test_two_different_poll_workers_of_the_register(tmp_path: Path, names: tuple[str, str]) -> None:
    of = day(station_folder(tmp_path))
    keys = {**WORKERS, **AGENTS, "stranger": STRANGER}
    by_short = {name.partition("/")[2] or name: key for name, key in keys.items()}
    with pytest.raises(PolicyError):
        Pair(*(of.place.person(by_short[name], signers=name == "coot") for name in names))
    assert of.stage == "new"
    end(of)


def test_a_poll_worker_of_another_place_does_not_count(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    place = Place.load(station, SMALL)
    assert place.person(WORKERS["poll-worker/tern"]).name == NAMES["tern"]
    with pytest.raises(PolicyError, match="not registered for this station"):
        place.person(AGENTS["agent/coot"])
    with pytest.raises(PolicyError, match="not registered for this station"):
        place.person(STRANGER, signers=True)


def test_names_written_in_are_counted_for_their_option(tmp_path: Path) -> None:
    land = reeds(write_ins=True)
    of = day(station_folder(tmp_path, land))
    of.open(pair(of))
    manifest = of.place.record.manifest
    by_hand = (
        Choices(0, {1: Marks((0, 0), ("J. Jay",)), 2: Marks((0, 0), ("Ä. Tern", "B. Tit"))}),
        Choices(1, {}),
        Choices(1, {1: Marks((0, 0), ("J. Jay",))}),
        Choices(0, {}),
    )
    names = names_of(of.place.election.contests)
    assert parties_of(manifest, 1) == ((1, "Feather List"),)
    assert [one.name for one in readable(manifest, 1, by_hand[2], names)[0].choices] == ["J. Jay"]
    for one in by_hand:
        of.machine.activate(1)
        of.machine.prepare(ballot_choices(manifest, 1, one))
        of.machine.cast()
    closing = of.close(pair(of, "tern", "lark"))
    policy = Policy(of.place.election)
    warden, council, _ = (policy.admit(data).payload for data in closing.sheets)
    assert isinstance(warden, TallySheet)
    assert isinstance(council, TallySheet)
    assert (warden.counts, warden.blank, warden.null, warden.cast) == ((0, 1, 2), 1, 0, 4)
    assert (council.counts, council.blank, council.null, council.cast) == ((2, 2, 2), 1, 0, 4)
    record = decrypt(land.record, land.shares[:2], of.place.folder / "bundle.jsonl", [])
    totals = {field.label: field.total for field in record.contests[1].fields}
    assert (totals["wren"], totals["owl"], totals["*write-ins"]) == council.counts


def test_sheets_equal_the_record_and_the_paper(tmp_path: Path) -> None:
    of = opened(tmp_path)
    voted(of)
    closing = of.close(pair(of, "tern", "lark"))
    assert of.stage == "closed"
    bundle = of.place.folder / "bundle.jsonl"
    lines = bundle.read_bytes().splitlines(keepends=True)
    first, last = read_line(lines[0]), read_line(lines[-1])
    assert isinstance(first, BundleHeader)
    assert isinstance(last, BundleClosing)
    assert (last.cast, last.challenged, last.spoiled, last.provisional) == (8, 1, 1, 1)
    assert closing.closing == last.closing
    assert closing.bundle == hashlib.sha256(bundle.read_bytes()).digest()
    record = decrypt(LAND.record, LAND.shares[:2], bundle, [opening for _, opening in of.machine.ballots() if opening])
    policy = Policy(of.place.election)
    sheets = [policy.admit(data).payload for data in closing.sheets]
    for totals, sheet in zip(record.contests, sheets, strict=True):
        assert isinstance(sheet, TallySheet)
        by_label = {field.label: field.total for field in totals.fields}
        assert (sheet.station, sheet.contest, sheet.records) == ("reed-1", totals.label, closing.bundle)
        assert (sheet.cast, sheet.voters, sheet.roll, sheet.time) == (8, 8, 411, TIME)
        assert (sheet.blank, sheet.null) == (by_label["*blank"], by_label["*null"])
        if sheet.rankings is None:
            assert sheet.counts == tuple(by_label[name] for name in ("wren", "owl", "heron"))
        else:
            names = {(0,): "wren", (1,): "owl", (0, 1): "wren>owl", (1, 0): "owl>wren"}
            assert {names[order]: count for order, count in sheet.rankings} == {
                field.label: field.total for field in totals.fields if field.total and not field.label.startswith("*")
            }
    pdf = (of.place.folder / "printed" / "tally-sheets.pdf").read_bytes()
    assert codes_in(pdf, tmp_path) == list(closing.sheets)
    text = printed_text(pdf, tmp_path)
    for part in ("Copy 1 of 1", "Tara Tern", closing_words(last.closing), "Provisional, not counted here", "Song of the year"):
        assert part in text
    assert closing.bundle.hex() in "".join(text.split())
    end(of)


def test_people_sign_or_refuse_with_their_own_keys(tmp_path: Path) -> None:
    of = opened(tmp_path)
    vote(of, random.Random(1))
    with pytest.raises(BallotError, match="not closed"):
        of.countersign(of.place.person(WORKERS["poll-worker/tern"]))
    closing = of.close(pair(of))
    coot, rail = (of.place.person(AGENTS[f"agent/{name}"], signers=True) for name in ("coot", "rail"))
    of.countersign(coot)
    of.countersign(rail, "My own count differs.")
    of.note("Bea Bittern", "by-hand")
    closing = of.note("Kim Knot", "refused", "Had to leave.")
    for again in (coot, rail):
        with pytest.raises(BallotError, match="cannot be taken back"):
            of.countersign(again)
    for name, verdict, reason in (("", "by-hand", ""), ("Kim", "refused", " "), ("Kim", "by-hand", "why")):
        with pytest.raises((BallotError, ValueError)):
            of.note(name, verdict, reason)  # type: ignore[arg-type]
    policy = Policy(of.place.election)
    names = {statement_hash(sheet) for sheet in closing.sheets}
    verdicts: dict[str, set[tuple[str, str]]] = {}
    for data in closing.endorsements:
        one = policy.admit(data)
        assert isinstance(one.payload, Endorsement)
        assert one.payload.statement in names
        verdicts.setdefault(one.issuer, set()).add((one.payload.verdict, one.payload.reason))
    assert len(closing.endorsements) == 4 * len(names)
    assert verdicts == {
        "poll-worker/finch": {("sign", "")},
        "poll-worker/lark": {("sign", "")},
        "agent/coot": {("sign", "")},
        "agent/rail": {("refuse", "My own count differs.")},
    }
    queued = {entry.statement for entry in of.outbox.entries()}
    assert queued >= set(closing.statements())
    of.print("tally-sheets.pdf", of.sheets(3))
    text = printed_text(of.sheets(3), tmp_path)
    for part in ("Copy 3 of 3", "Ralf Rail", "refused to sign: My own count differs.", "signed by hand", "Had to leave."):
        assert part in text
    end(of)
    again_read = read_closing(of.place.folder)
    assert again_read == closing


def test_the_day_goes_on_after_any_stop(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    of = day(station)
    of.open(pair(of))
    end(of)
    chance, clock = random.Random(2), Clock()
    for names in (("finch", "tern"), ("tern", "lark"), ("lark", "finch")):
        of = day(station, clock=clock)
        assert of.stage == "suspended"
        of.resume(pair(of, *names))
        vote(of, chance)
        clock.now += 60
        of.suspend()
        assert of.stage == "suspended"
        of.resume(pair(of, *reversed(names)))
        clock.now += 60
        end(of)
    of = day(station, clock=clock)
    of.resume(pair(of))
    policy = Policy(of.place.election)
    incidents = [policy.admit(entry.statement).payload for entry in of.outbox.entries()]
    said = [one for one in incidents if isinstance(one, Incident)]
    assert len(said) == 7
    assert all(one.kind == "equipment" and "was enabled again by poll-worker/" in one.text for one in said)
    closing = of.close(pair(of))
    assert closing.cast == 3
    end(of)


def test_an_opening_that_was_cut_short_is_queued_at_the_next_start(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    of = day(station)
    of.open(pair(of))
    end(of)
    (station.folder / "outbox.sqlite").unlink()
    (station.folder / "outbox.sqlite-wal").unlink(missing_ok=True)
    Outbox.open(station.folder / "outbox.sqlite", create=True).close()
    of = day(station)
    assert kinds(of.outbox) == ["station-opened", "endorsement", "endorsement"]
    end(of)


def test_closing_that_was_cut_short_gives_one_set_of_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    station = station_folder(tmp_path)
    of = day(station)
    of.open(pair(of))
    vote(of, random.Random(1))
    with monkeypatch.context() as broken:
        broken.setattr("scrutineer.station.voting.closing.keep_closing", _full)
        with pytest.raises(StoreError):
            of.close(pair(of))
    assert (of.stage, kinds(of.outbox).count("tally-sheet")) == ("closing", 0)
    bundle = (of.place.folder / "bundle.jsonl").read_bytes()
    end(of)
    of = day(station, clock=Clock(TIME + 600))
    assert of.stage == "closing"
    closing = of.close(pair(of, "tern", "finch"))
    assert (of.place.folder / "bundle.jsonl").read_bytes() == bundle
    end(of)
    of = day(station, clock=Clock(TIME + 900))
    assert of.closing == closing
    assert kinds(of.outbox).count("tally-sheet") == 3
    with pytest.raises(BallotError, match="its sheets are signed"):
        of.close(pair(of))
    end(of)


def test_what_poll_workers_should_look_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    station = station_folder(tmp_path)
    clock = Clock()
    of = day(station, clock=clock)
    assert of.notices() == []
    of.open(pair(of))
    assert [(one.trouble, one.figure) for one in of.notices()] == [("outbox", 3)]
    clock.now = TIME + 86_400 * 3
    monkeypatch.setattr("scrutineer.station.voting.day.LOW_DISK", 2**60)
    found = {one.trouble: one for one in of.notices()}
    assert set(found) == {"disk", "clock", "outbox"}
    assert found["clock"].words == "2026-06-10"
    end(of)


class Jammed:
    """A printer without paper."""

    def print(self, paper: bytes) -> None:
        raise BallotError("the printer has no paper")

    def clear(self) -> None:
        """Nothing is kept."""


def test_a_printer_without_paper_stops_nothing(tmp_path: Path) -> None:
    of = day(station_folder(tmp_path))
    jammed = PollDay(of.place, of.machine, of.outbox, Clock(), Jammed())
    jammed.open(pair(jammed))
    assert ("printer", "the printer has no paper") in {(one.trouble, one.words) for one in jammed.notices()}
    assert (of.place.folder / "printed" / "zero-tape.pdf").exists()
    end(of)


def test_key_files() -> None:
    key = SigningKey(b"k" * 32)
    assert read_private_key(pem(key)) == key
    assert read_private_key(pem(key, "sedge"), "sedge") == key
    for data, passphrase, why in (
        (pem(key), "sedge", "has no passphrase"),
        (pem(key, "sedge"), "", "is protected"),
        (pem(key, "sedge"), "reed", "cannot be opened with this passphrase"),
        (b"feathers", "", "is no private key"),
        (b"x" * 20_000, "", "far too large"),
    ):
        with pytest.raises(UsageError, match=why):
            read_private_key(data, passphrase)


def test_tables_that_were_changed_are_refused(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    for name in ("register.csv", "ballots.json"):
        path = station.folder / "voting" / name
        good = path.read_bytes()
        path.write_bytes(good.replace(b"finch", b"hawk!") if name == "register.csv" else good + b" ")
        with pytest.raises(UsageError, match="is not the table that the definition names"):
            Place.load(station, SMALL)
        path.write_bytes(good)
    assert Place.load(station, SMALL).roll == 411


def _full(*_: object) -> None:
    raise StoreError("the disk is full")
