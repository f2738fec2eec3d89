"""The end of a machine's day: the sealed bundle, the tally sheets that name it, and who countersigned them.

The order of writes lets power fail anywhere: the journal is closed first; bundle and openings follow from it alone, so writing
them again gives the same bytes; then all sheets are signed and kept in one file, and whatever comes later uses those. A sheet
leaves the machine only from that file, so there is one sheet for each contest, however often closing was interrupted.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.from_election import total_labels
from scrutineer.ballots.manifest import FIELD_MARK, ORDER_MARK, Manifest
from scrutineer.ballots.record import BundleClosing, OpenedBallot
from scrutineer.durable import write_whole, write_whole_from
from scrutineer.election import Contest, station_issuer
from scrutineer.errors import BallotError, StoreError
from scrutineer.pieces import hashed
from scrutineer.statements import TallySheet, sign_statement
from scrutineer.station.voting.machine import VotingMachine
from scrutineer.station.voting.people import Person
from scrutineer.station.voting.place import Place
from scrutineer.station.voting.totals import RunningTotals

CLOSING_FILE: Final = "closing.json"
BUNDLE_FILE: Final = "bundle.jsonl"
OPENINGS_FILE: Final = "openings.jsonl"
MAX_SIGNATURES: Final = 256
MAX_REASON: Final = 2_000  # characters

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and how much there is (0: not known)."""
Verdict = Literal["signed", "by-hand", "refused"]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who stood by at closing, and what they did with the sheets."""

    who: _Name
    """Id in the register for those who signed with a key, else the name as it was typed."""
    name: _Name
    verdict: Verdict
    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""

    def __post_init__(self) -> None:
        if (self.verdict == "refused") != bool(self.reason.strip()):
            raise BallotError("a refusal to sign is noted with its reason, and only a refusal has one")
        if not self.name.isprintable() or not self.name.strip():
            raise BallotError("write the name of the person in printable characters")


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a machine's day came to; all of it is public."""

    time: int
    """When it was closed, seconds since 1970 by the machine's clock."""
    bundle: bytes
    """SHA-256 of the bundle, the `records` of the sheets."""
    closing: bytes
    """The closing hash (section 3.4.5)."""
    activated: int
    cast: int
    challenged: int
    spoiled: int
    provisional: int
    sheets: tuple[bytes, ...]
    """The signed tally sheets, in the order of the contests."""
    endorsements: tuple[bytes, ...] = ()
    """Signatures with people's own keys, and refusals, as statements."""
    signatures: tuple[Signature, ...] = ()

    def statements(self) -> tuple[bytes, ...]:
        """All that goes to the log."""
        return self.sheets + self.endorsements


def read_closing(folder: Path) -> Closing | None:
    """The closing that is kept in a machine's folder; None where there is none yet. Raises StoreError."""
    path = folder / CLOSING_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Closing)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} cannot be read ({error}): keep the folder as it is, and tell the centre") from error


def keep_closing(folder: Path, closing: Closing) -> None:
    """Write it durably in place of an earlier one. Raises StoreError."""
    path = folder / CLOSING_FILE
    try:
        write_whole(path, msgspec.json.encode(closing, order="sorted"), 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): make room on the disk, then try again") from error


def seal_day(
    place: Place, machine: VotingMachine, totals: RunningTotals, people: Iterable[Person], time: int, progress: Progress
) -> Closing:
    """Write the bundle of a closed machine, sign its sheets, and keep them. Raises StoreError and BallotError."""
    digest, end = write_bundle(place, machine, progress)
    counted = machine.counters
    if end.cast != totals.cast or (end.challenged, end.spoiled, end.provisional) != (
        counted.challenged,
        counted.spoiled,
        counted.provisional,
    ):
        raise StoreError(
            "the bundle does not hold as many ballots as were counted: keep the folder as it is, and tell the centre"
        )
    sheets = tally_sheets(place, totals, machine.cast_by_style, digest, time)
    signed = [sign_statement(sheet, station_issuer(place.name), place.key) for sheet in sheets]
    closing = Closing(
        time, digest, end.closing, counted.activated, end.cast, end.challenged, end.spoiled, end.provisional, tuple(signed)
    )
    for person in people:
        closing = countersigned(place, closing, person)
    keep_closing(place.folder, closing)
    return closing


def write_bundle(place: Place, machine: VotingMachine, progress: Progress) -> tuple[bytes, BundleClosing]:
    """Write bundle and openings of a closed machine; the bundle's SHA-256, and its last line. Raises StoreError.

    Both follow from the journal alone: writing them again gives the same bytes.
    """
    writer = BundleWriter(place.keys, place.name, place.machine.device, place.machine.styles)
    opened: list[OpenedBallot] = []
    digest = hashlib.sha256()
    counted = machine.counters
    whole = counted.cast + counted.challenged + counted.spoiled + counted.provisional

    def lines() -> Iterator[bytes]:
        yield writer.header()
        for done, (ballot, opening) in enumerate(machine.ballots(), 1):
            if opening is not None:
                opened.append(opening)
            yield writer.add(ballot)
            progress("Sealing the ballots", done, whole)
        yield encoded(writer.closing())

    _write_lines(place.folder / BUNDLE_FILE, hashed(lines(), digest))
    _write_lines(place.folder / OPENINGS_FILE, map(encoded, opened))
    return digest.digest(), writer.closing()


def encoded(value: BundleClosing | OpenedBallot) -> bytes:
    """A value as a line: JSON with sorted keys and without spaces, and a line feed."""
    return msgspec.json.encode(value, order="sorted") + b"\n"


def tally_sheets(place: Place, totals: RunningTotals, cast_by_style: Counter[int], records: bytes, time: int) -> list[TallySheet]:
    """One sheet for each contest of the machine's styles, in the order of the definition."""
    manifest, election = place.record.manifest, place.election
    sheets = []
    for number in totals.contests:
        contest = election.contests[election.contest_index[manifest.contest(number).label]]
        cast = sum(count for style, count in cast_by_style.items() if number in manifest.style(style).contests)
        by_label = dict(zip(manifest.contest(number).labels(), totals.of(number), strict=True))
        ranked = contest.rule == "ranked"
        sheets.append(
            TallySheet(
                election.hash,
                place.name,
                contest.id,
                () if ranked else tuple(by_label[label] for label in total_labels(contest)),
                by_label.get(f"{FIELD_MARK}blank"),
                by_label.get(f"{FIELD_MARK}null"),
                cast,
                cast,
                place.roll,
                time,
                records=records,
                rankings=_rankings(contest, manifest, number, by_label) if ranked else None,
            )
        )
    return sheets


def countersigned(place: Place, closing: Closing, person: Person, refuse: str = "") -> Closing:
    """With the signatures of somebody under all sheets, by their own key; or with their refusal and its reason.

    Raises BallotError where they have signed or refused already: what is in the log cannot be taken back.
    """
    if any(signature.who == person.issuer.id for signature in closing.signatures):
        raise BallotError(f"{person.name} has signed or refused already, and that cannot be taken back")
    names = [sheet_hash(sheet) for sheet in closing.sheets]
    new = tuple(person.endorse(place.election, name, refuse.strip()) for name in names)
    signature = Signature(person.issuer.id, person.name, "refused" if refuse.strip() else "signed", refuse.strip())
    return _with(closing, signature, new)


def noted(closing: Closing, name: str, verdict: Literal["by-hand", "refused"], reason: str = "") -> Closing:
    """With a note on somebody without a key, who signed the paper by hand or refused to. Raises BallotError."""
    return _with(closing, Signature(name.strip(), name.strip(), verdict, reason.strip()), ())


def sheet_hash(sheet: bytes) -> bytes:
    """The name of a statement in the log: its leaf hash."""
    return hashlib.sha256(b"\x00" + sheet).digest()


def _with(closing: Closing, signature: Signature, endorsements: tuple[bytes, ...]) -> Closing:
    if len(closing.signatures) >= MAX_SIGNATURES:
        raise BallotError(f"{MAX_SIGNATURES} people have signed, which is as many as can be kept")
    return msgspec.structs.replace(
        closing, endorsements=closing.endorsements + endorsements, signatures=(*closing.signatures, signature)
    )


def _rankings(
    contest: Contest, manifest: Manifest, number: int, by_label: dict[str, int]
) -> tuple[tuple[tuple[int, ...], int], ...]:
    places = {option.id: place for place, option in enumerate(contest.options)}
    orders = {
        tuple(places[part] for part in label.split(ORDER_MARK)): by_label[label] for label in manifest.contest(number).options
    }
    return tuple(sorted((order, ballots) for order, ballots in orders.items() if ballots))


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    try:
        write_whole_from(path, lines)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): make room on the disk, then close again") from error
